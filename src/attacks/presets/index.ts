import { unknownName } from "../../util/index.ts";
import type { Preset } from "../preset.ts";
import { fedleak } from "./fedleak.ts";
import { fedleakRelease } from "./fedleak-release.ts";
import { invertingGradients } from "./inverting-gradients.ts";

/** All attacks by name. */
export const ATTACKS: Readonly<Record<string, Preset>> = Object.fromEntries(
  [fedleak, fedleakRelease, invertingGradients].map((preset) => [preset.name, preset]),
);

/** The attack `name`; throws FedleakError, with a suggestion, when there is none. */
export function findAttack(name: string): Preset {
  return Object.hasOwn(ATTACKS, name) ? ATTACKS[name]! : unknownName("attack", "name", name, Object.keys(ATTACKS));
}
