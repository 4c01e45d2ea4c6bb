import { describe, expect, test } from "vitest";
import { type Evaluator, verifyGolden } from "../../src/audit/verify-golden.ts";
import { neg } from "../../src/graph/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { readGolden } from "../golden.ts";
import { sharedPath } from "../shared.ts";

const absent = sharedPath("golden") === undefined;
if (absent) console.warn("skipped: ../shared/golden is absent, so PyTorch's numbers are too");

const GOLDEN_TOLERANCE = 1e-6; // the files hold float32: 6e-8 relative an element, and the parts of a loss add up
const reference: Evaluator = (outputs, feeds) => evaluate(outputs, feeds);

describe.skipIf(absent)("PyTorch's numbers", () => {
  test.each([
    ["mlp3", 58186],
    ["lenet-sigmoid", 15826],
    ["resnet10-train", 78002],
    ["resnet10-eval", 78002],
    ["resnet10-sigmoid", 77858],
    ["resnet18-tv-train", 177167],
    ["resnet18-tv-eval", 177167],
    ["densenet-tv-eval", 13176],
    ["densenet-tv-train", 13176],
    ["mobilenet_v2-tv-train", 244517],
    ["vit-tv", 24234],
  ])("%s: logits, loss, gradients, distance and its second-order gradient", async (name, parameters) => {
    const { tensors, metadata } = readGolden(name)!;
    const errors = await verifyGolden(tensors, metadata, reference);
    expect(errors).toMatchObject({ model: name, mode: metadata.mode, parameters });
    expect(String(parameters)).toBe(metadata.parameters);
    const { each, ...summary } = errors;
    expect(Object.keys(each).sort()).toEqual(comparable(Object.keys(tensors)));
    for (const part of ["logits", "loss", "gradients", "distance", "dx"] as const) {
      expect(summary[part], part).toBeLessThan(GOLDEN_TOLERANCE);
    }
  });

  test("a flipped sign, a missing number and the wrong BatchNorm mode show", async () => {
    const { tensors, metadata } = readGolden("mlp3")!;
    const flipped: Evaluator = (outputs, feeds) =>
      evaluate({ ...outputs, "dist.dx": neg(outputs["dist.dx"]!), loss: neg(outputs.loss!) }, feeds);
    expect(await verifyGolden(tensors, metadata, flipped)).toMatchObject({
      loss: expect.closeTo(2, 5),
      dx: expect.closeTo(2, 5),
    });

    const broken: Evaluator = (outputs, feeds) => {
      const results = evaluate(outputs, feeds);
      results["grad.net.0.bias"]!.data[3] = Number.NaN;
      return results;
    };
    expect((await verifyGolden(tensors, metadata, broken)).gradients).toBe(Number.POSITIVE_INFINITY);

    const resnet = readGolden("resnet18-tv-eval")!;
    const trained = await verifyGolden(resnet.tensors, { ...resnet.metadata, mode: "train" }, reference);
    expect(trained.logits).toBeGreaterThan(0.01);
  });

  test("what cannot be verified is said clearly", async () => {
    const verify = async (tensors: object, metadata: object) =>
      verifyGolden(tensors as never, metadata as never, reference);
    const { tensors, metadata } = readGolden("mlp3")!;
    await expect(verify({}, { model: "efficientnet-b0" })).rejects.toThrow(
      /^verify: the golden file's model must be one of mlp3, .*; got "efficientnet-b0"\. This program has no such model/,
    );
    await expect(verify(tensors, { ...metadata, mode: "both" })).rejects.toThrow(
      'verify: the golden file\'s metadata must say mode "train" or "eval"; got "both".',
    );
    const { "grad.net.2.weight": _, ...rest } = tensors;
    await expect(verify(rest, metadata)).rejects.toThrow(
      'verify: the golden file must hold "grad.net.2.weight"; got none.',
    );
    const wrong = { ...tensors, "param.net.2.bias": tensors["param.net.6.bias"] };
    await expect(verify(wrong, metadata)).rejects.toThrow(
      'verify: "param.net.2.bias" of mlp3 must have the shape [64]; got [10].',
    );
  });
});

/** The names of a golden file's tensors that are results, not inputs. */
function comparable(names: readonly string[]): string[] {
  return names.filter((name) => !/^(param\.|buffer\.|x$|y$|dummy\.x$)/.test(name)).sort();
}
