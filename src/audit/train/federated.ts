import { partitionCounts } from "../../data/index.ts";
import type { Link } from "../../defences/index.ts";
import {
  averaged,
  beginTraining,
  type Clients,
  type Contribution,
  clientsOf,
  type Evaluation,
  handedOut,
  keptByClient,
  keptOf,
  prefixed,
  type ServerProgram,
  serverStep,
  type TurnOutcome,
  type Weights,
  weightedMean,
  withPrefix,
} from "../../fl/index.ts";
import { programThreads, sharedThreads } from "../../runtime/index.ts";
import type { Tensors } from "../../tensor/index.ts";
import { split } from "../../util/index.ts";
import { lanes } from "../lanes.ts";
import { adaptiveMemory, afterRound, linksAt } from "./adaptive.ts";
import { type Captured, deltaOf } from "./capture.ts";
import { defendedWeights, localGradient, planDefences } from "./defended.ts";
import { type Measurer, measurer } from "./measure.ts";
import { drawnIn, participationsOf, partsOf, sendersIn } from "./parts.ts";
import { type Training, trainKey } from "./prepare.ts";
import { clientPrefix, stateOf, tensorsOf, weightsOf } from "./state-tensors.ts";
import { type Advance, optimiserOf, scheduleOf, type TrainingTask } from "./task.ts";

/**
 * A federation: each round some clients are drawn, work on their own images, and the server joins what they send.
 *
 * Clients without defences work side by side and share the processor's threads; each begins with the same weights, so the order in
 * which they end changes nothing.
 */
export async function federatedTask(training: Training): Promise<TrainingTask> {
  const { spec, model, device, data, weights } = training;
  const { federation, threads } = spec;
  const parts = await partsOf(training);
  const gradients = spec.training === "fedsgd";
  const { links, assumptions } = planDefences(training, participationsOf(training, parts));
  const measured = await measurer(training);
  const optimiser = optimiserOf(spec);
  const server = gradients ? await serverStep({ model, optimiser, device, threads }) : undefined;
  const alone = links.length > 0 || device !== "cpu"; // a defence's own programs run in this thread
  const share = alone ? { atOnce: 1, threads } : await sharedThreads(threads, drawnIn(training, 0).length);
  const beside = share.atOnce > 1 ? programThreads(share.atOnce) : undefined;
  const clients = clientsOf({
    ...{ model, mode: spec.batchNorm, batchSize: spec.batchSize, optimiser, device },
    ...{ threads: beside ? share.threads : threads, beside },
    localSteps: federation.localSteps,
    localEpochs: federation.localEpochs,
  });
  const federationState: Federation = {
    training,
    ...{ parts, links, clients, atOnce: share.atOnce, server, measured, factor: scheduleOf(spec) },
  };
  const first = gradients ? beginTraining(model, optimiser, weights) : { weights, memory: {}, steps: 0 };
  return {
    unit: "round",
    initial: { ...tensorsOf(first), ...adaptiveMemory(links) },
    counts: partitionCounts(parts, data.labels, data.classNames.length),
    assumptions,
    defences: (tensors) =>
      linksAt(links, tensors).map(({ defence: { name }, settings }) => ({ name, settings: { ...settings } })),
    advance: (tensors, done) => round(federationState, tensors, done),
    measure: (tensors, done, most) => overClients(federationState, tensors, done, (seen) => measured.open(seen, most)),
    test: async (tensors, done) =>
      training.test && overClients(federationState, tensors, done, async (seen) => (await measured.test(seen))!),
    weights: weightsOf,
    release: async () => {
      await clients.release();
      await beside?.release();
      await server?.release();
      await measured.release();
    },
  };
}

interface Federation {
  readonly training: Training;
  /** Indices into the data by client. */
  readonly parts: readonly (readonly number[])[];
  readonly links: readonly Link[];
  readonly clients: Clients;
  /** How many clients work at once. */
  readonly atOnce: number;
  readonly server: ServerProgram | undefined;
  readonly measured: Measurer;
  readonly factor: (round: number) => number;
}

async function round(federation: Federation, tensors: Tensors<"float32">, number: number): Promise<Advance> {
  const { training, parts, factor, server } = federation;
  const { spec, model } = training;
  const { bnBuffers, capture } = spec.federation;
  const state = stateOf(tensors, number);
  const learningRate = spec.optimiser.learningRate * factor(number);
  const drawn = drawnIn(training, number);
  const wanted = capture?.rounds.includes(number) ? capture.client : undefined;
  const contributions: Contribution[] = [];
  const kept: Record<string, Tensors<"float32">[string]> = {};
  let captured: Captured | undefined;
  for (const { client, outcome } of await turns(federation, tensors, number, learningRate)) {
    if (!outcome.finite) return { ...told(contributions, outcome, learningRate), tensors, finite: false };
    if (client === wanted) captured = capturedOf(federation, tensors, outcome, { client, round: number, learningRate });
    if (!drawn.includes(client)) continue; // captured only: it has no part in the round
    contributions.push({ outcome, images: parts[client]!.length });
    Object.assign(kept, prefixed(clientPrefix(client), keptOf(outcome.weights, model, bnBuffers)));
  }
  const weights = averaged(state.weights, contributions, model, bnBuffers);
  const after = server
    ? await server.advance(
        { ...state, weights: { ...weights, params: state.weights.params } },
        meanGradient(contributions),
        learningRate,
      )
    : { state: { ...state, weights }, finite: true };
  const next = { ...tensors, ...tensorsOf(after.state), ...kept };
  const memory = await afterRound(tensors, async () => {
    const seen = (weights: Weights) => federation.measured.open(weights, VALIDATED);
    return (await overClients(federation, next, number + 1, seen)).loss;
  });
  return {
    ...told(contributions, undefined, learningRate),
    tensors: { ...next, ...memory },
    finite: after.finite,
    ...(captured && { captured }),
  };
}

