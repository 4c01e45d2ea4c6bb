import { partition } from "../../data/index.ts";
import { drawClients } from "../../fl/index.ts";
import { variationsOf } from "../clients.ts";
import { type Training, trainKey } from "./prepare.ts";
import type { Participation } from "./privacy.ts";

/** The images of each client: indices into the data, drawn from the seed. Throws FedleakError where a client would be left without one. */
export async function partsOf({ spec, data, closed }: Training): Promise<readonly (readonly number[])[]> {
  const { clients, partition: asked } = spec.federation;
  const plan = { ...asked, alpha: asked.alpha!, clients, key: trainKey(spec, "partition") };
  const labels = closed.map((i) => data.labels[i]!);
  const variation = asked.name === "feature-skew" ? { variation: await variationsOf(data, closed) } : {};
  return partition({ labels, ...variation }, plan).map((numbers) => numbers.map((i) => closed[i]!));
}

/** How often each client will send an update in the whole training, and with what; nothing where nobody defends itself. */
export function participationsOf(training: Training, parts: readonly (readonly number[])[]): Participation[] {
  const { spec } = training;
  const { localSteps, localEpochs } = spec.federation;
  if (spec.federation.defences.length === 0) return [];
  const rounds = parts.map(() => 0);
  for (let number = 0; number < spec.length; number++) for (const u of sendersIn(training, number)) rounds[u]! += 1;
  return parts.map(({ length: images }, u) => {
    const batchSize = Math.min(spec.batchSize, images);
    const steps = spec.training === "fedsgd" ? 1 : (localSteps ?? localEpochs * Math.floor(images / batchSize));
    return { images, rounds: rounds[u]!, steps, batchSize };
  });
}

/** The clients that take part in a round. */
export function drawnIn({ spec }: Training, number: number): number[] {
  const { clients, share } = spec.federation;
  return drawClients(clients, share, trainKey(spec, "clients"), number);
}

/** Those, and the one that is captured: the server sees its update even where it has no part in the average. */
export function sendersIn(training: Training, number: number): number[] {
  const drawn = drawnIn(training, number);
  const { capture } = training.spec.federation;
  return capture?.rounds.includes(number) && !drawn.includes(capture.client) ? [...drawn, capture.client] : drawn;
}
