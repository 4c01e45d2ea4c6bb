import { gatherEvidence, inferLabels, type LabelEvidence, type LabelRule } from "../attacks/index.ts";
import { scoreLabels } from "../metrics/index.ts";
import { initialise } from "../nn/index.ts";
import { type ProgramCache, programCache } from "../runtime/index.ts";
import { FedleakError, fail, type Key, split } from "../util/index.ts";
import { checkHolder, drawPrivate, type Holdings } from "./clients.ts";
import { type LabelRow, labelFloors, rowOf, type TrialScore } from "./labels-table.ts";
import { type ImageSource, openImages } from "./open-images.ts";
import { drawsWeights } from "./own-model.ts";
import { ruleText } from "./partition-spec.ts";
import type { RunSpec } from "./spec.ts";
import { observed, prepareTrial, runKey, type Trial } from "./trial.ts";

export interface LabelStudyOptions {
  /** Batch sizes, each ≥ 1. */
  readonly batches: readonly number[];
  /** Batches drawn of each size, ≥ 1. */
  readonly trials: number;
  readonly rules: readonly LabelRule[];
  readonly onTrial?: (done: number, of: number) => void;
  /** Aborting it ends the study after the current trial. */
  readonly signal?: AbortSignal;
}

export interface LabelStudy {
  readonly status: "finished" | "interrupted";
  /** What the numbers stand for, in words. */
  readonly model: string;
  readonly data: string;
  readonly weights: string;
  readonly batchNorm: "train" | "eval";
  readonly draw: "one-per-class" | "uniform";
  /** Whose images the batches are, where the data are partitioned. */
  readonly client?: string;
  readonly seed: number;
  /** Rules, then floors, for each batch size. */
  readonly rows: readonly LabelRow[];
}

/**
 * How well rules infer the labels of a client's batch from its update, for batches of several sizes.
 *
 * Every rule sees the same batches; where the weights are drawn from the seed, each trial draws its own. No attack runs and
 * nothing is written. A rule that a model does not allow has a row that says why.
 * Throws FedleakError when the spec does not fit, or grants the labels.
 */
export async function studyLabels(asked: RunSpec, options: LabelStudyOptions): Promise<LabelStudy> {
  checkGrants(asked);
  const { batches, trials, onTrial, signal } = options;
  checkSizes(await openImages(asked.data), batches);
  const base = await prepareTrial(withBatch(asked, Math.min(...batches)));
  if (base.holdings !== undefined) checkHolder(asked, base.holdings, Math.max(...batches));
  const rows: LabelRow[] = [];
  let done = 0;
  for (const batchSize of batches) {
    const scores: TrialScore[] = [];
    const programs = programCache(); // one of the client and one of the dummies for each size
    try {
      for (let trial = 0; trial < trials && !signal?.aborted; trial++) {
        scores.push(await scoreTrial({ ...base, programs }, { batchSize, trial, rules: options.rules }));
        done += 1;
        onTrial?.(done, batches.length * trials);
      }
    } finally {
      await programs.release();
    }
    const key = split(runKey(asked, "batch"), "intervals");
    if (scores.length > 0) rows.push(...rowOf(batchSize, scores, split(key, batchSize)));
  }
  const { spec, model, source } = base;
  return {
    status: signal?.aborted ? "interrupted" : "finished",
    model: model.name,
    data: source.source,
    weights: drawsWeights(spec) ? "initial, drawn anew in each trial (round 0)" : base.weightsAbout,
    batchNorm: spec.client.batchNorm,
    draw: spec.data.draw,
    ...(base.holdings && { client: clientText(spec, base.holdings) }),
    seed: spec.seed,
    rows,
  };
}

interface TrialOf {
  readonly batchSize: number;
  readonly trial: number;
  readonly rules: readonly LabelRule[];
}

async function scoreTrial(base: Trial & { programs: ProgramCache }, { batchSize, trial, rules }: TrialOf) {
  const { model, source, device, programs } = base;
  const spec = withBatch(base.spec, batchSize);
  const own = (key: Key) => split(split(key, batchSize), trial);
  const keys = { batch: own(runKey(spec, "batch")), client: own(runKey(spec, "client")) };
  const held = { labels: source.labels, holdings: base.holdings };
  const { indices } = drawPrivate(spec, held, { count: batchSize, keys });
  const batch = await source.take(indices);
  const weights = drawsWeights(spec) ? initialise(model, own(runKey(spec, "weights"))) : base.weights;
  const observation = await observed(spec, { model, weights, batch, programs, key: own(runKey(spec, "defence")) });
  const evidence = await gatherEvidence(
    {
      model,
      observation,
      batchSize,
      mode: spec.client.batchNorm,
      key: own(runKey(spec, "attack")),
      device,
      threads: spec.threads,
      compile: programs.compile,
    },
    ...rules,
  );
  // The truth enters here, after the last rule has its evidence.
  const guesses = rules.map((rule) => ({ rule, ...guessed(rule, evidence) }));
  const floors = labelFloors({
    batchSize,
    classes: model.classes,
    population: source.labels,
    key: own(runKey(spec, "mismatched")),
  });
  return {
    rules: guesses.map(({ rule, labels, used, failure }) => ({
      rule,
      used,
      failure,
      score: labels && scoreLabels(batch.labels, labels),
    })),
    floors: floors.map(({ floor, guesses: drawn }) => ({
      floor,
      scores: drawn.map((labels) => scoreLabels(batch.labels, labels)),
    })),
  };
}

function guessed(rule: LabelRule, evidence: LabelEvidence) {
  try {
    const { labels, rule: used } = inferLabels(rule, evidence);
    return { labels, used, failure: undefined };
  } catch (error) {
    if (!(error instanceof FedleakError)) throw error;
    return { labels: undefined, used: undefined, failure: error.message };
  }
}

/** A client that is drawn is another one in each trial; the partition stays. */
function clientText({ data: { partition } }: RunSpec, holdings: Holdings): string {
  const { client, clients } = partition!;
  const which =
    client === null
      ? "drawn anew in each trial among those with enough images"
      : `number ${client} (counted from 0), ${holdings[client]!.length} images`;
  return `one of ${clients} by ${ruleText(partition!)}: ${which}`;
}

function withBatch(spec: RunSpec, batchSize: number): RunSpec {
  return { ...spec, client: { ...spec.client, batchSize } };
}

function checkGrants({ client }: RunSpec): void {
  if (client.grants.includes("labels")) {
    fail({
      who: "labels",
      must: "the labels must not be granted where they are to be inferred",
      got: `grants ${client.grants.join(", ")}`,
      remedy: "Leave labels out of --grant.",
    });
  }
}

function checkSizes({ labels, source }: ImageSource, batches: readonly number[]): void {
  const most = Math.max(...batches);
  if (most > labels.length) {
    fail({
      who: "labels",
      must: `a batch must have at most the ${labels.length} images of ${source}`,
      got: `${most}`,
      remedy: "Pass smaller --batches, or other data.",
    });
  }
}
