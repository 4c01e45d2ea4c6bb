import { Command, InvalidArgumentError } from "commander";
import { FedleakError } from "../src/util/index.ts";
import type { CompileTime } from "./compile-time.ts";
import { ratioLines } from "./in-turn.ts";
import { compareWithPeer } from "./peer.ts";
import { compareRounds, type RoundOptions, type RoundResult, timeRounds } from "./round.ts";
import { type StepOptions, type StepResult, timeStep } from "./step.ts";

/** What `npm run bench` alone times: model, batch, image size. */
const STANDARD = [
  ["resnet10", 16, 32],
  ["lenet", 16, 32],
  ["resnet18", 4, 64],
] as const;

type RoundFlags = RoundOptions & { json?: true; peer?: string; pairs: number };
type Flags = Omit<StepOptions, "model" | "batch" | "size"> & { json?: true; peer?: string; pairs: number };

const program = new Command("bench").description(
  "Times attack steps and rounds of training. Ratios to a peer are taken in turn, pair by pair.",
);

addFlags(program.command("standard", { isDefault: true }).description("the standard set")).action(
  async (flags: Flags) => {
    for (const [model, batch, size] of STANDARD) await bench({ ...flags, model, batch, size }, flags);
  },
);

addFlags(
  program
    .command("step")
    .description("forward pass, gradient and attack step (second order) of one model")
    .argument("<model>", "a model's name; `lenet` and `resnet18` are lenet-sigmoid and resnet18-imagenet")
    .argument("<batch>", "images in the batch", positive)
    .argument("<size>", "rows and columns of an image", positive)
    .addHelpText(
      "after",
      "\nExamples:\n  npm run -s bench -- step resnet10 16 32\n  npm run -s bench -- step resnet10 16 32 --peer 'python3 torch_step.py' --pairs 5",
    ),
).action(async (model: string, batch: number, size: number, flags: Flags) => {
  await bench({ ...flags, model, batch, size }, flags);
});

program
  .command("round")
  .description("a round of FedAvg: resnet10 on 3×32×32, BatchNorm in train mode, every client in every round")
  .option("--width <n>", "channels of the first layer", positive, 64)
  .option("--batch <n>", "images a local step", positive, 16)
  .option("--clients <n>", "clients", positive, 10)
  .option("--steps <n>", "local steps", positive, 5)
  .option("--rounds <n>", "timed rounds", positive, 3)
  .option("--threads <n>", "processor threads (default: all)", positive)
  .option("--peer <command>", "a script with the same flags and JSON keys, to be run in turn with ours")
  .option("--pairs <n>", "pairs of runs with --peer", positive, 3)
  .option("--json", "print JSON on the last line")
  .addHelpText(
    "after",
    "\nExample:\n  npm run -s bench -- round --width 16 --peer 'python3 bench/peer/fedavg_round.py'",
  )
  .action((flags: RoundFlags) => benchRound(flags));

program.parseAsync().catch((error: unknown) => {
  if (!(error instanceof FedleakError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
});

function addFlags(command: Command): Command {
  return command
    .option("--mode <mode>", "BatchNorm by the batch or by running statistics: train | eval", mode, "train")
    .option("--classes <n>", "classes", positive, 10)
    .option("--runs <n>", "timed runs of each part", positive, 7)
    .option("--threads <n>", "processor threads (default: all)", positive)
    .option(
      "--compile",
      "also time compiling the step in fresh processes: cold, and with what the first one kept on disk",
    )
    .option("--peer <command>", "a script with the same arguments and JSON keys, to be run in turn with ours")
    .option("--pairs <n>", "pairs of runs with --peer", positive, 3)
    .option("--json", "print JSON on the last line");
}

async function bench(options: StepOptions, { json, peer, pairs }: Flags): Promise<void> {
  if (peer === undefined) {
    const result = await timeStep(options);
    console.log(json ? JSON.stringify(result) : table(result));
    return;
  }
  const comparison = await compareWithPeer(options, peer, pairs);
  if (json) {
    console.log(JSON.stringify(comparison));
    return;
  }
  for (const [i, ours] of comparison.ours.entries()) {
    const theirs = comparison.peer[i]!;
    console.log(
      `${title(ours)}  ours ${ours.step_ms} ms, ${ours.peak_rss_mb} MB · peer ${theirs.step_ms} ms, ${theirs.peak_rss_mb} MB (${theirs.torch})`,
    );
  }
  console.log(ratioLines(comparison).join("\n"));
}

async function benchRound({ json, peer, pairs, ...options }: RoundFlags): Promise<void> {
  const told = (r: RoundResult) =>
    `resnet10 of width ${r.width}, ${r.clients} clients × ${r.steps} steps × ${r.batch} images, ${r.threads} threads: ` +
    `round ${r.round_s} s (min ${r.round_s_min}), median of ${r.rounds}${r.torch ? ` (PyTorch ${r.torch})` : ""}`;
  const result = peer === undefined ? await timeRounds(options) : await compareRounds(options, peer, pairs);
  if (json) console.log(JSON.stringify(result));
  else if (!("ratios" in result)) console.log(told(result));
  else {
    for (const [i, ours] of result.ours.entries()) console.log(`${told(ours)}\n${told(result.peer[i]!)}`);
    console.log(ratioLines(result).join("\n"));
  }
}

function title({ model, batch, size, mode }: StepResult): string {
  return `${model} B=${batch} 3×${size}×${size} ${mode}`;
}

function table(r: StepResult): string {
  const line = (name: string, ms: number, min: number, gflops: number) =>
    `  ${name.padEnd(9)}${ms.toFixed(2).padStart(9)} ms  (min ${min.toFixed(2)})  ${gflops.toFixed(0).padStart(5)} GFLOP/s`;
  return [
    `${title(r)}, ${r.threads} threads, median of ${r.runs}`,
    line("forward", r.forward_ms, r.forward_ms_min, r.forward_gflops),
    line("gradient", r.gradient_ms, r.gradient_ms_min, r.gradient_gflops),
    line("step", r.step_ms, r.step_ms_min, r.step_gflops),
    ...compiling(r),
    `  peak memory ${r.peak_rss_mb} MB, compiling the step ${(r.compile_ms / 1000).toFixed(1)} s`,
  ].join("\n");
}

function compiling({ compile_cold: cold, compile_warm: warm }: StepResult): string[] {
  if (!cold || !warm) return [];
  const seconds = (ms: number) => (ms / 1000).toFixed(1);
  const text = ({ ms, cpu_ms }: CompileTime) => `${seconds(ms)} s (${seconds(cpu_ms)} s of the processor)`;
  return [`  compiling cold ${text(cold)}, kept on disk ${text(warm)}`];
}

function positive(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError("must be a whole number ≥ 1.");
  return value;
}

function mode(text: string): string {
  if (text !== "train" && text !== "eval") throw new InvalidArgumentError("must be train or eval.");
  return text;
}
