import type { Shape } from "../../tensor/index.ts";
import type { AttackSettings } from "../settings.ts";
import { generator } from "./generator.ts";
import { pixels } from "./pixels.ts";
import type { Parameterisation } from "./types.ts";

export type { Parameterisation } from "./types.ts";

/** What a setting of that name stands for; images [B,C,H,W]. */
export function parameterise(shape: Shape, settings: AttackSettings): Parameterisation {
  return { pixels, generator }[settings.parameterisation](shape, settings);
}
