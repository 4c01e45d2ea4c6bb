import { readBytes } from "../data/index.ts";
import { compile, type Device } from "../runtime/index.ts";
import { readSafetensors } from "../tensor/index.ts";
import { type GoldenErrors, verifyGolden } from "./verify-golden.ts";

/** Compares one attack step on a device with the numbers in a golden file; throws FedleakError when it is none. */
export async function verifyGoldenFile(
  path: string,
  { device, threads }: { readonly device: Device; readonly threads: number },
): Promise<GoldenErrors> {
  const { tensors, metadata } = readSafetensors(await readBytes(path), path);
  return verifyGolden(tensors, metadata, async (outputs, feeds) => {
    const program = await compile(outputs, { device, threads });
    try {
      return await program.run(feeds);
    } finally {
      await program.release();
    }
  });
}
