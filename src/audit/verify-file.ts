import { readBytes } from "../data/index.ts";
import { compile, type Device } from "../runtime/index.ts";
import { readSafetensors } from "../tensor/index.ts";
import { type Evaluator, type GoldenErrors, verifyGolden } from "./verify-golden.ts";
import { type OnnxErrors, verifyOnnx } from "./verify-onnx.ts";

interface Where {
  readonly device: Device;
  readonly threads: number;
}

/** Compares one attack step on a device with the numbers in a golden file; throws FedleakError when it is none. */
export async function verifyGoldenFile(path: string, where: Where): Promise<GoldenErrors> {
  const { tensors, metadata } = readSafetensors(await readBytes(path), path);
  return verifyGolden(tensors, metadata, onDevice(where));
}

/** Likewise for the model in an ONNX file; throws FedleakError when one of the files is not what it should be. */
export async function verifyOnnxFile(onnx: string, golden: string, where: Where): Promise<OnnxErrors> {
  const { tensors, metadata } = readSafetensors(await readBytes(golden), golden);
  return verifyOnnx(await readBytes(onnx), tensors, metadata, onDevice(where));
}

/** Compiles the outputs and runs them once. */
function onDevice({ device, threads }: Where): Evaluator {
  return async (outputs, feeds) => {
    const program = await compile(outputs, { device, threads });
    try {
      return await program.run(feeds);
    } finally {
      await program.release();
    }
  };
}
