import type { Node } from "../graph/index.ts";
import type { Tensors } from "../tensor/index.ts";
import type { CompileOptions } from "./compile.ts";
import { deviceError } from "./devices.ts";
import { assemble, executable } from "./executable.ts";
import { lower } from "./lower/index.ts";
import { openSession } from "./session.ts";

/** Time spent in one kind of op in one run. */
export interface ProfileRow {
  /** The graph's op; "runtime" for nodes that onnxruntime put in, such as changes of layout. */
  readonly op: string;
  /** The ONNX operator it ran as. */
  readonly kernel: string;
  readonly ms: number;
  /** Of the sum over all rows, 0 … 1. */
  readonly share: number;
  readonly calls: number;
}

/**
 * Runs a graph once to warm up and `runs` times under onnxruntime's profiler, which writes its trace to a file whose
 * path begins with `prefix`. The trace's text, given to `read`, becomes one row a kind of op, the slowest first.
 */
export async function profile(
  outputs: Readonly<Record<string, Node>>,
  { bake = {}, weights, device = "cpu", threads = 0 }: CompileOptions,
  { feeds, runs, prefix }: { readonly feeds: Tensors; readonly runs: number; readonly prefix: string },
): Promise<{ rows(trace: string): readonly ProfileRow[] }> {
  const lowered = lower(outputs, bake, weights, { device, threads });
  try {
    const session = await openSession(executable(assemble(lowered, device), lowered.given), {
      device,
      threads,
      profile: prefix,
    });
    for (let run = 0; run <= runs; run++) await session.run(feeds);
    session.end();
    await session.release();
  } catch (cause) {
    throw deviceError(device, cause);
  }
  return { rows: (trace) => summarise(trace, runs, lowered.labels) };
}

interface TraceEvent {
  readonly cat: string;
  readonly name: string;
  /** Microseconds. */
  readonly dur: number;
  readonly args?: { readonly op_name?: string };
}

const KERNEL = "_kernel_time";

/** One row for each (op, kernel) of an onnxruntime trace; the first run of `runs` + 1 is left out. */
function summarise(trace: string, runs: number, labels: ReadonlyMap<string, string>): ProfileRow[] {
  const events = (JSON.parse(trace) as TraceEvent[]).filter((e) => e.cat === "Node" && e.name.endsWith(KERNEL));
  const warm = events.slice(Math.floor(events.length / (runs + 1)));
  const rows = new Map<string, { op: string; kernel: string; ms: number; calls: number }>();
  for (const { name, dur, args } of warm) {
    const op = opOf(name.slice(0, -KERNEL.length), labels);
    const kernel = args?.op_name ?? "?";
    const row = rows.get(`${op} ${kernel}`) ?? { op, kernel, ms: 0, calls: 0 };
    rows.set(`${op} ${kernel}`, { ...row, ms: row.ms + dur / 1000, calls: row.calls + 1 });
  }
  const total = [...rows.values()].reduce((sum, { ms }) => sum + ms, 0);
  return [...rows.values()]
    .map((row) => ({ ...row, ms: row.ms / runs, share: row.ms / total, calls: row.calls / runs }))
    .sort((a, b) => b.ms - a.ms);
}

/** Our nodes are called op/Kernel/value; those that onnxruntime made of ours keep the value's name as a prefix. */
function opOf(name: string, labels: ReadonlyMap<string, string>): string {
  if (name.includes("/")) return name.split("/")[0]!;
  return labels.get(name.split("_")[0]!) ?? "runtime";
}
