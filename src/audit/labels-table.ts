import type { LabelRule } from "../attacks/index.ts";
import { bootstrapMean95, type LabelScore, shareInterval95 } from "../metrics/index.ts";
import { type Key, split, uniform } from "../util/index.ts";

/** A line of the table: a rule or a floor at one batch size. */
export interface LabelRow {
  readonly batchSize: number;
  readonly kind: "rule" | "floor";
  readonly name: string;
  /** Trials that count. */
  readonly trials: number;
  /** Mean label-count accuracy in [0,1], and its 95 % interval by the bootstrap; null where it cannot be. */
  readonly countAccuracy: number | null;
  readonly countInterval95: readonly [number, number] | null;
  /** Share of trials whose labels were all found, and Wilson's 95 % interval. */
  readonly exact: number | null;
  readonly exactInterval95: readonly [number, number] | null;
  /** For "auto": how often it chose which rule. */
  readonly chose?: Readonly<Record<string, number>>;
  /** Why a rule has no numbers. */
  readonly failure?: string;
}

/** What one batch brought. */
export interface TrialScore {
  readonly rules: readonly {
    readonly rule: LabelRule;
    /** The rule that was used: what "auto" chose. */
    readonly used: string | undefined;
    readonly failure: string | undefined;
    readonly score: LabelScore | undefined;
  }[];
  readonly floors: readonly { readonly floor: string; readonly scores: readonly LabelScore[] }[];
}

/** The lines of one batch size: each rule in the order asked, then the floors. */
export function rowOf(batchSize: number, trials: readonly TrialScore[], key: Key): LabelRow[] {
  const rules = trials[0]!.rules.map(({ rule }, at): LabelRow => {
    const own = trials.map(({ rules: all }) => all[at]!);
    const scores = own.flatMap(({ score }) => (score ? [score] : []));
    const failure = own.find((one) => one.failure !== undefined)?.failure;
    const line = {
      batchSize,
      kind: "rule",
      name: rule,
      ...averaged(
        scores.map((s) => [s]),
        split(key, rule),
      ),
    } as const;
    if (rule !== "auto") return failure === undefined ? line : { ...line, failure };
    const chose: Record<string, number> = {};
    for (const { used } of own) if (used !== undefined) chose[used] = (chose[used] ?? 0) + 1;
    return { ...line, chose };
  });
  const floors = trials[0]!.floors.map(({ floor }, at): LabelRow => {
    const scores = trials.map(({ floors: all }) => all[at]!.scores);
    return { batchSize, kind: "floor", name: floor, ...averaged(scores, split(key, floor)) };
  });
  return [...rules, ...floors];
}

function averaged(trials: readonly (readonly LabelScore[])[], key: Key) {
  const nothing = { trials: 0, countAccuracy: null, countInterval95: null, exact: null, exactInterval95: null };
  if (trials.length === 0) return nothing;
  const accuracies = trials.map((scores) => mean(scores.map(({ countAccuracy }) => countAccuracy)));
  const exact = mean(trials.map((scores) => mean(scores.map((s) => (s.exact ? 1 : 0)))));
  return {
    trials: trials.length,
    countAccuracy: mean(accuracies),
    countInterval95: bootstrapMean95(
      accuracies.map((a) => [a]),
      key,
    ),
    exact,
    exactInterval95: shareInterval95(exact, trials.length),
  };
}

/**
 * Guesses without the update, as floors: labels drawn uniformly (GUESSES of them, to be averaged), the data's most
 * frequent class for every image, and every class as often, the lowest ones once more.
 *
 * population: the labels of all the data. Source: our choice; that the second knows the data's frequencies is granted to it.
 */
export function labelFloors(of: {
  readonly batchSize: number;
  readonly classes: number;
  readonly population: readonly number[];
  readonly key: Key;
}): readonly { readonly floor: string; readonly guesses: readonly (readonly number[])[] }[] {
  const { batchSize, classes, population, key } = of;
  const drawn = Array.from({ length: GUESSES }, (_, g) =>
    Array.from(uniform(split(key, g), batchSize), (u) => Math.floor(u * classes)),
  );
  const frequent = Array.from({ length: batchSize }, () => mostFrequent(population));
  const even = Array.from({ length: batchSize }, (_, i) => i % classes);
  return [
    { floor: "uniform-guess", guesses: drawn },
    { floor: "most-frequent", guesses: [frequent] },
    { floor: "evenly", guesses: [even] },
  ];
}

const GUESSES = 20; // a trial; our choice

function mostFrequent(labels: readonly number[]): number {
  const counts = new Map<number, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))[0];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
