/** All verbs that make one op's node. */
export { type Conv, type ConvOptions, conv, convInput, convWeight, matmul, swapLast } from "./contract.ts";
export {
  abs,
  add,
  cast,
  div,
  equal,
  erf,
  exp,
  floor,
  greater,
  greaterEqual,
  log,
  maximum,
  minimum,
  mul,
  neg,
  type Operand,
  pow,
  relu,
  sigmoid,
  sign,
  sqrt,
  sub,
  tanh,
  where,
} from "./elementwise.ts";
export { constant, constantOf, input, scalar } from "./leaf.ts";
export { gather, kthLargest, max, maxPool, type Pair, scatterAdd, type Window } from "./select.ts";
export { withSlope } from "./slope.ts";
export {
  broadcastTo,
  concat,
  narrow,
  ones,
  pad,
  reshape,
  slice,
  splatOf,
  stopGradient,
  sum,
  transpose,
  unslice,
  zeros,
} from "./structure.ts";
