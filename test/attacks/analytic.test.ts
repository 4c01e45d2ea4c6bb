import { describe, expect, it } from "vitest";
import { firstLinear, layersOf } from "../../src/attacks/analytic/layers.ts";
import { leastSquares } from "../../src/attacks/analytic/least-squares.ts";
import { CLOSED_FORMS, whyNot } from "../../src/attacks/index.ts";
import { embeddedImages, takeBatch } from "../../src/data/index.ts";
import type { Capability } from "../../src/fl/index.ts";
import { add, avgPool, maxPool, mul, type Node, reshape } from "../../src/graph/index.ts";
import { floors, scoreReconstruction } from "../../src/metrics/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { convLayer, defineModel, initialise, linearLayer, type Scope } from "../../src/nn/index.ts";
import { key } from "../../src/util/index.ts";
import { attackOn, type Case, differing, observed, scrambled } from "./tiny.ts";

const PHOTOS = await embeddedImages({ size: 32 });
const SMALL_PHOTOS = await embeddedImages({ size: 16 });

/** A client with photographs `indices`; weights from seed 11 as the other attack tests. */
function photoCase(
  model: string,
  options: Readonly<Record<string, unknown>>,
  indices: readonly number[],
  photos = PHOTOS,
): Case {
  const { images, labels } = takeBatch(photos, indices);
  const built = buildModel(model, { inputShape: images.shape.slice(1), classes: 8, ...options });
  return { model: built, weights: initialise(built, key(11)), images, labels, mode: "eval" };
}

/** One step of a closed form: decibels per private image, labels in the order of the private images, and the rest. */
async function solved(of: Case, method: string, granted: readonly Capability[] = ["batch-size"], spoil = false) {
  const seen = await observed(of, granted);
  const run = await attackOn(of, method, {}, { observation: spoil ? scrambled(seen) : seen });
  try {
    const { state, ...step } = await run.step(run.initial);
    const images = await run.reconstruct(state);
    const { pairs } = scoreReconstruction(of.images, images);
    const labels = run.inferredLabels(state);
    return {
      run,
      state,
      step,
      images,
      solution: run.solution!(state),
      psnrDb: pairs.oneToOne.map((pair) => pair.psnrDb),
      labels: pairs.oneToOne.map((pair) => labels[pair.reconstructionIndex]!),
    };
  } finally {
    await run.release();
  }
}

describe("linear-leak, one image", () => {
  it.each(["relu", "sigmoid", "leaky-relu"])("%s: exact but for float32's rounding", async (activation) => {
    const of = photoCase("mlp3", { hidden: 64, activation }, [2]);
    const { psnrDb, labels, solution, step, state, run } = await solved(of, "linear-leak");
    expect(psnrDb[0]).toBeGreaterThan(90); // gradients are exact to 1e-7, the scale ends at 100
    expect(labels).toEqual(of.labels);
    expect(solution).toMatchObject({ complete: true, about: "1 of 1: the ratio of weight and bias gradients" });
    expect(solution.relativeResidual).toBeLessThan(1e-4); // rounding
    expect(step.cosine).toBeGreaterThan(0.9999);
    expect([state.iteration, state.evaluations, run.finished(state), run.finished(run.initial)]).toEqual([
      ...[1, 1, true, false],
    ]);
  });

  it("finds only noise in noise, and can know it", async () => {
    const of = photoCase("mlp3", { hidden: 64 }, [2]);
    const { psnrDb, step, solution } = await solved(of, "linear-leak", ["batch-size"], true);
    expect(solution.relativeResidual).toBeGreaterThan(0.5); // no outer product
    expect(psnrDb[0]).toBeLessThanOrEqual(floors(of.images).flatGrey.psnrDb);
    expect(Math.abs(step.cosine)).toBeLessThan(0.5);
  });
});

