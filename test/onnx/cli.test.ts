import { expect, test } from "vitest";
import { fedleak } from "../cli/fedleak.ts";
import { requireShared } from "../shared.ts";

test("verify --onnx prints the errors of every number and passes", async (context) => {
  const [model, golden] = ["onnx", "safetensors"].map((ending) => requireShared(context, `onnx/mlp3-eval.${ending}`));
  const { status, stdout, stderr } = await fedleak(["verify", "--onnx", model!, golden!, "--threads", "1"]);
  expect([status, stderr]).toEqual([0, ""]);
  expect(JSON.parse(stdout)).toMatchObject({ model: "mlp3", mode: "eval", parameters: 58186, passed: true });
});

test("verify --onnx says how to export a model whose names are lost, and what is no ONNX file", async (context) => {
  const folded = requireShared(context, "onnx/resnet20-cifar10-folded.onnx");
  const golden = requireShared(context, "onnx/resnet20-cifar10-eval.safetensors");
  const named = await fedleak(["verify", "--onnx", folded, golden]);
  expect(named.status).toBe(2);
  expect(named.stderr).toMatch(
    /^error: onnx resnet20-cifar10: its parameters must have the names .* Export it as it is trained/,
  );
  const none = await fedleak(["verify", "--onnx", golden, golden]);
  expect([none.status, none.stderr]).toEqual([2, expect.stringMatching(/^error: onnx .*must be an ONNX model/)]);
});
