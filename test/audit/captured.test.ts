import { describe, expect, it } from "vitest";
import { observationOf, parseManifest, readCaptured } from "../../src/audit/index.ts";
import { clientGradientStep } from "../../src/fl/index.ts";
import { float32, int64, type Tensors, writeNpz, writeSafetensors } from "../../src/tensor/index.ts";
import { FedleakError } from "../../src/util/index.ts";
import { classifierFile } from "../onnx/classifier.ts";
import { folderOf, make, THREADS, write } from "./captured-fixture.ts";

/** Largest difference, relative to the largest number of `b`. */
function far(a: Tensors<"float32">, b: Tensors<"float32">): number {
  return Math.max(
    ...Object.entries(b).map(([name, { data }]) => {
      const most = data.reduce((m, v) => Math.max(m, Math.abs(v)), 0);
      return data.reduce((m, v, i) => Math.max(m, Math.abs(v - a[name]!.data[i]!)), 0) / most;
    }),
  );
}

/** Tensors as arr_0, arr_1, … in this order of names. */
function nameless(tensors: Tensors, names: readonly string[]): Tensors {
  return Object.fromEntries(names.map((name, i) => [`arr_${i}`, tensors[name]!]));
}

describe("a captured update", { timeout: 60_000 }, () => {
  it("that is a gradient is read as it is", async () => {
    const made = await make();
    const { estimate, before, notes } = await readCaptured(write(made));
    expect(estimate.update).toEqual(made.update);
    expect(before.params).toEqual(made.weights.params);
    expect(notes).toEqual([]);
  });

  it.each([
    ["weights", { weightDecay: 0 }],
    ["delta", { weightDecay: 0.1 }],
    ["weights", { momentum: 0.9 }],
  ] as const)("%s of one step with %o give the gradient", async (sent, how) => {
    const made = await make({ sent, ...how });
    const gradient = await make();
    const { estimate } = await readCaptured(write(made));
    expect(far(estimate.update, gradient.update)).toBeLessThan(1e-4); // weights of 0.3 are rounded to 1.5e-8, over η = 0.05
    expect(estimate.rounding).toBeGreaterThan(0);
  });

  it("several steps with momentum count by what each adds", async () => {
    const [learningRate, localSteps] = [1e-4, 3]; // so small that weights, and with them gradients, stay
    const one = await make({ batchSize: 1 });
    const same = {
      ...one.manifest,
      sent: "delta",
      learningRate,
      localSteps,
      optimiser: { momentum: 0.5, weightDecay: 0 },
    };
    const factor = -learningRate * (1 + 1.5 + 1.75); // velocities g, 1.5 g, 1.75 g
    const update = Object.fromEntries(
      Object.entries(one.update).map(([name, t]) => [name, { ...t, data: t.data.map((v) => v * factor) }]),
    );
    const { estimate } = await readCaptured(write({ ...one, update }, same));
    expect(far(estimate.update, one.update)).toBeLessThan(1e-5); // float32
  });

  it("of Flower, nameless arrays with PyTorch's counters, is matched by shape and order", async () => {
    const made = await make({ onnx: classifierFile(), sent: "weights", batchSize: 4 });
    const order = [
      "conv.weight",
      "bn.weight",
      "bn.bias",
      "bn.running_mean",
      "bn.running_var",
      "count",
      "fc.weight",
      "fc.bias",
    ];
    const arrays = (tensors: Tensors, count: number) => nameless({ ...tensors, count: int64([], [count]) }, order);
    const onnx = { "model.onnx": classifierFile() };
    const manifest = JSON.stringify(made.manifest);
    const files = {
      ...{ ...onnx, "manifest.json": manifest },
      "before.npz": await writeNpz(arrays(made.before, 7)),
      "update.npz": await writeNpz(arrays(made.update, 8)),
    };
    const named = await readCaptured(write(made));
    const read = await readCaptured(folderOf(files));
    expect(read.estimate.update).toEqual(named.estimate.update);
    expect(read.before).toEqual(named.before);
    const found = read.matched.update.matches.map(({ how, file, tensor }) =>
      how === "order" ? [file, tensor] : [how, tensor],
    );
    const expected = order.map((name, i) => (name === "count" ? ["counter", null] : [`arr_${i}`, name]));
    expect(found.sort()).toEqual(expected.sort());
    const { "before.npz": _, ...rest } = files;
    expect((await readCaptured(folderOf(rest))).before).toEqual(named.before); // the weights in the model's file

    const observation = observationOf(read);
    expect(observation.granted).toEqual(["batch-size", "bn-statistics"]);
    const sent = await clientGradientStep({ ...made, mode: "train", ...THREADS });
    const [seen, true_] = [observation.statistics!.bn!, sent.statistics.bn!];
    expect(far({ m: seen.mean, v: seen.variance }, { m: true_.mean, v: true_.variance })).toBeLessThan(1e-4); // rounding, over 0.1
  });

  it("becomes an observation without labels, of all images of its steps", async () => {
    const made = await make({ sent: "weights", localSteps: 2 });
    const observation = observationOf(await readCaptured(write(made)));
    expect(observation).toMatchObject({ batchSize: 4, granted: ["batch-size", "local-schedule"], mode: "train" });
    expect(observation.local).toEqual({ steps: 2, learningRate: 0.05 });
    expect(Object.keys(observation)).not.toContain("labels");
    const repeated = observationOf(await readCaptured(write(made, { images: 3 })));
    expect(repeated.batchSize).toBe(3);
    expect(repeated).not.toHaveProperty("local"); // steps that share images are none that an attack simulates
    const heavy = observationOf(await readCaptured(write(made, { optimiser: { momentum: 0.9 } })));
    expect(heavy).not.toHaveProperty("local");
    const unknown = observationOf(await readCaptured(write(made, { batchSize: null })));
    expect(unknown.granted).toEqual(["local-schedule"]);
  });

  it("is refused in words where files do not fit", async () => {
    const made = await make();
    const { "net.0.bias": gone, ...rest } = made.before;
    expect(gone).toBeDefined();
    await expect(readCaptured(write({ ...made, before: rest }))).rejects.toThrow(
      /net\.0\.bias \[12\] is not in the file/,
    );
    const wide = { ...made.before, "net.0.bias": float32([3], [1, 2, 3]) };
    await expect(readCaptured(write({ ...made, before: wide }))).rejects.toThrow(
      /net\.0\.bias \[3\] instead of \[12\]/,
    );
    await expect(readCaptured("/nowhere")).rejects.toThrow(/no such folder/);
    const twice = folderOf({
      "manifest.json": JSON.stringify(made.manifest),
      "before.safetensors": writeSafetensors(made.before),
      "before.npz": await writeNpz(made.before),
    });
    await expect(readCaptured(twice)).rejects.toThrow(/one file may be called before/);
    await expect(readCaptured(write(made, { normalisation: { mean: [0, 0], std: [1, 1] } }))).rejects.toThrow(
      /1 channels/,
    );
  });

  it("with names that a wrapper put in front is matched by name", async () => {
    const made = await make();
    const wrapped = Object.fromEntries(Object.entries(made.update).map(([name, t]) => [`module.${name}`, t]));
    const { estimate, matched } = await readCaptured(write({ ...made, update: wrapped }));
    expect(estimate.update).toEqual(made.update);
    expect(matched.update.matches.every(({ how }) => how === "name")).toBe(true);
  });
});

