import {
  type Cost,
  encryptedRound,
  fixedPoint,
  flatUpdate,
  maskedRound,
  opened,
  quantised,
  roundingBound,
  seconds,
  systemRandom,
  topPositions,
} from "../../secure/index.ts";
import { fail } from "../../util/index.ts";
import type { SecureRoundResult } from "./result.ts";
import type { SecureRoundSpec } from "./spec.ts";
import { givenUpdates, trainedUpdates } from "./updates.ts";

export interface SecureRoundWatcher {
  readonly onStage?: (text: string) => void;
  /** Within a stage. */
  readonly onProgress?: (done: number, of: number) => void;
}

/**
 * Runs one round of secure aggregation over simulated clients' updates and measures what it costs and how exact it is.
 *
 * All parties compute in this process, one after the other; nothing is sent over a network. Secrets come from the platform's
 * generator. Throws FedleakError when updates do not fit each other, leave the range, or are not finite.
 */
export async function runSecureRound(
  spec: SecureRoundSpec,
  watcher: SecureRoundWatcher = {},
): Promise<SecureRoundResult> {
  const given = spec.updates.length > 0;
  watcher.onStage?.(given ? "reading the updates" : "training the clients");
  const made = given ? await givenUpdates(spec.updates) : await trainedUpdates(spec, watcher.onProgress);
  const inputs = made.updates.map((update, u) => flatUpdate(update, made.updates[0]!, `update of client ${u + 1}`));
  checkFinite(inputs);
  const range = spec.range ?? holding(inputs);
  checkWithin(inputs, range);
  const left = inputs.slice(0, inputs.length - spec.drop);
  const [mean, plainSeconds] = await seconds(clock, () => meanOf(left));
  const { clients, scheme } = spec;
  watcher.onStage?.(scheme === "masks" ? "masking, adding and unmasking" : "encrypting, adding and opening");
  const job = { spec, inputs, range, watcher };
  const measured = scheme === "masks" ? await masked(job) : await encrypted(job);
  const numbers = inputs[0]!.length;
  return {
    ...{ scheme, clients, survivors: left.length },
    threshold: scheme === "masks" ? spec.threshold : null,
    ...{ numbers, about: made.about, training: made.training, range },
    encrypted: measured.encrypted,
    client: { ...typical(measured.costs.slice(0, left.length)), openSeconds: measured.openSeconds },
    server: measured.server,
    plain: { serverSeconds: plainSeconds, bytes: 4 * numbers },
    exact: measured.exact,
    error: { ...errorOf(measured.mean, mean), bound: measured.bound },
  };
}

interface Job {
  readonly spec: SecureRoundSpec;
  readonly inputs: readonly Float32Array[];
  readonly range: number;
  readonly watcher: SecureRoundWatcher;
}

interface Measured extends Pick<SecureRoundResult, "server" | "encrypted" | "exact"> {
  readonly mean: Float64Array;
  /** Of clients 1 … U. */
  readonly costs: readonly Cost[];
  readonly openSeconds: number;
  readonly bound: number | null;
}

const clock = () => performance.now() / 1000;

async function masked({ spec, inputs, range, watcher }: Job): Promise<Measured> {
  const plan = fixedPoint({ range, clients: inputs.length });
  const rounded: (readonly [Uint32Array, number])[] = [];
  for (const input of inputs) rounded.push(await seconds(clock, () => quantised(input, plan)));
  const integers = rounded.map(([values]) => values);
  const gone = Array.from({ length: spec.drop }, (_, i) => [inputs.length - i, "input"] as const);
  const { sum, survivors, clients, server } = await maskedRound({
    inputs: integers,
    threshold: spec.threshold,
    leaves: Object.fromEntries(gone),
    random: () => systemRandom,
    clock,
    ...(watcher.onProgress && { progress: watcher.onProgress }),
  });
  const expected = new Uint32Array(sum.length);
  for (const id of survivors) for (let i = 0; i < sum.length; i++) expected[i]! += integers[id - 1]![i]!;
  return {
    mean: opened(sum, plan).map((value) => value / survivors.length),
    costs: clients.map((cost, i) => ({ ...cost, seconds: cost.seconds + rounded[i]![1] })),
    openSeconds: 0,
    server,
    encrypted: null,
    exact: sum.every((value, i) => value === expected[i]),
    bound: roundingBound(plan),
  };
}

