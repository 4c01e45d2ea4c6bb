import { describe, expect, it } from "vitest";
import { crossEntropy, grad, input, logSoftmax } from "../src/graph/index.ts";
import { evaluate } from "../src/runtime/index.ts";
import { float64 } from "../src/tensor/index.ts";

const x = input("x", [1, 3]);
const y = input("y", [1, 3]);
const SLOPES = grad(crossEntropy(x, y), [x]);
const LABEL = [0, 1, 0];

describe("logSoftmax", () => {
  it.each([
    ["one peak", [2, -1, 0.5]],
    ["two equal peaks", [1, 1, 0]],
    ["all equal", [0, 0, 0]],
    ["all equal and large", [1e4, 1e4, 1e4]],
    ["far apart", [300, -300, 0]],
  ])("%s: the slope of the cross-entropy is softmax − y", (_, logits) => {
    const top = Math.max(...logits);
    const whole = logits.reduce((sum, v) => sum + Math.exp(v - top), 0);
    const slope = evaluate({ d: SLOPES[0]! }, { x: float64([1, 3], logits), y: float64([1, 3], LABEL) }).d!;
    logits.forEach((v, i) => {
      expect(slope.data[i]).toBeCloseTo(Math.exp(v - top) / whole - LABEL[i]!, 12);
    });
  });

  it("keeps the loss of a confident prediction, which is far below the last bit of 1", () => {
    const logits = float64([1, 3], [60, 0, 0]);
    const { a } = evaluate({ a: logSoftmax(x) }, { x: logits });
    expect(a!.data[0]! / (-2 * Math.exp(-60))).toBeCloseTo(1, 9);
  });

  it("is not a number where a logit has overflowed", () => {
    const { a } = evaluate({ a: logSoftmax(x) }, { x: float64([1, 3], [Infinity, Infinity, 0]) });
    expect(Array.from(a!.data).some(Number.isNaN)).toBe(true);
  });
});
