import { describe, expect, it } from "vitest";
import { type CheckReport, checkFolder } from "../../src/audit/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, normal, split } from "../../src/util/index.ts";
import { CLASSIFIER, classifierFile } from "../onnx/classifier.ts";
import { type Made, make, THREADS, write } from "./captured-fixture.ts";

const CONVNET = { name: "convnet", options: { inputShape: [1, 8, 8], width: 4 } } as const;
const BATCHNORM = { onnx: classifierFile() } as const; // with max-pooling

const check = (made: Made, changes: object = {}) => checkFolder(write(made, changes), THREADS);
const broken = ({ findings }: CheckReport) =>
  findings.filter(({ level }) => level === "broken").map(({ test }) => test);
const passed = ({ findings }: CheckReport) =>
  findings.filter(({ level }) => level === "passed").map(({ test }) => test);

/** The update of a client, with weights that were handed out to another. */
function ofAnotherRound(made: Made): Made {
  const params = Object.fromEntries(
    Object.entries(made.weights.params).map(([name, t]) => {
      const moves = normal(split(key(99), name), t.data.length);
      return [name, { ...t, data: t.data.map((v, i) => v + 0.1 * moves[i]!) }]; // weights are of that size
    }),
  );
  const { buffers } = made.weights;
  return { ...made, before: { ...params, ...buffers } };
}

describe("fedleak check", { timeout: 120_000 }, () => {
  it("of one image through a linear layer is exact, and proved so", async () => {
    const report = await check(await make({ batchSize: 1 }));
    expect(report).toMatchObject({ verdict: "exact", consistent: true, labelCounts: { 0: 1 } });
    expect(passed(report)).toEqual(expect.arrayContaining(["linear-leak", "head-sum", "symmetry", "rank"]));
    expect(report.layers[0]).toMatchObject({ name: "net.0.weight", rank: 1 });
  });

  it.each([
    ["mlp3", "gradient", 2, { name: "mlp3" }],
    ["mlp3", "weights", 2, { localSteps: 3 }],
    ["mlp3", "delta", 2, { weightDecay: 0.01 }],
    ["lenet-sigmoid", "gradient", 2, { name: "lenet-sigmoid" }],
    ["convnet", "gradient", 2, CONVNET],
    ["an ONNX model with BatchNorm", "gradient", 4, BATCHNORM],
    ["an ONNX model with BatchNorm", "weights", 4, { ...BATCHNORM, localSteps: 2 }],
  ] as const)("finds nothing wrong with an honest update of %s, %s", async (_, sent, batchSize, how) => {
    const report = await check(await make({ sent, batchSize, ...how }));
    expect(broken(report)).toEqual([]);
    expect(report.labelCounts).not.toBeNull();
  });

  it.each([
    ["mlp3", "gradient", {}],
    ["mlp3", "weights", {}],
    ["convnet", "gradient", CONVNET],
    ["an ONNX model with BatchNorm", "gradient", BATCHNORM],
    ["an ONNX model with BatchNorm", "weights", BATCHNORM],
  ] as const)("tells that weights are of another round: %s, %s", async (_, sent, how) => {
    const made = await make({ sent, batchSize: 4, ...how });
    const report = await check(ofAnotherRound(made));
    expect(report).toMatchObject({ consistent: false, verdict: "hopeless" });
    expect(broken(report)).toContain("symmetry");
    expect(report.findings.find(({ test }) => test === "symmetry")!.text).toMatch(/another round/);
  });

  it("tells weights of the next round but one of the same training", async () => {
    const first = await make({ sent: "weights", batchSize: 4, seed: 1 });
    const params = Object.fromEntries(first.model.params.map(({ name }) => [name, first.update[name]!]));
    const later = await make({ sent: "gradient", batchSize: 4, seed: 2, weights: { params, buffers: {} } });
    expect(broken(await check(later))).toEqual([]);
    expect(broken(await check({ ...later, before: first.before }))).toContain("symmetry");
  });

  it("tells a gradient of a bias that BatchNorm takes off", async () => {
    const [conv, ...others] = CLASSIFIER.nodes;
    const biased = classifierFile({
      initializers: { ...CLASSIFIER.initializers, "conv.bias": float32([4], [0.1, -0.2, 0.3, 0]) },
      nodes: [{ ...conv!, inputs: [...conv!.inputs, "conv.bias"] }, ...others],
    });
    const made = await make({ onnx: biased, batchSize: 4 });
    const report = await check(made);
    expect(broken(report)).toEqual([]);
    expect(passed(report)).toContain("silent-bias");
    const update = { ...made.update, "conv.bias": float32([4], [1, 0, 0, 0]) };
    expect(broken(await check({ ...made, update }))).toContain("silent-bias");
  });

  it("says where no symmetry can be tested", async () => {
    const { findings } = await check(await make({ name: "lenet-sigmoid" }));
    expect(findings).toContainEqual(expect.objectContaining({ test: "symmetry", level: "note" }));
  });

  it("tells a wrong learning rate, NaN, silence and missing layers", async () => {
    const made = await make({ sent: "weights", batchSize: 4 });
    expect(broken(await check(made, { learningRate: 1e-4 }))).toContain("head-size");
    const zero = { ...made, update: made.before };
    expect(broken(await check(zero))).toContain("zero");
    const bias = made.update["net.0.bias"]!;
    const nan = {
      ...made,
      update: { ...made.update, "net.0.bias": { ...bias, data: bias.data.map(() => Number.NaN) } },
    };
    expect(broken(await check(nan))).toContain("finite");
    const { "net.2.weight": gone, ...rest } = made.update;
    expect(gone).toBeDefined();
    const report = await check({ ...made, update: rest });
    expect(broken(report)).toContain("missing");
    expect(report.layers.find(({ name }) => name === "net.2.weight")!.norm).toBeNull();
  });

  it("tells noise by rank, by sums and by symmetry", async () => {
    const made = await make({ batchSize: 2 });
    const update = Object.fromEntries(
      Object.entries(made.update).map(([name, t]) => {
        const noise = normal(split(key(3), name), t.data.length);
        return [name, { ...t, data: t.data.map((v, i) => v + 0.05 * noise[i]!) }];
      }),
    );
    expect(broken(await check({ ...made, update }))).toEqual(expect.arrayContaining(["rank", "head-sum", "symmetry"]));
  });

  it("tells a batch that is larger than told, and counters that count otherwise", async () => {
    const made = await make({ batchSize: 4 });
    expect(broken(await check(made, { batchSize: 2, images: 2 }))).toContain("rank");
  });

  it("calls many images or many steps hard, and does not guess what it is not told", async () => {
    const made = await make({ sent: "weights", localSteps: 3 });
    expect((await check(made)).verdict).toBe("hard");
    const unknown = await check(made, { batchSize: null });
    expect(unknown).toMatchObject({ verdict: "hard", unknowns: null, labelCounts: null });
    expect(unknown.reasons.join()).toMatch(/number of images is not known/);
  });
});
