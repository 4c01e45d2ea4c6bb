import { describe, expect, test } from "vitest";
import { chain, type Defence, defineDefence, link } from "../../src/defences/index.ts";
import { clientGradientStep } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, uniform } from "../../src/util/index.ts";
import { flat, minus, norm, tinyStep } from "./tiny.ts";

const step = tinyStep();
const exact = { clip: 1e3, sigma: 1e-15 }; // clips nothing, adds nothing

/** A batch defence that keeps only the first image. */
const firstOnly: Defence = defineDefence({
  name: "first-only",
  about: "",
  source: "this test",
  claim: "",
  stage: "batch",
  settings: {},
  apply: ({ images, labels }) => ({
    images: { ...images, shape: [1, ...images.shape.slice(1)], data: images.data.slice(0, 16) },
    labels: labels.slice(0, 1),
  }),
});

describe("chain", () => {
  test("of nothing is the client's step; the same key gives the same, another key another", async () => {
    expect((await chain()(step, key(1))).update).toEqual((await clientGradientStep(step)).update);
    const noisy = chain(link("gaussian-dp"));
    const [one, again, other] = [await noisy(step, key(1)), await noisy(step, key(1)), await noisy(step, key(2))];
    expect(again).toEqual(one);
    expect(flat(other.update)).not.toEqual(flat(one.update));
  });

  test("applies in the order that is named", async () => {
    const [sparsify, sign] = [link("sparsify", { percent: 50 }), link("sign")];
    const before = flat((await chain(sparsify, sign)(step, key(1))).update);
    const after = flat((await chain(sign, sparsify)(step, key(1))).update);
    expect(before).not.toEqual(after);
  });

  test("gives the same defence named twice different noise", async () => {
    const noise = link("gaussian-dp", { clip: 1e9, sigma: 1e-9 });
    const plain = (await clientGradientStep(step)).update;
    const once = minus((await chain(noise)(step, key(1))).update, plain);
    const twice = minus((await chain(noise, noise)(step, key(1))).update, plain);
    expect(norm(twice) / norm(once)).toBeLessThan(1.7); // 2 if both drew the same, √2 if not
  });

  test("leads a batch defence before the gradient", async () => {
    const sent = await chain({ defence: firstOnly, settings: {} })(step, key(1));
    const alone = await clientGradientStep({
      ...step,
      images: float32([1, 1, 4, 4], step.images.data.slice(0, 16)),
      labels: step.labels.slice(0, 1),
    });
    expect(sent.update).toEqual(alone.update);
  });

  test("says how the update was defended, with the noise that follows from the settings", async () => {
    const sent = await chain(link("gaussian-dp", { epsilon: 0.5 }), link("sparsify"))(step, key(1));
    expect(sent.defences?.map(({ name }) => name)).toEqual(["gaussian-dp", "sparsify"]);
    expect(sent.defences?.[0]?.settings.sigma).toBeCloseTo(9.6896, 3); // sqrt(2 ln 125000) / 0.5
    expect(sent.defences?.[1]?.settings).toEqual({ percent: 80 });
    expect(await chain()(step, key(1))).not.toHaveProperty("defences");
  });

  test("refuses a defence that stands after one of a later stage", () => {
    expect(() => chain(link("sparsify"), link("dp-sgd"))).toThrow(/dp-sgd changes the gradient.*before sparsify/);
    expect(() => chain(link("sparsify"), { defence: firstOnly, settings: {} })).toThrow(/Name first-only first/);
  });
});