async function encrypted({ spec, inputs, range, watcher }: Job): Promise<Measured> {
  const magnitudes = new Float64Array(inputs[0]!.length);
  for (const input of inputs) for (let i = 0; i < input.length; i++) magnitudes[i]! += Math.abs(input[i]!);
  const positions = topPositions(magnitudes, spec.encryptShare);
  const dropped = Array.from({ length: spec.drop }, (_, i) => inputs.length - i);
  const { sum, survivors, clients, server, decryptSeconds } = await encryptedRound({
    ...{ inputs, range, dropped, positions, clock },
    ...(watcher.onProgress && { progress: watcher.onProgress }),
  });
  return {
    mean: sum.map((value) => value / survivors.length),
    costs: clients,
    openSeconds: decryptSeconds,
    server,
    encrypted: {
      share: spec.encryptShare,
      numbers: positions.length,
      ownTopShare: ownTop(inputs, positions, spec.encryptShare),
    },
    exact: null,
    bound: null,
  };
}

/** How much of each client's own largest entries is among the positions that all encrypt, on average. */
function ownTop(inputs: readonly Float32Array[], positions: Uint32Array, share: number): number {
  const hidden = new Uint8Array(inputs[0]!.length);
  for (const i of positions) hidden[i] = 1;
  const shares = inputs.map((input) => {
    const own = topPositions(Float64Array.from(input, Math.abs), share);
    return own.reduce((found, i) => found + hidden[i]!, 0) / own.length;
  });
  return shares.reduce((sum, x) => sum + x, 0) / shares.length;
}

const SMALLEST_EXPONENT = -90; // our choice: a fixed point takes no smaller range than 1e-30

function checkFinite(inputs: readonly Float32Array[]): void {
  for (const [u, input] of inputs.entries()) {
    const wrong = input.find((value) => !Number.isFinite(value));
    if (wrong === undefined) continue;
    fail({
      who: `update of client ${u + 1}`,
      must: "every number must be finite",
      got: `${wrong}`,
      remedy: "Leave it out.",
    });
  }
}

function checkWithin(inputs: readonly Float32Array[], range: number): void {
  for (const [u, input] of inputs.entries()) {
    const wrong = input.find((value) => Math.abs(value) > range);
    if (wrong === undefined) continue;
    fail({
      who: `update of client ${u + 1}`,
      must: `every entry must be a number from −${range} to ${range}`,
      got: `${wrong}`,
      remedy: "Agree on a larger range, or clip the update.",
    });
  }
}

/** The least power of two that holds all entries, which are finite. Real clients must agree on one before they know any update. */
function holding(inputs: readonly Float32Array[]): number {
  let largest = 0;
  for (const input of inputs) for (const value of input) largest = Math.max(largest, Math.abs(value));
  return largest === 0 ? 1 : 2 ** Math.max(SMALLEST_EXPONENT, Math.ceil(Math.log2(largest)));
}

function meanOf(inputs: readonly Float32Array[]): Float64Array {
  const sum = new Float64Array(inputs[0]!.length);
  for (const input of inputs) for (let i = 0; i < input.length; i++) sum[i]! += input[i]!;
  return sum.map((value) => value / inputs.length);
}

function typical(costs: readonly Cost[]) {
  const mean = (of: (cost: Cost) => number) => costs.reduce((sum, cost) => sum + of(cost), 0) / costs.length;
  return {
    seconds: mean((cost) => cost.seconds),
    slowestSeconds: Math.max(...costs.map((cost) => cost.seconds)),
    sentBytes: mean((cost) => cost.sentBytes),
    receivedBytes: mean((cost) => cost.receivedBytes),
  };
}

function errorOf(mean: Float64Array, expected: Float64Array) {
  let [largest, squares, total] = [0, 0, 0];
  for (let i = 0; i < mean.length; i++) {
    const error = Math.abs(mean[i]! - expected[i]!);
    largest = Math.max(largest, error);
    squares += error ** 2;
    total += expected[i]! ** 2;
  }
  return { largest, relative: total === 0 ? null : Math.sqrt(squares / total) };
}
