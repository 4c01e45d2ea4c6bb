import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { TrainRequest } from "../../src/audit/index.ts";
import { beginTraining, clientGradientStep, trainingStep, type Weights } from "../../src/fl/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { sgd } from "../../src/optim/index.ts";
import { float32, numbers, readSafetensors, type Tensors } from "../../src/tensor/index.ts";
import { cifarFile, small, train } from "./train-fixture.ts";

const FILE = cifarFile(120);
const MODEL = buildModel("resnet10", { inputShape: [3, 32, 32], classes: 10, width: 1 });

/** Trains, captures client 2 in rounds 0 and 2, and reads what lies in the folder for round 2. */
async function captured(changes: TrainRequest["federation"], training: "fedavg" | "fedsgd" = "fedavg") {
  const { folder } = await train(
    small(FILE, {
      ...{ training, length: 3, model: { name: "resnet10", options: { width: 1 } } },
      federation: { clients: 4, share: 0.25, ...changes, capture: { client: 2, rounds: [0, 2] } },
    }),
  );
  const read = (path: string) => readSafetensors(readFileSync(join(folder, path)), path).tensors as Tensors<"float32">;
  const name = "client-2-round-2";
  return {
    before: read(`captured/${name}/before.safetensors`),
    update: read(`captured/${name}/update.safetensors`),
    manifest: JSON.parse(readFileSync(join(folder, `captured/${name}/manifest.json`), "utf8")),
    truth: readSafetensors(readFileSync(join(folder, `truth/${name}/truth.safetensors`)), name).tensors,
    first: read("captured/client-2-round-0/before.safetensors"),
  };
}

type Capture = Awaited<ReturnType<typeof captured>>;

/** The weights the client began with: what it was handed, and what it keeps. */
function beginning({ before, truth }: Capture): Weights {
  const own = Object.fromEntries(
    Object.entries(truth)
      .filter(([n]) => n.startsWith("own."))
      .map(([n, t]) => [n.slice(4), t]),
  );
  const all = { ...before, ...own } as Tensors<"float32">;
  const part = (specs: readonly { readonly name: string }[]) =>
    Object.fromEntries(specs.map(({ name }) => [name, all[name]!]));
  return { params: part(MODEL.params), buffers: part(MODEL.buffers) };
}

/** The client's batches in order, from the truth. */
function batchesOf({ truth, manifest }: Capture) {
  const order = Array.from(numbers(truth.batches!));
  const labels = Array.from(numbers(truth.labels!));
  const images = truth.images!.data as Float32Array;
  return Array.from({ length: manifest.localSteps as number }, (_, step) => {
    const rows = order.slice(step * manifest.batchSize, (step + 1) * manifest.batchSize);
    return {
      images: float32(
        [rows.length, 3, 32, 32],
        rows.flatMap((i) => Array.from(images.subarray(i * 3072, (i + 1) * 3072))),
      ),
      labels: rows.map((i) => labels[i]!),
    };
  });
}

describe("a captured update", { timeout: 60_000 }, () => {
  it.each([
    ["weights", "averaged"],
    ["delta", "local-layers"],
  ] as const)("%s, %s: the client's training, done again from the truth, gives it", async (send, bnBuffers) => {
    const found = await captured({ localSteps: 2, send, bnBuffers });
    const { manifest, update, before } = found;
    expect(manifest).toMatchObject({
      ...{ format: "fedleak-update", version: 1, sent: send, round: 2, client: 2, localSteps: 2, batchSize: 8 },
      ...{ batchNorm: "train", bnBuffers, optimiser: { momentum: 0, weightDecay: 5e-4 } },
      model: { name: "resnet10", options: { width: 1, classes: 10 } },
    });
    const optimiser = sgd({ weightDecay: manifest.optimiser.weightDecay });
    const program = await trainingStep({ model: MODEL, batchSize: 8, mode: "train", optimiser, threads: 1 });
    let state = beginTraining(MODEL, optimiser, beginning(found));
    for (const batch of batchesOf(found)) state = (await program.advance(state, batch, manifest.learningRate)).state;
    await program.release();
    const after = { ...state.weights.params, ...state.weights.buffers };
    for (const [name, { data }] of Object.entries(update)) {
      const expected =
        send === "delta" ? after[name]!.data.map((v, i) => v - before[name]!.data[i]!) : after[name]!.data;
      expect(data, name).toEqual(expected);
    }
    const sends = (name: string) => name in update;
    expect(sends("conv1.weight")).toBe(true);
    expect(sends("bn1.running_mean")).toBe(bnBuffers === "averaged");
    expect(sends("bn1.weight")).toBe(bnBuffers !== "local-layers");
    expect(found.first["conv1.weight"]!.data).not.toEqual(before["conv1.weight"]!.data); // another round
  });

  it("of FedSGD is the gradient of one batch", async () => {
    const found = await captured({}, "fedsgd");
    expect(found.manifest).toMatchObject({ sent: "gradient", localSteps: 1 });
    const [batch] = batchesOf(found);
    const weights = beginning(found);
    const sent = await clientGradientStep({ model: MODEL, weights, ...batch!, mode: "train", threads: 1 });
    for (const { name } of MODEL.params) expect(found.update[name]!.data, name).toEqual(sent.update[name]!.data);
    expect(found.update["bn1.running_mean"]!.data).toEqual(sent.buffers["bn1.running_mean"]!.data);
  });

  it("holds no image, label or index beside the truth", async () => {
    const { before, update, manifest, truth } = await captured({ localSteps: 1 });
    expect(Object.keys({ ...before, ...update }).filter((name) => /image|label|index|batch/.test(name))).toEqual([]);
    expect(JSON.stringify(manifest)).not.toMatch(/indices|labels|path|seed/);
    expect(truth.images!.shape).toEqual([8, 3, 32, 32]);
  });
});
