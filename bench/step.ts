import { availableParallelism } from "node:os";
import { buildModel } from "../src/models/index.ts";
import type { Mode, Model } from "../src/nn/index.ts";
import { compile } from "../src/runtime/index.ts";
import { attackStep } from "./attack-step.ts";
import { type CompileTime, compileTimes } from "./compile-time.ts";
import { flopsOf } from "./flops.ts";

export interface StepOptions {
  readonly model: string;
  readonly batch: number;
  readonly size: number;
  readonly mode: Mode;
  readonly classes: number;
  readonly runs: number;
  readonly threads: number | undefined;
  /** Whether compiling is timed in processes of its own, too. */
  readonly compile?: boolean;
}

/**
 * The peer script's keys, and after them ours. Times are medians in ms unless they say min. Memory is the most that the
 * process held while it compiled and ran the step, in MB of 2^20 bytes; the other parts are timed after it.
 */
export interface StepResult {
  readonly model: string;
  readonly batch: number;
  readonly size: number;
  readonly mode: Mode;
  readonly runs: number;
  readonly forward_ms: number;
  readonly gradient_ms: number;
  readonly step_ms: number;
  readonly step_ms_min: number;
  readonly peak_rss_mb: number;
  readonly threads: number;
  /** The peer's version of PyTorch stands here; ours has none. */
  readonly torch: null;
  readonly forward_ms_min: number;
  readonly gradient_ms_min: number;
  readonly forward_gflops: number;
  readonly gradient_gflops: number;
  readonly step_gflops: number;
  readonly compile_ms: number;
  /** Of compiling the step in a fresh process, without and with what an earlier one kept on disk. */
  readonly compile_cold?: CompileTime;
  readonly compile_warm?: CompileTime;
}

/** Where the peer script's name of a model differs from ours. */
const PEER_NAMES: Readonly<Record<string, string>> = {
  lenet: "lenet-sigmoid",
  resnet18: "resnet18-imagenet",
  mobilenet_v2: "mobilenet-v2",
  vit_tiny: "vit-tiny",
};

/** The patch that the peer script gives a vision transformer for images of this size. */
const peerPatch = (size: number) => Math.max(4, Math.floor(size / 14));

/** Times forward pass, gradient and attack step, each a program of its own. */
export async function timeStep(options: StepOptions): Promise<StepResult> {
  const { batch, size, mode, runs } = options;
  const threads = options.threads ?? availableParallelism();
  const graphs = attackStep(modelOf(options), batch, mode);
  const time = async (part: "forward" | "gradient" | "step") => {
    const start = performance.now();
    const program = await compile(graphs[part], { bake: graphs.bake(), threads });
    const compileMs = performance.now() - start;
    const times = await clock(() => program.run(graphs.feeds), runs);
    await program.release();
    return { ...times, compileMs, gflops: flopsOf(Object.values(graphs[part])) / 1e6 / times.median };
  };
  const step = await time("step");
  const peakRssMb = Math.floor(process.resourceUsage().maxRSS / 1024);
  const [gradient, forward] = [await time("gradient"), await time("forward")];
  const compiling = options.compile ? await compileTimes({ ...options, threads }) : undefined;
  return {
    ...{ model: options.model, batch, size, mode, runs },
    forward_ms: round(forward.median),
    gradient_ms: round(gradient.median),
    step_ms: round(step.median),
    step_ms_min: round(step.min),
    peak_rss_mb: peakRssMb,
    threads,
    torch: null,
    forward_ms_min: round(forward.min),
    gradient_ms_min: round(gradient.min),
    forward_gflops: round(forward.gflops),
    gradient_gflops: round(gradient.gflops),
    step_gflops: round(step.gflops),
    compile_ms: round(step.compileMs),
    ...(compiling && { compile_cold: compiling.cold, compile_warm: compiling.warm }),
  };
}

/** The model that the peer script means. */
export function modelOf({ model, size, classes }: Pick<StepOptions, "model" | "size" | "classes">): Model {
  const name = PEER_NAMES[model] ?? model;
  const patch = name.startsWith("vit-") ? { patch: peerPatch(size) } : {};
  return buildModel(name, { inputShape: [3, size, size], classes, ...patch });
}

/** Milliseconds of `runs` calls after one that is not counted. */
async function clock(call: () => Promise<unknown>, runs: number): Promise<{ median: number; min: number }> {
  await call();
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    await call();
    times.push(performance.now() - start);
  }
  return { median: median(times), min: Math.min(...times) };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
