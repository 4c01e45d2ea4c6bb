import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { completeTrainSpec, runTraining } from "../src/audit/index.ts";
import { key, uniform } from "../src/util/index.ts";
import { type Comparison, inTurn } from "./in-turn.ts";
import { median } from "./step.ts";

export interface RoundOptions {
  readonly width: number;
  readonly batch: number;
  readonly clients: number;
  readonly steps: number;
  /** Timed ones; two before them and one after are not counted. */
  readonly rounds: number;
  readonly threads: number | undefined;
}

/** The keys of `peer/fedavg_round.py`. */
export interface RoundResult extends Required<Omit<RoundOptions, "threads">> {
  /** Median, in seconds. */
  readonly round_s: number;
  readonly round_s_min: number;
  readonly step_ms: number;
  readonly threads: number;
  readonly torch: string | null;
}

/** Rounds of FedAvg by `fedleak train`'s own code: ResNet10 on 3×32×32, momentum 0.9, weight decay 5e-4, every client in every round. */
export async function timeRounds(options: RoundOptions): Promise<RoundResult> {
  const { width, batch, clients, steps, rounds, threads = availableParallelism() } = options;
  const folder = await mkdtemp(join(tmpdir(), "fedleak-bench-"));
  try {
    const file = join(folder, "data.bin");
    await writeFile(file, noiseImages(2 * clients * batch * 5));
    const length = WARM_UP + rounds + 1; // the last one is measured for its accuracy, too
    const spec = completeTrainSpec({
      ...{ training: "fedavg", length, batchSize: batch, threads, evaluateEvery: length, checkpointEvery: length },
      model: { name: "resnet10", options: { width } },
      data: { name: "cifar10", paths: [file] },
      optimiser: { momentum: 0.9, weightDecay: 5e-4, learningRate: 0.05 },
      federation: { clients, share: 1, localSteps: steps },
    });
    const { record } = await runTraining(spec, { out: join(folder, "run"), command: "bench round", render: () => "" });
    const ends = record.curve.map(({ seconds }) => seconds);
    const times = ends.slice(1).map((end, i) => end - ends[i]!);
    const timed = times.slice(WARM_UP - 1, WARM_UP - 1 + rounds);
    const round_s = median(timed);
    return {
      ...{ width, batch, clients, steps, rounds, round_s: rounded(round_s), round_s_min: rounded(Math.min(...timed)) },
      ...{ step_ms: rounded((1000 * round_s) / clients / steps), threads, torch: null },
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Rounds beside the peer's, in turn. */
export function compareRounds(
  { threads = availableParallelism(), ...options }: RoundOptions,
  command: string,
  pairs: number,
): Promise<Comparison<RoundResult, RoundResult>> {
  const flags = Object.entries({ ...options, threads }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return inTurn(["round", ...flags], [command, ...flags].join(" "), { keys: ["round_s", "round_s_min"], pairs });
}

const WARM_UP = 2; // rounds; compiling falls into the first (our choice)

/** A CIFAR-10 file of noise; what is in the images does not change how long a round takes. */
function noiseImages(count: number): Uint8Array {
  const bytes = Uint8Array.from(uniform(key(0), count * 3073), (v) => Math.floor(256 * v));
  for (let i = 0; i < count; i++) bytes[i * 3073] = i % 10;
  return bytes;
}

function rounded(value: number): number {
  return Math.round(1000 * value) / 1000;
}