describe("linear-leak, several images", () => {
  const of = photoCase("mlp3", { hidden: 512 }, [6, 1, 4, 3]);

  it("gives the images for which some ReLU fires alone, with their labels", async () => {
    const { psnrDb, labels, solution, images } = await solved(of, "linear-leak");
    expect(psnrDb.filter((db) => db > 60).length).toBeGreaterThanOrEqual(2);
    expect(images.shape).toEqual(of.images.shape);
    expect(solution.about).toMatch(/^\d of 4 on which several units of the first layer agree/);
    if (solution.complete) expect(labels).toEqual(of.labels);
  });

  it("tells every label of a batch it knows whole, repeated ones too", async () => {
    const { images } = takeBatch(SMALL_PHOTOS, [0, 1, 2]);
    const few = { ...photoCase("mlp3", { hidden: 512 }, [0, 1, 2], SMALL_PHOTOS), images, labels: [5, 2, 5] };
    const { solution, labels, step } = await solved(few, "linear-leak");
    expect(solution.complete).toBe(true); // of this batch and these weights
    expect(labels).toEqual([5, 2, 5]);
    expect(step.cosine).toBeGreaterThan(0.9999);
  });

  it("counts only images that units agree on: what one unit alone tells is a mixture", async () => {
    const narrow = photoCase("mlp3", { hidden: 24 }, [0, 1, 2, 3, 4, 5], SMALL_PHOTOS);
    const { psnrDb, solution } = await solved(narrow, "linear-leak");
    const sure = Number(/^(\d) of 6/.exec(solution.about)![1]);
    expect(solution.complete).toBe(false);
    expect(psnrDb.filter((db) => db > 60).length).toBeGreaterThanOrEqual(sure);
    expect(psnrDb.filter((db) => db < 30).length).toBeGreaterThan(0); // some place is filled with something else
  });

  it("finds no image in noise: all stay grey", async () => {
    const { psnrDb, solution } = await solved(of, "linear-leak", ["batch-size"], true);
    const grey = floors(of.images).flatGrey.psnrDb;
    expect(psnrDb.reduce((sum, db) => sum + db, 0) / 4).toBeCloseTo(grey, 6);
    expect(solution).toMatchObject({ complete: false, about: expect.stringContaining("0 of 4 on which") });
  });
});

describe("r-gap", () => {
  it.each([
    ["convnet", {}, PHOTOS],
    ["convnet", { activation: "sigmoid" }, SMALL_PHOTOS],
    ["convnet", { activation: "relu", width: 32 }, SMALL_PHOTOS],
    ["lenet-sigmoid", {}, SMALL_PHOTOS],
    ["mlp3", { hidden: 32, activation: "tanh" }, SMALL_PHOTOS],
  ] as const)("%s %j: the image and its label", async (model, options, photos) => {
    const of = photoCase(model, options, [5], photos);
    const { psnrDb, labels, solution, step } = await solved(of, "r-gap");
    expect(psnrDb[0]).toBeGreaterThan(45);
    expect(labels).toEqual(of.labels);
    expect(solution.complete).toBe(true);
    expect(solution.relativeResidual).toBeLessThan(1e-3); // a tenth of what a proof allows
    expect(step.cosine).toBeGreaterThan(0.999);
  });

  it("says so where half of the equations fall to ReLU's zeros and too few are left", async () => {
    const of = photoCase("convnet", { activation: "relu", width: 9 }, [5], SMALL_PHOTOS);
    const { solution } = await solved(of, "r-gap");
    expect(solution.complete).toBe(false);
    expect(solution.about).toMatch(
      /^one of many images that fit: .*; fewest for conv1\.weight: \d+ equations, 768 unknowns/,
    );
  });

  it("finds nothing in noise, and can know it", async () => {
    const of = photoCase("convnet", { width: 16 }, [5], SMALL_PHOTOS);
    const { psnrDb, step, solution } = await solved(of, "r-gap", ["batch-size"], true);
    expect(solution.relativeResidual).toBeGreaterThan(0.1);
    expect(psnrDb[0]).toBeLessThanOrEqual(floors(of.images).flatGrey.psnrDb);
    expect(step.cosine).toBeLessThan(0.9);
  });
});

describe("a closed form as a run", () => {
  const of = photoCase("mlp3", { hidden: 16 }, [2], SMALL_PHOTOS);

  it("keeps all it found in its state", async () => {
    const { state, images } = await solved(of, "linear-leak");
    const again = await attackOn(of, "linear-leak");
    const stored = { ...state, tensors: structuredClone(state.tensors) };
    expect(differing({ x: await again.reconstruct(stored) }, { x: images })).toEqual([]);
    expect(again.solution!(stored).complete).toBe(true);
    expect(again.inferredLabels(stored)).toEqual(of.labels);
    const probe = await again.probe(stored);
    expect(probe.cosine).toBeGreaterThan(0.9999);
    expect(Object.keys(again.program(stored).feeds)).toEqual(["images", "labels"]);
    await again.release();
  });

  it("is grey and incomplete before its step", async () => {
    const run = await attackOn(of, "linear-leak");
    expect(new Set((await run.reconstruct(run.initial)).data)).toEqual(new Set([0.5]));
    expect(run.solution!(run.initial)).toMatchObject({ complete: false, about: "not solved yet" });
    await run.release();
  });

  it("works with granted labels", async () => {
    const { labels, run } = await solved(of, "linear-leak", ["batch-size", "labels"]);
    expect(labels).toEqual(of.labels);
    expect(run.ledger.labels).toBe("true labels (granted)");
  });
});

