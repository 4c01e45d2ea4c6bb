import { batchOrder, oneHot } from "../../fl/index.ts";
import { cosine } from "../../optim/index.ts";
import { compile } from "../../runtime/index.ts";
import { float32, scalarOf, sizeOf, type Tensors } from "../../tensor/index.ts";
import { normal, split, uniform } from "../../util/index.ts";
import type { Checkpoint } from "../checkpoint.ts";
import { smallShape } from "./degrade.ts";
import { type PriorTraining, priorKey } from "./prepare.ts";
import { FEEDS, NEXT, priorOptimiser, RATE, trainingGraph } from "./training-graph.ts";

/** What a training of a prior tells whoever watches it. */
export type PriorEvent =
  | { readonly kind: "stage"; readonly text: string }
  | {
      readonly kind: "step";
      /** Steps done, out of `steps`. */
      readonly step: number;
      readonly steps: number;
      readonly seconds: number;
      /** Where this process began. */
      readonly since: { readonly step: number; readonly seconds: number };
      /** Mean squared errors of the batch: of the decoder and of the restorer. */
      readonly decoding: number;
      readonly restoring: number;
    };

export interface PriorWatcher {
  readonly onEvent?: ((event: PriorEvent) => void) | undefined;
  /** Aborting it stops after the current step, with a checkpoint. */
  readonly signal?: AbortSignal | undefined;
}

/** How a training ended, and the last good state. */
export interface PriorEnd {
  readonly status: "finished" | "interrupted" | "failed";
  readonly failure?: string;
  readonly at: Checkpoint;
}

/** Trains from a checkpoint to the spec's last step. Where the checkpoints fall changes nothing. */
export async function conductPrior(
  training: PriorTraining,
  from: Checkpoint,
  { onEvent, signal, save }: PriorWatcher & { readonly save: (at: Checkpoint) => Promise<void> },
): Promise<PriorEnd> {
  const { spec } = training;
  const feedsOf = feeder(training);
  const program = await compile(trainingGraph(training.networks, spec), { threads: spec.threads });
  const began = performance.now();
  const since = { step: from.state.iteration, seconds: from.seconds };
  let at = from;
  try {
    while (at.state.iteration < spec.steps && !signal?.aborted) {
      const { iteration, tensors } = at.state;
      const made = await program.run({ ...tensors, ...(await feedsOf(iteration)) });
      const [loss, norm] = [scalarOf(made.loss!), scalarOf(made.norm!)];
      if (!Number.isFinite(loss) || !Number.isFinite(norm)) {
        await save(at);
        const failure = `loss ${loss} in step ${iteration}: try a smaller --learning-rate`;
        return { status: "failed", failure, at };
      }
      const step = iteration + 1;
      const seconds = from.seconds + (performance.now() - began) / 1000;
      const next = Object.fromEntries(Object.keys(tensors).map((name) => [name, made[NEXT + name]!]));
      at = { state: { iteration: step, evaluations: step, tensors: next }, seconds };
      const errors = { decoding: scalarOf(made.decoding!), restoring: scalarOf(made.restoring!) };
      onEvent?.({ kind: "step", step, steps: spec.steps, seconds, since, ...errors });
      if (step % spec.checkpointEvery === 0 && step < spec.steps) await save(at);
    }
  } finally {
    await program.release();
  }
  await save(at);
  return { status: at.state.iteration < spec.steps ? "interrupted" : "finished", at };
}

/** What step 0, 1, … is fed beside the state: batch, noise, step size. A function of the step alone. */
function feeder({ spec, data, networks, seen }: PriorTraining): (step: number) => Promise<Tensors<"float32">> {
  const { batch, latent } = spec;
  const order = batchOrder({ count: seen.length, batchSize: batch, key: priorKey(spec, "batches") });
  const small = smallShape([batch, ...data.imageShape], spec.downscale);
  const schedule = cosine(spec.steps);
  return async (step) => {
    const key = split(priorKey(spec, "noise"), step);
    const { images, labels } = await data.take(order(step).map((i) => seen[i]!));
    const scalars = { ...priorOptimiser.scalars(step + 1), [RATE]: spec.learningRate * schedule(step) };
    return {
      [FEEDS.images]: images,
      ...(networks.decoder.classes > 0 && { [FEEDS.labels]: oneHot(labels, networks.decoder.classes) }),
      [FEEDS.codeNoise]: float32([batch, latent], normal(split(key, "code"), batch * latent)),
      [FEEDS.imageNoise]: float32(small, normal(split(key, "image"), sizeOf(small))),
      [FEEDS.deviation]: float32(
        [batch, 1, 1, 1],
        uniform(split(key, "deviation"), batch).map((u) => u * spec.noise),
      ),
      ...Object.fromEntries(Object.entries(scalars).map(([name, value]) => [name, float32([], [value])])),
    };
  };
}
