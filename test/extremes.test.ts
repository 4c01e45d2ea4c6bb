import { expect, test } from "vitest";
import {
  crossEntropy,
  gelu,
  grad,
  input,
  logSoftmax,
  logSumExp,
  type Node,
  sigmoid,
  silu,
  softmax,
  softplus,
  sum,
  tanh,
} from "../src/graph/index.ts";
import { compile, evaluate } from "../src/runtime/index.ts";
import { float32 } from "../src/tensor/index.ts";

const EXTREMES = float32([2, 4], [-1e4, 1e4, 0, 88, -104, 3e-30, 1e4, 1e4]);
const FAR = float32([2, 4], [1e30, -1e30, 3e19, -3e19, 2e19, 1e10, -1e10, 1]); // squares are infinite

const stable: Record<string, (x: Node) => Node> = {
  sigmoid,
  tanh,
  gelu,
  silu,
  softplus,
  softmax: (x) => softmax(x),
  logSoftmax: (x) => logSoftmax(x),
  logSumExp: (x) => logSumExp(x),
  crossEntropy: (x) => crossEntropy(x, softmax(x)),
};

const CASES = [...Object.keys(stable).map((name) => [name, EXTREMES] as const), ["gelu", FAR] as const];

test.each(CASES)("%s and its first two derivatives stay finite at extremes", async (name, extremes) => {
  const x = input("x", extremes.shape);
  const y = sum(stable[name]!(x));
  const [first] = grad(y, [x]);
  const [second] = grad(sum(first!), [x]);
  const outputs = { y, first: first!, second: second! };
  const program = await compile(outputs);
  const fast = await program.run({ x: extremes });
  const reference = evaluate(outputs, { x: extremes });
  for (const values of [...Object.values(fast), ...Object.values(reference)]) {
    expect([...values.data].every(Number.isFinite)).toBe(true);
  }
});