/** What all clients of a round make of it, in their order. */
async function turns(federation: Federation, tensors: Tensors<"float32">, number: number, learningRate: number) {
  const made = new Map<number, TurnOutcome>();
  const senders = sendersIn(federation.training, number);
  await lanes(senders, federation.atOnce, undefined, async (client) => {
    made.set(client, await turn(federation, tensors, client, number, learningRate));
  });
  return senders.map((client) => ({ client, outcome: made.get(client)! }));
}

const VALIDATED = 200; // public images at most that steer adaptive-dp's noise, each round; our choice

async function turn(
  { training, parts, links: planned, clients }: Federation,
  tensors: Tensors<"float32">,
  client: number,
  number: number,
  learningRate: number,
): Promise<TurnOutcome> {
  const { spec, data, model, device } = training;
  const { batchNorm: mode, threads, federation } = spec;
  const indices = parts[client]!;
  const sends = spec.training === "fedsgd";
  const links = linksAt(planned, tensors);
  const key = split(split(trainKey(spec, "defence"), client), number);
  const gradientOf = localGradient(links, key, sends);
  const given = {
    weights: handedOut(weightsOf(tensors), withPrefix(clientPrefix(client), tensors)),
    count: indices.length,
    take: (numbers: readonly number[]) => data.take(numbers.map((i) => indices[i]!)),
    learningRate,
    key: split(split(trainKey(spec, "batches"), client), number),
    ...(gradientOf && { gradientOf }),
  };
  if (sends) return clients.gradient(given);
  const outcome = await clients.train(given);
  if (links.length === 0 || !outcome.finite) return outcome;
  const weights = await defendedWeights({
    ...{ links, key, after: outcome.weights, kept: keptByClient(model, federation.bnBuffers) },
    step: { ...{ model, weights: given.weights, mode, device, threads }, ...(await given.take(outcome.batches[0]!)) },
    scale: learningRate * outcome.batches.length,
  });
  const finite = Object.values(weights.params).every(({ data }) => data.every(Number.isFinite)); // noise may overflow
  return { ...outcome, weights, finite };
}

function meanGradient(contributions: readonly Contribution[]): Tensors<"float32"> {
  return weightedMean(contributions.map(({ outcome, images }) => ({ tensors: outcome.gradient!, weight: images })));
}

/** Loss and accuracy over the clients of a round, each counting by the images it saw; the accuracy of a gradient is not known. */
function told(
  contributions: readonly Contribution[],
  last: TurnOutcome | undefined,
  learningRate: number,
): Pick<Advance, "loss" | "trainAccuracy" | "learningRate"> {
  const outcomes = [...contributions.map(({ outcome }) => outcome), ...(last ? [last] : [])];
  const seen = outcomes.reduce((sum, outcome) => sum + outcome.seen, 0);
  const loss = outcomes.reduce((sum, outcome) => sum + outcome.loss * (outcome.seen / seen), 0);
  const correct = outcomes.reduce((sum, outcome) => sum + (outcome.correct ?? Number.NaN), 0);
  return { loss, learningRate, ...(Number.isFinite(correct) && { trainAccuracy: correct / seen }) };
}

/** What a client sent, and what it holds back. Buffers that clients keep are not sent. */
function capturedOf(
  { training, parts }: Federation,
  tensors: Tensors<"float32">,
  { weights, gradient, batches }: TurnOutcome,
  about: Pick<Captured, "client" | "round" | "learningRate">,
): Captured {
  const { spec, model } = training;
  const { bnBuffers, send } = spec.federation;
  const own = withPrefix(clientPrefix(about.client), tensors);
  const given = weightsOf(tensors);
  const before = { ...given.params, ...given.buffers };
  const keeps = new Set(keptByClient(model, bnBuffers));
  const leaving = (all: Tensors<"float32">) =>
    Object.fromEntries(Object.entries(all).filter(([name]) => !keeps.has(name)));
  const after = leaving({ ...weights.params, ...weights.buffers });
  const update = gradient
    ? { ...gradient, ...leaving(weights.buffers) }
    : send === "delta"
      ? deltaOf(after, before)
      : after;
  const indices = parts[about.client]!;
  return {
    ...about,
    before,
    sent: gradient ? "gradient" : send,
    update,
    localSteps: batches.length,
    batchSize: batches[0]!.length,
    images: indices.length,
    batches: batches.map((numbers) => numbers.map((i) => indices[i]!)),
    own,
  };
}

/**
 * A measurement of the server's weights or, where clients keep a part of them, one over some clients of the last round, each
 * with its own part.
 */
async function overClients(
  { training }: Federation,
  tensors: Tensors<"float32">,
  done: number,
  measure: (weights: Weights) => Promise<Evaluation>,
): Promise<Evaluation> {
  const server = weightsOf(tensors);
  if (training.spec.federation.bnBuffers === "averaged" || done === 0) return measure(server);
  const clients = drawnIn(training, done - 1).slice(0, MEASURED_CLIENTS);
  const each: Evaluation[] = [];
  for (const client of clients) each.push(await measure(handedOut(server, withPrefix(clientPrefix(client), tensors))));
  const mean = (value: (one: Evaluation) => number) => each.reduce((sum, one) => sum + value(one), 0) / each.length;
  return {
    images: each[0]!.images,
    correct: Math.round(mean(({ correct }) => correct)),
    accuracy: mean(({ accuracy }) => accuracy),
    loss: mean(({ loss }) => loss),
  };
}

const MEASURED_CLIENTS = 5; // our choice: measuring must not take longer than training