describe("a manifest", () => {
  const least = { format: "fedleak-update", version: 1, sent: "gradient", model: { name: "mlp3", options: {} } };

  it("needs little, and is completed", () => {
    expect(parseManifest(JSON.stringify(least), "m")).toMatchObject({
      ...{
        localSteps: 1,
        batchSize: null,
        loss: "cross-entropy",
        batchNorm: "train",
        before: null,
        normalisation: null,
      },
      optimiser: { name: "sgd", momentum: 0, weightDecay: 0, clip: null },
    });
  });

  it.each([
    [{ ...least, learningrate: 1 }, /Did you mean "learningRate"/],
    [{ ...least, sent: "model" }, /sent: sent must be one of gradient, weights, delta; got "model"/],
    [{ ...least, localSteps: 0 }, /localSteps: it must be a whole number ≥ 1/],
    [{ ...least, before: "../secret.npz" }, /before: .*beside the manifest/],
    [{ ...least, optimiser: { momentun: 0.9 } }, /Did you mean "momentum"/],
    [{ ...least, version: 2 }, /version: it must be 1/],
    ["text", /object of entries/],
  ])("%o is refused in words", (wrong, complaint) => {
    expect(() => parseManifest(JSON.stringify(wrong), "m")).toThrow(complaint);
    expect(() => parseManifest(JSON.stringify(wrong), "m")).toThrow(FedleakError);
  });
});
