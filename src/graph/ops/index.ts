/** The list of all ops. Tables over ops (lowering, reference) are exhaustive by this type. */
import type { Op } from "../node.ts";
import { convInputOp, convOp, convWeightOp, matmulOp } from "./contract.ts";
import * as e from "./elementwise.ts";
import { constantOp, inputOp, scalarOp } from "./leaf.ts";
import { gatherOp, kthLargestOp, maxOp, maxPoolIndexOp, scatterAddOp } from "./select.ts";
import { withSlopeOp } from "./slope.ts";
import {
  broadcastOp,
  concatOp,
  reshapeOp,
  sliceOp,
  stopGradientOp,
  sumOp,
  transposeOp,
  unsliceOp,
} from "./structure.ts";

export const ELEMENTWISE = [
  e.negOp,
  e.expOp,
  e.logOp,
  e.sqrtOp,
  e.absOp,
  e.signOp,
  e.floorOp,
  e.sigmoidOp,
  e.tanhOp,
  e.reluOp,
  e.erfOp,
  e.addOp,
  e.subOp,
  e.mulOp,
  e.divOp,
  e.powOp,
  e.maximumOp,
  e.minimumOp,
  e.greaterOp,
  e.greaterEqualOp,
  e.equalOp,
  e.whereOp,
  e.castOp,
] as const;

export const OPS = [
  inputOp,
  constantOp,
  scalarOp,
  ...ELEMENTWISE,
  reshapeOp,
  transposeOp,
  broadcastOp,
  sumOp,
  sliceOp,
  unsliceOp,
  concatOp,
  stopGradientOp,
  withSlopeOp,
  maxOp,
  kthLargestOp,
  gatherOp,
  scatterAddOp,
  maxPoolIndexOp,
  matmulOp,
  convOp,
  convInputOp,
  convWeightOp,
] as const;

export type ElementwiseName = (typeof ELEMENTWISE)[number]["name"];
export type OpName = (typeof OPS)[number]["name"];

type OpNamed<N extends OpName> = Extract<(typeof OPS)[number], { readonly name: N }>;
/** The attributes of the op called N. */
export type AttrsOf<N extends OpName> = OpNamed<N> extends Op<string, infer A> ? A : never;