describe("where no closed form applies", () => {
  const shape = { inputShape: [3, 16, 16], classes: 8 } as const;
  const network = (features: (net: Scope, x: Node) => Node) =>
    defineModel({ ...shape, name: "net", options: {}, head: "fc", features });
  const HALF = { kernel: [2, 2], stride: [2, 2], padding: [0, 0] } as const;
  const flat = (x: Node) => reshape(x, [x.shape[0]!, -1]);
  const conv = (net: Scope, name: string, x: Node) =>
    convLayer(net.at(name), x, { channels: 3, kernel: 3, padding: 1 });

  it.each([
    [
      "linear-leak",
      "resnet10",
      () => buildModel("resnet10", shape),
      1,
      "does not go straight into a linear layer in resnet10",
    ],
    [
      "linear-leak",
      "a scaling",
      () => network((_, x) => flat(mul(x, 2))),
      1,
      "does not go straight into a linear layer",
    ],
    [
      ...(["linear-leak", "sigmoids", () => buildModel("mlp3", { ...shape, activation: "sigmoid" }), 4] as const),
      "each unit of the first layer mixes all 4 images of the batch: only a ReLU is silent for some of them",
    ],
    ["r-gap", "resnet10", () => buildModel("resnet10", shape), 1, "resnet10 has BatchNorm: it is no plain sequence"],
    ["r-gap", "a batch", () => buildModel("convnet", shape), 4, "it solves for one image, and the batch has 4"],
    [
      "r-gap",
      "few channels",
      () => buildModel("convnet", { ...shape, width: 1 }),
      1,
      "conv1.weight gives 91 equations for",
    ],
    [
      "r-gap",
      "max-pooling",
      () => network((net, x) => flat(maxPool(conv(net, "a", x), HALF))),
      1,
      "net has max-pooling",
    ],
    ["r-gap", "pooling", () => network((net, x) => flat(avgPool(conv(net, "a", x), [2, 2]))), 1, "net has pooling"],
    ["r-gap", "a sum", () => network((net, x) => flat(add(x, conv(net, "a", x)))), 1, "net has a skip connection"],
  ] as const)("%s, %s: it says why", (method, _, model, batchSize, reason) => {
    expect(whyNot(method, model(), { batchSize })).toContain(reason);
  });

  it("and asking for it all the same is an error with that reason", async () => {
    const of = photoCase("resnet10", { width: 2 }, [0, 1], SMALL_PHOTOS);
    for (const method of CLOSED_FORMS) {
      const reason = whyNot(method, of.model, { batchSize: 2 })!;
      await expect(attackOn(of, method)).rejects.toThrow(`got ${reason}. Use --attack auto`);
    }
  });

  it("reads a network back from its graph, whatever order its sums are in", () => {
    const model = network((net, x) => linearLayer(net.at("b"), flat(conv(net, "a", x)), 4));
    expect(layersOf(model)).toMatchObject({
      layers: [
        { kind: "conv", weight: "a.weight", bias: "a.bias", from: [3, 16, 16], to: [3, 16, 16] },
        { kind: "linear", weight: "b.weight", bias: "b.bias" },
        { kind: "linear", weight: "fc.weight", bias: "fc.bias" },
      ],
    });
    const names = { weight: "net.0.weight", bias: "net.0.bias" };
    expect(firstLinear(buildModel("mlp3", shape))).toEqual({ ...names, sparse: true });
    expect(firstLinear(buildModel("mlp3", { ...shape, activation: "tanh" }))).toEqual({ ...names, sparse: false });
  });
});

describe("least squares", () => {
  /** Rows of a dense matrix. */
  const rowsOf = (matrix: readonly (readonly number[])[]) => ({
    width: matrix[0]!.length,
    start: Int32Array.from([...matrix.keys(), matrix.length], (i) => i * matrix[0]!.length),
    columns: Int32Array.from(matrix.flatMap((row) => [...row.keys()])),
    values: Float64Array.from(matrix.flat()),
  });
  const options = { tolerance: 1e-12, most: 100 };
  const solve = (matrix: readonly (readonly number[])[], b: readonly number[], from: readonly number[]) =>
    leastSquares(rowsOf(matrix), Float64Array.from(b), Float64Array.from(from), options);

  it("fits a line through points that lie beside it", () => {
    // normal equations by hand: [[3, 3], [3, 5]]·x = [7, 10] → x = (5/6, 3/2)
    const { x, relativeResidual } = solve([[1, 0], [1, 1], [1, 2]], [1, 2, 4], [0, 0]); // biome-ignore format: a matrix
    expect(x[0]).toBeCloseTo(5 / 6, 9);
    expect(x[1]).toBeCloseTo(3 / 2, 9);
    expect(relativeResidual).toBeCloseTo(Math.sqrt(1 / 6 / 21), 9);
  });

  it("stays nearest to where it came from when equations are too few", () => {
    const { x, relativeResidual } = solve([[1, 1, 0]], [2], [0.5, 0.5, 0.5]);
    expect([...x]).toEqual([expect.closeTo(1, 9), expect.closeTo(1, 9), 0.5]);
    expect(relativeResidual).toBeLessThan(1e-9);
  });

  it("has nothing to do at the solution", () => {
    expect(solve([[2, 0], [0, 3]], [2, 6], [1, 2])).toMatchObject({ iterations: 0, relativeResidual: 0 }); // biome-ignore format: a matrix
  });
});
