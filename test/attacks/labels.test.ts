import { describe, expect, it } from "vitest";
import { inferLabels as infer, type LabelRule } from "../../src/attacks/index.ts";
import { labelLogits, mostProbable } from "../../src/attacks/labels/joint.ts";
import { chooseLabels } from "../../src/attacks/labels/strategy.ts";
import { constant, softmax } from "../../src/graph/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, type Tensor } from "../../src/tensor/index.ts";
import { key } from "../../src/util/index.ts";
import { mlpCase, observed, resNetCase } from "./tiny.ts";

/** A head gradient of width 2 whose row sums are `strengths`. */
const headOf = (...strengths: number[]) =>
  float32(
    [strengths.length, 2],
    strengths.flatMap((s) => [s + 1, -1]),
  );

/** The rule on a head's weight gradient alone. */
function inferLabels(weight: Tensor<"float32">, batchSize: number, rule: LabelRule = "paper"): readonly number[] {
  const global = { params: {}, buffers: {} };
  const evidence = { head: { weight: "w" }, update: { w: weight }, global, batchSize, classes: weight.shape[0]! };
  return infer(rule, evidence).labels;
}

describe("the rule of the paper", () => {
  it("takes the B classes of smallest row sum when B ≤ N", () => {
    expect(inferLabels(headOf(0.3, -0.5, 0.1, -0.2), 1)).toEqual([1]);
    expect(inferLabels(headOf(0.3, -0.5, 0.1, -0.2), 2)).toEqual([1, 3]);
    expect(inferLabels(headOf(0.3, -0.5, 0.1, -0.2), 4)).toEqual([0, 1, 2, 3]);
  });

  it("shares labels by strength when B > N", () => {
    // s − s_max = −0.75, −0.25, 0: shares of 8 are 6, 2, 0
    expect(inferLabels(headOf(-0.75, -0.25, 0), 8)).toEqual([0, 0, 0, 0, 0, 0, 1, 1]);
  });

  it("gives what rounding leaves to the strongest class, and takes what is too much from the weakest", () => {
    // shares of 5: 2.4, 1.3, 1.3, 0 → 2, 1, 1, 0 and one is missing
    expect(inferLabels(headOf(-2.4, -1.3, -1.3, 0), 5)).toEqual([0, 0, 0, 1, 2]);
    // 1.75, 1.625, 1.625, 0 → 2, 2, 2, 0 and one is too much: of the two weakest with labels, the later class loses it
    expect(inferLabels(headOf(-1.4, -1.3, -1.3, 0), 5)).toEqual([0, 0, 1, 1, 2]);
    // 2.5, 2.5, 0 both round up: the same again
    expect(inferLabels(headOf(-1, -1, 0), 5)).toEqual([0, 0, 0, 1, 1]);
  });

  it("always gives B labels", () => {
    for (let batch = 1; batch < 40; batch++) {
      const strengths = Array.from({ length: 7 }, (_, j) => Math.sin(batch * 7 + j * j));
      expect(inferLabels(headOf(...strengths), batch)).toHaveLength(batch);
    }
    expect(inferLabels(headOf(0.5, 0.5, 0.5), 4)).toEqual([0, 0, 1, 2]);
  });

  it("complains about a gradient that is not a matrix", () => {
    expect(() => inferLabels(float32([4], [1, 2, 3, 4]), 1)).toThrow(
      "gradient must be [N,D] with N = 4 classes; got [4]",
    );
  });
});

describe("inference from real updates", () => {
  it.each([[[3]], [[0, 4]], [[1, 2, 4]], [[0, 1, 2, 3, 4]]])(
    "is exact for distinct labels %j on an untrained net",
    async (labels) => {
      const batchNorm = labels.length > 1 ? [resNetCase(labels)] : []; // in train mode it needs two images
      for (const of of [mlpCase(labels), mlpCase(labels, { activation: "relu" }), ...batchNorm]) {
        const { update } = await observed(of);
        expect(inferLabels(update[of.model.head.weight]!, labels.length)).toEqual(labels);
      }
    },
  );

  it("is exact for B > N when all classes are equally probable and one is missing", async () => {
    const labels = [0, 0, 0, 0, 1, 1, 3, 4]; // no 2: its strength is the zero of the scale
    const of = mlpCase(labels);
    const zero = (name: string) =>
      float32(
        of.weights.params[name]!.shape,
        of.weights.params[name]!.data.map(() => 0),
      );
    const params = { ...of.weights.params, "net.6.weight": zero("net.6.weight"), "net.6.bias": zero("net.6.bias") };
    const { update } = await observed({ ...of, weights: { ...of.weights, params } });
    expect(inferLabels(update[of.model.head.weight]!, labels.length)).toEqual(labels);
  });

  it("cannot see repeated labels with B ≤ N: it names the absent classes instead", async () => {
    const of = mlpCase([1, 1, 1]);
    const { update } = await observed(of);
    const labels = inferLabels(update[of.model.head.weight]!, 3);
    expect(labels).toContain(1);
    expect(new Set(labels).size).toBe(3);
  });
});

describe("joint labels", () => {
  it("start at probability 0.99 of the inferred class", () => {
    const logits = labelLogits([2, 0], 4);
    const { p } = evaluate({ p: softmax(constant(logits)) });
    const expected = [1, 1, 297, 1, 297, 1, 1, 1].map((v) => v / 300);
    p!.data.forEach((v, i) => {
      expect(v).toBeCloseTo(expected[i]!, 6); // logits are rounded to float32
    });
    expect(mostProbable(logits)).toEqual([2, 0]);
  });
});

describe("chooseLabels", () => {
  const choose = async (labels: "joint" | "inferred", granted?: readonly ("batch-size" | "labels")[]) => {
    const of = mlpCase([4, 0]);
    const observation = await observed(of, granted);
    const settings = { labels, labelRule: "paper" } as const;
    const place = { mode: of.mode, key: key(1), device: "cpu", threads: 1 } as const;
    return chooseLabels({ model: of.model, observation, batchSize: 2, settings, ...place });
  };

  it("uses granted labels and says that the setting does not apply", async () => {
    const chosen = await choose("joint", ["batch-size", "labels"]);
    expect(chosen).toMatchObject({ how: "granted", labels: [0, 4] });
    expect(chosen.about).toContain("labels = joint does not apply");
  });

  it("infers them otherwise", async () => {
    expect((await choose("joint")).how).toBe("joint");
    expect(await choose("inferred")).toMatchObject({ how: "inferred", labels: [0, 4], rule: "paper" });
  });
});