describe("dp-sgd", () => {
  test("without noise and clipping it is the client's gradient", async () => {
    const sent = await chain(link("dp-sgd", exact))(step, key(1));
    const plain = await clientGradientStep(step);
    expect(norm(minus(sent.update, plain.update)) / norm(flat(plain.update))).toBeLessThan(1e-5); // float32
    expect([sent.batchSize, sent.labels]).toEqual([4, plain.labels]);
    expect(sent.loss).toBeCloseTo(plain.loss, 5);
  });

  test("clips each image by itself: the mean of B clipped gradients, not the clipped mean", async () => {
    const clip = 0.05; // below the length of every image's gradient here
    const sent = await chain(link("dp-sgd", { clip, sigma: 1e-12 }))(step, key(1));
    const sum = flat((await clientGradientStep(step)).update).map(() => 0);
    for (let b = 0; b < 4; b++) {
      const images = float32([1, 1, 4, 4], step.images.data.slice(16 * b, 16 * (b + 1)));
      const own = flat((await clientGradientStep({ ...step, images, labels: [step.labels[b]!] })).update);
      expect(norm(own)).toBeGreaterThan(clip);
      own.forEach((value, i) => {
        sum[i]! += (value * clip) / norm(own) / 4;
      });
    }
    const difference = flat(sent.update).map((value, i) => value - sum[i]!);
    expect(norm(difference) / norm(sum)).toBeLessThan(1e-5); // float32
    expect(norm(flat(sent.update))).toBeLessThanOrEqual(clip * (1 + 1e-6));
  });

  test("no image moves the sum by more than clip, whichever is left away", async () => {
    const clip = 0.2;
    const sumOf = async (kept: readonly number[]) => {
      const images = float32(
        [kept.length, 1, 4, 4],
        kept.flatMap((b) => [...step.images.data.slice(16 * b, 16 * (b + 1))]),
      );
      const part = { ...step, images, labels: kept.map((b) => step.labels[b]!) };
      const { update } = await chain(link("dp-sgd", { clip, sigma: 1e-12 }))(part, key(1));
      return flat(update).map((value) => value * kept.length);
    };
    const all = await sumOf([0, 1, 2, 3]);
    for (const left of [0, 1, 2, 3]) {
      const others = await sumOf([0, 1, 2, 3].filter((b) => b !== left));
      const moved = norm(all.map((value, i) => value - others[i]!));
      expect(moved).toBeLessThanOrEqual(clip * (1 + 1e-5)); // float32
      expect(moved).toBeGreaterThan(clip * 0.99); // and the bound is reached: each of these is longer
    }
  });

  test("adds noise of deviation sigma × clip / B", async () => {
    const quiet = await chain(link("dp-sgd", { clip: 2, sigma: 1e-12 }))(step, key(1));
    const noisy = await chain(link("dp-sgd", { clip: 2, sigma: 3 }))(step, key(1));
    const noise = minus(noisy.update, quiet.update);
    const deviation = norm(noise) / Math.sqrt(noise.length);
    expect(Math.abs(deviation / ((2 * 3) / 4) - 1)).toBeLessThan(0.2); // about 230 draws: a standard error of 5 %
  });

  test("takes its noise from the accountant: each of epsilon, delta, rounds and rate acts", async () => {
    const noisy = async (settings: Record<string, number>) =>
      norm(flat((await chain(link("dp-sgd", settings))(step, key(1))).update));
    const usual = await noisy({ rounds: 100, rate: 0.1 });
    expect(await noisy({ rounds: 100, rate: 0.1, epsilon: 1 })).toBeGreaterThan(usual);
    expect(await noisy({ rounds: 100, rate: 0.1, delta: 1e-3 })).toBeLessThan(usual);
    expect(await noisy({ rounds: 1000, rate: 0.1 })).toBeGreaterThan(usual);
    expect(await noisy({ rounds: 100, rate: 0.2 })).toBeGreaterThan(usual);
  });

  test("refuses BatchNorm in train mode, and takes it in eval mode", async () => {
    const model = buildModel("resnet10", { inputShape: [1, 8, 8], classes: 3, width: 2 });
    const normed = {
      ...step,
      model,
      weights: initialise(model, key(1)),
      images: float32([2, 1, 8, 8], uniform(key(1), 128)),
      labels: [0, 2],
    };
    const defended = chain(link("dp-sgd", exact));
    await expect(defended(normed, key(1))).rejects.toThrow(/resnet10 with BatchNorm in train mode.*--bn-mode eval/);
    const sent = await defended({ ...normed, mode: "eval" }, key(1));
    const plain = await clientGradientStep({ ...normed, mode: "eval" });
    expect(norm(minus(sent.update, plain.update)) / norm(flat(plain.update))).toBeLessThan(1e-5); // float32
  });
});

describe("bad input", () => {
  test("is told with what must hold and what to do", () => {
    expect(() => link("dp-sdg")).toThrow(/Did you mean "dp-sgd"/);
    expect(() => link("dp-sgd", { epsilom: 1 })).toThrow(/Did you mean "epsilon"/);
    expect(() => link("dp-sgd", { epsilon: 0 })).toThrow(/dp-sgd epsilon: it must be a number above 0; got 0/);
    expect(() => link("dp-sgd", { epsilon: "-1" })).toThrow(/got "-1"/);
    expect(() => link("dp-sgd", { delta: 1 })).toThrow(/a number above 0 and below 1/);
    expect(() => link("gaussian-dp", { delta: 0 })).toThrow(/above 0 and below 1/);
    expect(() => link("gaussian-dp", { clip: 0 })).toThrow(/clip: it must be a number above 0/);
    expect(() => link("gaussian-dp", { epsilon: 1 })).toThrow(/classical bound.*below 1/);
    expect(() => link("sparsify", { percent: 101 })).toThrow(/of at least 0 and of at most 100; got 101/);
    expect(() => link("quantise", { bits: 2.5 })).toThrow(/a whole number/);
    expect(() => link("sign", { scale: "two" })).toThrow(/one of mean, one/);
    expect(() => link("quantise", { bits: "" })).toThrow(/got ""/);
  });

  test("texts are read as numbers", () => {
    expect(link("quantise", { bits: "3" }).settings.bits).toBe(3);
    expect(link("gaussian-dp", { epsilon: 2, sigma: 1 }).settings.epsilon).toBe(2); // idle: sigma is given
  });
});
