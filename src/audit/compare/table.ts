import { bootstrapMean95 } from "../../metrics/index.ts";
import { key, split } from "../../util/index.ts";
import type { TableLine, TrialResult, TrialRow } from "./comparison.ts";
import type { ComparePlan } from "./plan.ts";

/**
 * The table of a comparison: for each setting and batch size one line an attack, the highest one-to-one mean first.
 *
 * The order is that of the means over the seeds on which every attack with a score has one, so that no attack comes first by
 * easier batches; where there is no such seed, over each attack's own.
 *  * A mean is over all images of all scored trials. A trial that failed on its way counts with its last finite iterate, which
 * is what such an attacker has; one without any score is in no mean, but is counted as failed (our choice).
 * Intervals are by the bootstrap over seeds and, within them, images; a difference to the reference is taken image by
 * image before, on the seeds both were scored on. The draws of the bootstrap have a fixed key: equal rows, equal table.
 */
export function tableOf(
  plan: Pick<ComparePlan, "settings" | "batches" | "attacks" | "reference">,
  rows: readonly TrialRow[],
): TableLine[] {
  return plan.settings.flatMap((setting) =>
    plan.batches.flatMap(({ size }) => {
      const cell = rows.filter((row) => row.setting === setting.name && row.batchSize === size);
      const lines = plan.attacks.map(({ as }) => lineOf(cell, as, plan.reference, { setting: setting.name, size }));
      const rank = rankOf(cell);
      const [first, ...others] = lines.sort((a, b) => rank(b.attack) - rank(a.attack));
      return first === undefined ? [] : [{ ...first, ...leadOf(cell, first.attack, others[0]?.attack) }, ...others];
    }),
  );
}

/** What the lines of a cell are ordered by: the mean over common seeds. */
function rankOf(cell: readonly TrialRow[]): (attack: string) => number {
  const scored = cell.filter(({ result }) => result !== undefined);
  const attacks = new Set(scored.map(({ attack }) => attack));
  const seeds = [...new Set(scored.map(({ seed }) => seed))];
  const common = seeds.filter((seed) => scored.filter((row) => row.seed === seed).length === attacks.size);
  return (attack) => {
    const own = scored.filter((row) => row.attack === attack);
    const counted = common.length === 0 ? own : own.filter(({ seed }) => common.includes(seed));
    return counted.length === 0 ? -1 : mean(counted.map(({ result }) => mean(result!.psnrDb.oneToOne))); // −1: under any PSNR
  };
}

function leadOf(cell: readonly TrialRow[], first: string, second: string | undefined): Pick<TableLine, "lead"> {
  const found = second === undefined ? null : differenceOf(cell, first, second);
  return found === null ? {} : { lead: { over: second!, ...found } };
}

const BOOTSTRAP = split(key(0), "comparison"); // our choice: any fixed key

function lineOf(
  cell: readonly TrialRow[],
  attack: string,
  reference: string,
  { setting, size }: { readonly setting: string; readonly size: number },
): TableLine {
  const own = cell.filter((row) => row.attack === attack);
  const results = own.flatMap(({ result }) => (result ? [result] : []));
  const trials = {
    planned: own.length,
    scored: results.length,
    failed: own.filter((r) => r.status === "failed").length,
  };
  const at = { setting, batchSize: size, attack, trials };
  if (results.length === 0) return { ...at, ...UNSCORED };
  const over = (value: (result: TrialResult) => number) => mean(results.map(value));
  const psnr = (pairing: "oneToOne" | "manyToOne") => results.map(({ psnrDb }) => psnrDb[pairing]);
  const similarity = (pairing: "oneToOne" | "manyToOne") => meanOrNull(results.map(({ ssim }) => ssim[pairing]));
  const psnrDb = { oneToOne: mean(psnr("oneToOne").map(mean)), manyToOne: mean(psnr("manyToOne").map(mean)) };
  const floorDb = over(({ floor }) => floor.psnrDb);
  return {
    ...at,
    psnrDb,
    psnrInterval95Db: {
      oneToOne: interval(psnr("oneToOne")),
      manyToOne: interval(psnr("manyToOne")),
    },
    ssim: { oneToOne: similarity("oneToOne"), manyToOne: similarity("manyToOne") },
    floorDb,
    leakageDb: psnrDb.oneToOne - floorDb,
    labels: { granted: results[0]!.labels.granted, countAccuracy: over(({ labels }) => labels.countAccuracy) },
    evaluations: over(({ evaluations }) => evaluations),
    seconds: over(({ seconds }) => seconds),
    difference: attack === reference ? null : differenceOf(cell, attack, reference),
  };
}

const UNSCORED = {
  psnrDb: null,
  psnrInterval95Db: { oneToOne: null, manyToOne: null },
  ssim: { oneToOne: null, manyToOne: null },
  floorDb: null,
  leakageDb: null,
  labels: null,
  evaluations: null,
  seconds: null,
  difference: null,
} as const;

/** The paired difference: the same image of the same seed under both attacks. */
function differenceOf(cell: readonly TrialRow[], attack: string, reference: string): TableLine["difference"] {
  const values = (label: string, seed: number) =>
    cell.find((row) => row.attack === label && row.seed === seed)?.result?.psnrDb.oneToOne;
  const seeds = cell.filter((row) => row.attack === attack).map(({ seed }) => seed);
  const groups = seeds.flatMap((seed) => {
    const [own, other] = [values(attack, seed), values(reference, seed)];
    return own && other ? [own.map((psnrDb, i) => psnrDb - other[i]!)] : [];
  });
  if (groups.length === 0) return null;
  return { meanDb: mean(groups.map(mean)), interval95Db: interval(groups), seeds: groups.length };
}

/** groups: one a seed, of values by image */
function interval(groups: readonly (readonly number[])[]): readonly [number, number] | null {
  return bootstrapMean95(groups, BOOTSTRAP);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function meanOrNull(values: readonly (number | null)[]): number | null {
  return values.every((value) => value !== null) ? mean(values) : null;
}
