import { batchOrder, beginTraining, trainingStep } from "../../fl/index.ts";
import { float32, numbers, sizeOf, type Tensors } from "../../tensor/index.ts";
import { fail, split } from "../../util/index.ts";
import { MANIFEST_FILE } from "../captured/manifest.ts";
import { payloadFile, readManifest, readPayload } from "../captured/payload.ts";
import { exists } from "../run-folder.ts";
import { deltaOf } from "../train/capture.ts";
import { prepareTraining, trainKey } from "../train/prepare.ts";
import { optimiserOf } from "../train/task.ts";
import type { SecureRoundSpec } from "./spec.ts";

/** What the clients of one round would send, and what it took them to make it. */
export interface MadeUpdates {
  /** One a client, all of the same names and shapes. */
  readonly updates: readonly Tensors<"float32">[];
  /** Where they come from, in words. */
  readonly about: string;
  /** Local training; null: the updates were given. */
  readonly training: LocalTraining | null;
}

export interface LocalTraining {
  /** Mean over clients; compiling is not counted. */
  readonly seconds: number;
  readonly localSteps: number;
  readonly batchSize: number;
}

type Progress = (done: number, of: number) => void;

/**
 * Trains every client for some steps and gives its weights after − before, parameters and running statistics.
 *
 * All clients draw their batches from the same images: what they cost does not depend on how the images are shared out.
 * Throws FedleakError when data and model do not fit or a client's weights overflow.
 */
export async function trainedUpdates(
  { training: spec, clients }: SecureRoundSpec,
  progress?: Progress,
): Promise<MadeUpdates> {
  const { model, device, data, closed, weights } = await prepareTraining(spec);
  const batchSize = Math.min(spec.batchSize, closed.length);
  const localSteps = spec.federation.localSteps!;
  const optimiser = optimiserOf(spec);
  const { batchNorm: mode, threads } = spec;
  const program = await trainingStep({ model, batchSize, mode, optimiser, device, threads });
  const updates: Tensors<"float32">[] = [];
  let seconds = 0;
  try {
    for (let client = 0; client < clients; client++) {
      const key = split(trainKey(spec, "batches"), client);
      const order = batchOrder({ count: closed.length, batchSize, key });
      const since = performance.now();
      let state = beginTraining(model, optimiser, weights);
      for (let step = 0; step < localSteps; step++) {
        const batch = await data.take(order(step).map((i) => closed[i]!));
        const made = await program.advance(state, batch, spec.optimiser.learningRate);
        if (!made.finite) overflowed(client + 1, step + 1);
        state = made.state;
        progress?.(client * localSteps + step + 1, clients * localSteps);
      }
      const after = { ...state.weights.params, ...state.weights.buffers };
      updates.push(deltaOf(after, { ...weights.params, ...weights.buffers }));
      seconds += (performance.now() - since) / 1000 / clients;
    }
  } finally {
    await program.release();
  }
  const about = `${model.name} trained by ${clients} clients, ${localSteps} steps of ${batchSize} images of ${data.source}`;
  return { updates, about, training: { seconds, localSteps, batchSize } };
}

/**
 * The updates in the folders of captured updates or in files of tensors, as they were sent.
 *
 * Tensors of whole numbers, as BatchNorm's count of batches, are left away. Throws FedleakError at a file that cannot be read.
 */
export async function givenUpdates(paths: readonly string[]): Promise<MadeUpdates> {
  const updates: Tensors<"float32">[] = [];
  for (const path of paths) {
    const tensors = Object.entries(await readPayload(await updateFile(path), undefined));
    const floats = tensors.filter(([, { dtype }]) => dtype.startsWith("float"));
    updates.push(Object.fromEntries(floats.map(([name, t]) => [name, float32(t.shape, numbers(t))])));
    if (floats.reduce((sum, [, t]) => sum + sizeOf(t.shape), 0) === 0) {
      fail({ who: `update ${path}`, must: "it must hold numbers", got: "none", remedy: "Pass what a client sent." });
    }
  }
  return { updates, about: `${paths.length} given updates`, training: null };
}

async function updateFile(path: string): Promise<string> {
  if (!(await exists(`${path}/${MANIFEST_FILE}`))) return path;
  const found = await payloadFile(path, "update", (await readManifest(path)).update);
  return (
    found ??
    fail({ who: `update ${path}`, must: "it must hold a file update.*", got: "none", remedy: "Check the path." })
  );
}

function overflowed(client: number, step: number): never {
  return fail({
    who: `client ${client}`,
    must: "its weights must stay finite",
    got: `NaN or infinity after step ${step}`,
    remedy: "Lower --lr.",
  });
}
