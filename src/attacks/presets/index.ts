import { unknownName } from "../../util/index.ts";
import type { Preset } from "../preset.ts";
import { bayes } from "./bayes.ts";
import { ciNet } from "./ci-net.ts";
import { dlg } from "./dlg.ts";
import { fedleak } from "./fedleak.ts";
import { fedleakPlus } from "./fedleak-plus.ts";
import { fedleakRelease } from "./fedleak-release.ts";
import { ggl } from "./ggl.ts";
import { gradInversion } from "./grad-inversion.ts";
import { idlg } from "./idlg.ts";
import { invertingGradients } from "./inverting-gradients.ts";
import { linearLeak } from "./linear-leak.ts";
import { rGap } from "./r-gap.ts";
import { rog } from "./rog.ts";

/** All attacks by name. */
export const ATTACKS: Readonly<Record<string, Preset>> = byName([
  fedleak,
  fedleakRelease,
  fedleakPlus,
  invertingGradients,
  gradInversion,
  dlg,
  idlg,
  bayes,
  ciNet,
  rog,
  ggl,
  linearLeak,
  rGap,
]);

/** The attack `name`; throws FedleakError, with a suggestion, when there is none. */
export function findAttack(name: string): Preset {
  return Object.hasOwn(ATTACKS, name) ? ATTACKS[name]! : unknownName("attack", "name", name, Object.keys(ATTACKS));
}

function byName(presets: readonly Preset[]): Readonly<Record<string, Preset>> {
  return Object.fromEntries(presets.map((preset) => [preset.name, preset]));
}
