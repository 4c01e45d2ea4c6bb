import type { Rule } from "../call.ts";
import { ACTIVATIONS } from "./activations.ts";
import { CONTRACT } from "./contract.ts";
import { ELEMENTWISE } from "./elementwise.ts";
import { NORMALISE } from "./normalise.ts";
import { POOL } from "./pool.ts";
import { REDUCE } from "./reduce.ts";
import { RESIZE } from "./resize.ts";
import { SELECT } from "./select.ts";
import { SHAPE } from "./shape.ts";

/** Every operator that is read, by the file's name for it. */
export const OPERATORS: ReadonlyMap<string, Rule> = new Map(
  Object.entries({
    ...ELEMENTWISE,
    ...ACTIVATIONS,
    ...SHAPE,
    ...SELECT,
    ...REDUCE,
    ...CONTRACT,
    ...POOL,
    ...NORMALISE,
    ...RESIZE,
  }),
);

/** Operators that are too much work to be done while a graph is built; no shape is computed by them. */
export const COSTLY: ReadonlySet<string> = new Set(Object.keys({ ...CONTRACT, ...POOL, ...NORMALISE, ...RESIZE }));

/** Operators whose output is the activation of units. */
export const NONLINEAR: ReadonlySet<string> = new Set(Object.keys(ACTIVATIONS));
