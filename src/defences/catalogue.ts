import type { KnownDefence } from "../fl/index.ts";
import { unknownName } from "../util/index.ts";
import { adaptiveDp } from "./adaptive-dp.ts";
import { secureAggregation, zeroSumNoise } from "./between-clients.ts";
import { dpSgd } from "./dp-sgd.ts";
import { gaussianDp } from "./gaussian-dp.ts";
import { gradientShare, selectiveEncryption } from "./gradient-share.ts";
import { guardianObjective } from "./guardian-objective.ts";
import { outpost } from "./outpost.ts";
import { quantise } from "./quantise.ts";
import { completeValues, type SettingValue } from "./settings.ts";
import { signOnly } from "./sign.ts";
import { soteria } from "./soteria.ts";
import { sparsify } from "./sparsify.ts";
import type { Defence } from "./types.ts";

/** All defences by name. */
export const DEFENCES: Readonly<Record<string, Defence>> = Object.fromEntries(
  [
    gaussianDp,
    dpSgd,
    adaptiveDp,
    quantise,
    sparsify,
    signOnly,
    soteria,
    outpost,
    guardianObjective,
    gradientShare,
    selectiveEncryption,
    zeroSumNoise,
    secureAggregation,
  ].map((defence) => [defence.name, defence]),
);

/** A defence with a value for each of its settings. */
export interface Link {
  readonly defence: Defence;
  readonly settings: Readonly<Record<string, SettingValue>>;
}

/**
 * A defence by its name, with the settings that are not the usual ones; texts are read as the setting's type.
 *
 * Throws FedleakError at an unknown name or setting, with a suggestion, a value out of range, or values that contradict each other.
 */
export function link(name: string, given: Readonly<Record<string, unknown>> = {}): Link {
  if (!Object.hasOwn(DEFENCES, name)) unknownName("defence", "name", name, Object.keys(DEFENCES));
  const defence = DEFENCES[name]!;
  const settings = completeValues(`defence ${name}`, defence.settings, given);
  defence.check?.(settings);
  return { defence, settings };
}

/** A link as a server that dictates it knows it: all settings, and what follows from them. */
export function knownLink({ defence, settings }: Link): KnownDefence {
  return { name: defence.name, settings: defence.known?.(settings) ?? settings };
}

/** A link in words, for the ledger: its name and every setting. */
export function linkText({ defence, settings }: Link): string {
  const values = Object.entries(settings).map(([name, value]) => `${name} ${value}`);
  return `${defence.name}${values.length > 0 ? ` (${values.join(", ")})` : ""}`;
}
