import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { completeTrainSpec, exportModel, runTraining } from "../../src/audit/index.ts";
import { buildModel } from "../../src/models/index.ts";
import { initialise } from "../../src/nn/index.ts";
import { importOnnx } from "../../src/onnx/index.ts";
import { readNpz, readSafetensors } from "../../src/tensor/index.ts";
import { key, split } from "../../src/util/index.ts";
import { fedleak, freshFolder } from "./fedleak.ts";

const folder = freshFolder();
const at = (name: string) => join(folder, name);
const bytes = (name: string) => new Uint8Array(readFileSync(at(name)));
const request = (subject: string, out: string, more: Partial<Parameters<typeof exportModel>[0]> = {}) =>
  exportModel({ subject, out: at(out), options: {}, weights: undefined, seed: 5, onnx: {}, ...more });
const options = { size: 8, classes: 4, width: 2 };
const model = buildModel("resnet10", { inputShape: [3, 8, 8], classes: 4, width: 2 });
const { params, buffers } = initialise(model, split(key(5), "weights"));

test("a model by its name, as ONNX, safetensors and npz: the weights that an attack of that seed draws", async () => {
  const told = await request("resnet10", "m.onnx", { options });
  expect(told).toMatchObject({
    format: "onnx",
    model: "resnet10",
    inputShape: [3, 8, 8],
    classes: 4,
    weights: "drawn from seed 5",
  });
  const imported = importOnnx(bytes("m.onnx"));
  expect({ ...imported.weights.params }).toEqual(params);
  expect({ ...imported.weights.buffers }).toEqual(buffers);
  await request("resnet10", "w.safetensors", { options });
  expect(readSafetensors(bytes("w.safetensors"), "w").tensors).toEqual({ ...params, ...buffers });
  await request("resnet10", "w.npz", { options });
  expect(await readNpz(bytes("w.npz"), "w")).toEqual({ ...params, ...buffers });
});

test("an ONNX file's weights, and weights of a file in a model", async () => {
  await request("resnet10", "a.onnx", { options });
  const told = await request(at("a.onnx"), "b.npz");
  expect(told.weights).toBe(`from ${at("a.onnx")}`);
  expect(await readNpz(bytes("b.npz"), "b")).toEqual({ ...params, ...buffers });
  const other = await request("resnet10", "c.onnx", {
    options: { ...options, classes: 6 },
    weights: at("b.npz"),
    seed: 9,
  });
  expect(other.weights).toBe(`from ${at("b.npz")}; its head of 4 classes replaced by one of 6, drawn from the seed`);
  expect(importOnnx(bytes("c.onnx")).weights.params["conv1.weight"]).toEqual(params["conv1.weight"]);
});

test("what does not go together is refused before anything is written", async () => {
  await expect(request("resnet10", "x.pt")).rejects.toThrow(/must end in \.onnx, \.safetensors, \.npz.*; got .*x\.pt/);
  await expect(request("resnet10", "x.npz", { onnx: { batch: 2 } })).rejects.toThrow(/neither batch size nor opset/);
  await expect(request("resnet1", "x.onnx")).rejects.toThrow(/Did you mean "resnet10"/);
  await request("resnet10", "d.onnx", { options });
  await expect(request(at("d.onnx"), "x.onnx", { options })).rejects.toThrow(
    "an ONNX file says what its model is; got --size",
  );
  expect(existsSync(at("x.onnx"))).toBe(false);
});

test("the command exports what a training came to", async () => {
  const out = at("training");
  const spec = completeTrainSpec({
    ...{ training: "centralised", length: 1, batchSize: 2, threads: 1 },
    ...{ model: { name: "lenet-sigmoid" }, data: { size: 8 } },
  });
  await runTraining(spec, { out, command: "fedleak train", render: () => "" });
  const { status, stdout, stderr } = await fedleak(["export", out, "--out", at("t.onnx"), "--batch", "dynamic"]);
  expect([status, stderr]).toEqual([0, ""]);
  expect(stdout).toMatch(/written .*t\.onnx, [\d,]+ bytes[\s\S]*lenet-sigmoid, images 3×8×8/);
  const trained = readSafetensors(new Uint8Array(readFileSync(join(out, "weights.safetensors"))), "w").tensors;
  expect({ ...importOnnx(bytes("t.onnx")).weights.params }).toEqual(trained);
});
