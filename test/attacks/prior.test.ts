import { describe, expect, test } from "vitest";
import {
  advance,
  checkPrior,
  completeSettings,
  findAttack,
  type Prior,
  prepareAttack,
  type SettingValue,
} from "../../src/attacks/index.ts";
import { type Capability, clientGradientStep, observe } from "../../src/fl/index.ts";
import {
  add,
  constantOf,
  input,
  matmul,
  mul,
  type Node,
  reshape,
  resizeBicubic,
  sigmoid,
} from "../../src/graph/index.ts";
import { evaluate } from "../../src/runtime/index.ts";
import { float32, type Tensor } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { mlpCase } from "./tiny.ts";

const [LATENT, PIXELS] = [4, 64];

/** A decoder that can be checked by hand: x = σ(M·z), M [L, 64] drawn once. */
const prior: Prior = {
  name: "test",
  about: "a decoder of the test",
  latent: LATENT,
  limit: 3,
  classes: 0,
  imageShape: [1, 8, 8],
  decode: (z) => sigmoid(reshape(matmul(z, input("prior.m", [LATENT, PIXELS])), [z.shape[0]!, 1, 8, 8])),
  restore: (images) => add(mul(images, 0), 0.25),
  tensors: { "prior.m": float32([LATENT, PIXELS], normal(key(8), LATENT * PIXELS)) },
};

/** A grey level for each of five classes. */
const shades = constantOf([5, 1], [0.2, 0.4, 0.6, 0.8, 1]);

const constantly = (node: Node, feeds: Parameters<typeof evaluate>[1]) => {
  const { shape, data } = evaluate({ node }, feeds).node!;
  return float32(shape, data);
};

/** The attack's images after its iterations, for a private batch of one. */
async function attacked(
  name: string,
  images: Tensor<"float32">,
  {
    settings = {},
    noise = 0,
    ...more
  }: { settings?: Readonly<Record<string, SettingValue>>; noise?: number; prior?: Prior; grants?: Capability[] } = {},
) {
  const { model, weights } = mlpCase([2]);
  const sent = await clientGradientStep({ model, weights, images, labels: [2], mode: "eval" });
  const update = Object.fromEntries(
    Object.entries(sent.update).map(([tensor, t]) => {
      const draws = normal(key(3), t.data.length);
      return [
        tensor,
        float32(
          t.shape,
          t.data.map((v, i) => v + noise * draws[i]!),
        ),
      ];
    }),
  );
  const attack = findAttack(name);
  const complete = completeSettings(attack, settings);
  const run = await prepareAttack({
    model,
    observation: observe({ ...sent, update }, more.grants ?? ["batch-size", "labels", "public-data"]),
    attack,
    settings: complete,
    key: key(1),
    threads: 1,
    ...(more.prior && { prior: more.prior }),
  });
  const last = await advance(run, run.initial, complete.iterations);
  const found = await run.reconstruct(last!.state);
  await run.release();
  return found;
}

const psnr = (a: Tensor<"float32">, b: Tensor<"float32">) =>
  -10 * Math.log10(a.data.reduce((sum, v, i) => sum + (v - b.data[i]!) ** 2, 0) / a.data.length);

/** An image that the decoder can make. */
const makeable = constantly(prior.decode(input("z", [1, LATENT])), {
  z: float32([1, LATENT], [0.8, -1.2, 0.3, 1.5]),
  ...prior.tensors,
});

describe("latent codes", () => {
  const adam = { optimiser: "adam", learningRate: 0.1, iterations: 150 };
  const search = { iterations: 150, population: 12 };

  // 4 numbers are sought: both find them up to what float32 gradients tell; a wrong code gives about 8 dB here.
  test.each([
    ["Adam", adam],
    ["CMA-ES", search],
  ] as const)("%s finds the code of an image the decoder can make", async (_, settings) => {
    expect(psnr(makeable, await attacked("ggl", makeable, { settings, prior }))).toBeGreaterThan(25);
  });

  test("control: an update drowned in noise gives another image", async () => {
    expect(psnr(makeable, await attacked("ggl", makeable, { settings: adam, prior, noise: 1 }))).toBeLessThan(15);
  });

  test("a class-conditional decoder is told the granted label", async () => {
    const told: Prior = {
      ...prior,
      classes: 5,
      decode: (z, labels) => add(mul(prior.decode(z), 0), reshape(matmul(labels!, shades), [z.shape[0]!, 1, 1, 1])),
    };
    const found = await attacked("ggl", makeable, { settings: { ...adam, iterations: 1 }, prior: told });
    for (const v of found.data) expect(v).toBeCloseTo(0.6, 6); // label 2 of five shades
  });

  test("without a prior the error says how to get one", async () => {
    await expect(attacked("ggl", makeable, { settings: adam })).rejects.toThrow(
      /parameterisation latent: it needs a prior.*; got none\. Train one with fedleak train-prior/,
    );
  });
});

describe("small images", () => {
  const smooth = constantly(resizeBicubic(input("x", [1, 1, 2, 2]), [8, 8]), {
    x: float32([1, 1, 2, 2], [0.2, 0.7, 0.5, 0.4]),
  });
  const settings = { restore: false, learningRate: 0.05, iterations: 150 };

  test("an image that is an enlargement is found", async () => {
    expect(psnr(smooth, await attacked("rog", smooth, { settings }))).toBeGreaterThan(25);
  });

  test("control: an image full of detail cannot be, whatever the update says", async () => {
    const detailed = float32(
      [1, 1, 8, 8],
      Array.from({ length: 64 }, (_, i) => (i + Math.floor(i / 8)) % 2),
    );
    expect(psnr(detailed, await attacked("rog", detailed, { settings }))).toBeLessThan(10);
  });

  test("the prior's restorer has the last word, and is needed where it is asked for", async () => {
    const found = await attacked("rog", smooth, { settings: { ...settings, restore: true, iterations: 1 }, prior });
    expect(Array.from(found.data)).toEqual(new Array(64).fill(0.25));
    const { restore: _, ...decoderOnly } = prior;
    const asked = { settings: { ...settings, restore: true } };
    await expect(attacked("rog", smooth, { ...asked, prior: decoderOnly })).rejects.toThrow(
      /must have a restorer; got prior test, a decoder only/,
    );
    await expect(attacked("rog", smooth, asked)).rejects.toThrow(/attack setting restore: it needs a prior/);
  });
});

describe("a prior is refused", () => {
  const fits = { granted: ["batch-size", "public-data"] as Capability[], inputShape: [1, 8, 8], classes: 5 };
  test("unless public data is granted and images and classes are the model's", () => {
    expect(() => checkPrior(prior, fits)).not.toThrow();
    expect(() => checkPrior({ ...prior, classes: 5 }, fits)).not.toThrow();
    expect(() => checkPrior(prior, { ...fits, granted: ["batch-size"] })).toThrow(
      /grant "public-data".*; got batch-size/,
    );
    expect(() => checkPrior(prior, { ...fits, inputShape: [3, 8, 8] })).toThrow(
      /those of the attacked model, \[3,8,8\]; got \[1,8,8\]/,
    );
    expect(() => checkPrior({ ...prior, classes: 10 }, fits)).toThrow(/must have the 5 classes .*; got 10/);
  });
});
