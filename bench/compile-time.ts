import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { StepOptions } from "./step.ts";

/** Milliseconds of the clock and of the processor, which a busy machine changes less. */
export interface CompileTime {
  readonly ms: number;
  readonly cpu_ms: number;
}

/** Compiles the step twice, each time in a fresh process: with an empty folder of programs, and with what that left there. */
export async function compileTimes(options: StepOptions): Promise<{ cold: CompileTime; warm: CompileTime }> {
  const folder = await mkdtemp(join(tmpdir(), "fedleak-bench-"));
  const script = fileURLToPath(new URL("compile-once.ts", import.meta.url));
  const once = async () => {
    const args = [...process.execArgv, script, JSON.stringify({ ...options, folder })];
    return JSON.parse((await promisify(execFile)(process.execPath, args)).stdout) as CompileTime;
  };
  try {
    return { cold: await once(), warm: await once() };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
