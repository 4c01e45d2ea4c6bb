import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { type Evaluator, verifyOnnx } from "../../src/audit/index.ts";
import { importOnnx } from "../../src/onnx/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { readSafetensors } from "../../src/tensor/index.ts";
import { requireShared } from "../shared.ts";

const FIRST_ORDER = 1e-4; // float32 against PyTorch in float64; measured: at most 2e-5
const SECOND_ORDER = 5e-4; // measured: at most 6e-5
const WHOLE = process.env.FEDLEAK_WHOLE_GOLDEN !== undefined; // second order through the deep ones takes two minutes
const QUICK = new Set(["mlp3-eval", "lenet-sigmoid-eval"]);

/** What PyTorch's exporter wrote, with the number of trained tensors. */
const PAIRS: readonly (readonly [name: string, params: number, buffers: number])[] = [
  ["mlp3-eval", 8, 0],
  ["lenet-sigmoid-eval", 8, 0],
  ["resnet18-thin-eval", 62, 40],
  ["resnet18-thin-train", 62, 40],
  ["resnet20-cifar10-eval", 59, 38],
  ["resnet20-cifar10-train", 59, 38],
  ["vit-cifar10-eval", 80, 0],
  ["mobilenet_v2-thin-eval", 158, 104],
  ["densenet-bc-cifar10-eval", 263, 174],
];

describe("models of PyTorch, imported", () => {
  for (const [name, params, buffers] of PAIRS) {
    test(name, async (context) => {
      const bytes = readFileSync(requireShared(context, `onnx/${name}.onnx`));
      const golden = requireShared(context, `onnx/${name}.safetensors`);
      const { tensors, metadata } = readSafetensors(readFileSync(golden), golden);
      const { model, mode } = importOnnx(bytes);
      expect([model.params.length, model.buffers.length, mode]).toEqual([params, buffers, metadata.mode]);
      const whole = WHOLE || QUICK.has(name);
      const errors = await verifyOnnx(bytes, tensors, metadata, computed(whole, tensors));
      for (const part of ["logits", "loss", "gradients", "distance"] as const) {
        expect(errors[part], part).toBeLessThan(FIRST_ORDER);
      }
      expect(errors.dx).toBeLessThan(SECOND_ORDER);
    }, 120_000);
  }

  test("a wrong BatchNorm mode shows", async (context) => {
    const golden = requireShared(context, "onnx/resnet18-thin-train.safetensors");
    const bytes = readFileSync(requireShared(context, "onnx/resnet18-thin-train.onnx"));
    const { tensors, metadata } = readSafetensors(readFileSync(golden), golden);
    const errors = await verifyOnnx(bytes, tensors, { ...metadata, mode: "eval" }, computed(false, tensors));
    expect(errors.logits).toBeGreaterThan(0.01);
  });

  test("a file whose BatchNorm was folded is read, and refused where names matter", async (context) => {
    const bytes = readFileSync(requireShared(context, "onnx/resnet20-cifar10-folded.onnx"));
    const { model, notes } = importOnnx(bytes);
    expect([model.params.length, model.buffers.length]).toEqual([40, 0]);
    expect(notes.join(" ")).toMatch(/38 of 40 parameters have lost their names \(such as "onnx::Conv_253"\).*folded/);
    expect(notes.join(" ")).toMatch(/training=torch\.onnx\.TrainingMode\.TRAINING, do_constant_folding=False/);
    expect(notes.join(" ")).toMatch(/exported for batches of 1/);

    const golden = requireShared(context, "onnx/resnet20-cifar10-eval.safetensors");
    const { tensors, metadata } = readSafetensors(readFileSync(golden), golden);
    await expect(verifyOnnx(bytes, tensors, metadata, computed(false, tensors))).rejects.toThrow(
      /its parameters must have the names of the golden gradients; got without 57 \(conv1\.weight, .*Export it as it is trained/,
    );
  });
});

/** Computes with onnxruntime; of deep models the true batch alone, and gives the rest as the file has it. */
function computed(whole: boolean, golden: Parameters<typeof verifyOnnx>[1]): Evaluator {
  return async (outputs, feeds) => {
    const wanted = Object.entries(outputs).filter(([key]) => whole || !/^(dummy|dist)\./.test(key));
    const program = await compile(Object.fromEntries(wanted), { threads: 1 });
    const results = await program.run(feeds);
    await program.release();
    return { ...golden, ...results };
  };
}
