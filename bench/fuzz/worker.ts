/** Reads case after case in a process of its own and tells its parent of each; ends when a process dies or is killed. */
import { importGenerator, importOnnx } from "../../src/onnx/index.ts";
import { readNpz, readSafetensors } from "../../src/tensor/index.ts";
import { FedleakError } from "../../src/util/index.ts";
import { casesOf } from "./cases.ts";
import { countMemory } from "./count-memory.ts";
import { FREE_BYTES, SLOWEST_MS } from "./limits.ts";
import type { Format } from "./subjects.ts";
import { watchTime } from "./watch-time.ts";

/** What became of one case. */
export interface Outcome {
  readonly index: number;
  readonly format: Format;
  readonly kind: string;
  readonly sizeBytes: number;
  readonly ended: "read" | "refused" | "crashed";
  /** The error where it is not one of ours. */
  readonly error?: string;
  /** Of the processor, so that a busy machine is no hang. */
  readonly milliseconds: number;
  /** Array buffers made, and by how much the heap has grown. */
  readonly memoryBytes: number;
}

/** What a worker is asked to do: the cases `from` to below `to`. */
export interface Task {
  readonly seed: number;
  readonly from: number;
  readonly to: number;
}

const READERS: Readonly<Record<Format, readonly ((bytes: Uint8Array) => unknown)[]>> = {
  onnx: [(bytes) => importOnnx(bytes), (bytes) => importGenerator(bytes, { range: [0, 1] })],
  npz: [(bytes) => readNpz(bytes, "f")],
  safetensors: [(bytes) => readSafetensors(bytes, "f")],
};

process.once("message", async ({ seed, from, to }: Task) => {
  const caseAt = await casesOf(seed);
  const begin = watchTime(SLOWEST_MS);
  const madeBytes = countMemory();

  const measured = async (read: () => unknown) => {
    const [buffers, heap, time] = [madeBytes(), process.memoryUsage().heapUsed, process.cpuUsage()];
    begin();
    const result = await attempt(read);
    const grown = Math.max(0, process.memoryUsage().heapUsed - heap);
    const { user, system } = process.cpuUsage(time);
    return { ...result, memoryBytes: madeBytes() - buffers + grown, milliseconds: (user + system) / 1000 };
  };

  for (let index = from; index < to; index++) {
    const { format, kind, bytes } = await caseAt(index);
    process.send!({ begins: index });
    for (const read of READERS[format]) {
      const own = bytes.slice();
      const first = await measured(() => read(own));
      const outcome = first.memoryBytes > FREE_BYTES ? await swept(() => measured(() => read(own))) : first;
      process.send!({ index, format, kind, sizeBytes: bytes.length, ...outcome } satisfies Outcome);
    }
  }
  process.disconnect();
  process.exit(0);
});

/** Once more, with a heap that holds no rubbish of the cases before. */
function swept<T>(again: () => Promise<T>): Promise<T> {
  (globalThis as { gc?: () => void }).gc?.();
  return again();
}

async function attempt(read: () => unknown): Promise<Pick<Outcome, "ended" | "error">> {
  try {
    await read();
    return { ended: "read" };
  } catch (error) {
    if (error instanceof FedleakError) return { ended: "refused" };
    return { ended: "crashed", error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}
