import { leakage } from "../metrics/index.ts";
import type { RunRecord, RunResults } from "./record-schema.ts";

/** What every number must say about itself (DESIGN section 4, Ledger); a record with numbers names all of them. */
export const requiredAssumptions = [
  "labels", // known or inferred
  "bn-mode", // BatchNorm in train or eval mode, or no BatchNorm
  "buffers", // who sent BatchNorm's running statistics
  "weights", // initial or trained, and the round
  "activation",
  "batch-size", // known to the attack or not
  "local-steps",
  "scoring", // which pairing is the headline
  "stopping-rule",
  "seed",
  "versions",
] as const;

const MEAN_SLACK = 1e-6; // our choice: far above a float64 mean's rounding, far below a printed digit

/** What a well-formed record says that contradicts itself; empty for a sound one. */
export function complaints(record: RunRecord): string[] {
  return [
    ...statusComplaints(record),
    ...ledgerComplaints(record),
    ...clientComplaints(record.client),
    ...resultComplaints(record.results),
  ];
}

function clientComplaints(client: RunRecord["client"]): string[] {
  if (client === undefined) return [];
  const sum = client.labelCounts.reduce((total, count) => total + count, 0);
  return [
    ...(client.number < client.clients ? [] : ["client.number: must be below the number of clients"]),
    ...(sum === client.images ? [] : ["client.labelCounts: must be of all its images"]),
  ];
}

function statusComplaints({ status, failure, results }: RunRecord): string[] {
  const failed = status === "failed";
  return [
    ...(failed && failure === undefined ? [`failure: a failed run must say why`] : []),
    ...(!failed && failure !== undefined ? [`failure: only a failed run has one`] : []),
    ...(status === "finished" && results === undefined ? [`results: a finished run must have some`] : []),
  ];
}

/** A run that never got to a number may have an unfinished ledger. */
function ledgerComplaints({ ledger, results, curve }: RunRecord): string[] {
  const names = ledger.map((entry) => entry.assumption);
  const doubled = names.filter((name, i) => names.indexOf(name) !== i);
  const hasNumbers = results !== undefined || curve.length > 0;
  const missing = hasNumbers ? requiredAssumptions.filter((name) => !names.includes(name)) : [];
  return [
    ...doubled.map((name) => `ledger: "${name}" stands twice`),
    ...missing.map((name) => `ledger: "${name}" is missing, so the numbers do not say what they assume`),
  ];
}

function resultComplaints(results: RunResults | undefined): string[] {
  if (results === undefined) return [];
  const { pairs, labels, floors } = results;
  const count = pairs.oneToOne.length;
  const used = pairs.oneToOne.map((pair) => pair.reconstructionIndex);
  const perImage = Object.values(floors).map((floor) => floor?.perImagePsnrDb);
  return [
    ...(pairs.manyToOne.length === count ? [] : [`pairs: both pairings must have a row for each true image`]),
    ...PAIRINGS.flatMap((pairing) => pairingComplaints(results, pairing)),
    ...(new Set(used).size === count ? [] : [`pairs.oneToOne: a reconstruction is used twice`]),
    ...(labels.trueLabels.length === count ? [] : [`labels.trueLabels: must be one for each true image`]),
    ...(perImage.every((values) => values === undefined || values.length === count)
      ? []
      : [`floors: perImagePsnrDb must be one for each true image`]),
    ...distanceComplaints("lpips", results.lpips, count),
    ...distanceComplaints("featureDistance", results.featureDistance, count),
    ...(results.identification?.by ?? []).flatMap((row) => identificationComplaints(row, count)),
    ...nullComplaints(results),
    ...(results.table ? tableComplaints(results.table, count) : []),
  ];
}

/** Means over the images of what a network's activations say. */
function distanceComplaints(name: string, measured: RunResults["lpips"], count: number): string[] {
  if (measured === null) return [];
  return PAIRINGS.flatMap((pairing) => {
    const values = measured.perImage[pairing];
    if (values.length !== count) return [`${name}.perImage.${pairing}: must be one for each true image`];
    return close(average(values), measured.mean[pairing])
      ? []
      : [`${name}.mean.${pairing}: is not the mean of its images`];
  });
}

function identificationComplaints({ measure, share, identified }: Identified, count: number): string[] {
  return PAIRINGS.flatMap((pairing) => {
    const found = identified[pairing];
    if (found.length !== count) return [`identification by ${measure}: ${pairing} must be one for each true image`];
    return close(average(found.map(Number)), share[pairing])
      ? []
      : [`identification by ${measure}: share.${pairing} is not that of its images`];
  });
}

/** Shares of a table follow from its cells. */
function tableComplaints({ columns, hits, rows, matchRate, wholeRows }: Table, count: number): string[] {
  const whole = hits.length === count && rows.length === count && hits.every((row) => row.length === columns.length);
  if (!whole) return ["table: must have a row for each true row, and a cell for each column"];
  const wrong = columns.filter((column, c) => !close(average(hits.map((row) => Number(row[c]))), column.matchRate));
  const sound =
    close(average(columns.map((column) => column.matchRate)), matchRate) &&
    close(average(hits.map((row) => Number(row.every(Boolean)))), wholeRows);
  return [
    ...wrong.map(({ name }) => `table: the match rate of "${name}" is not that of its cells`),
    ...(sound ? [] : ["table: matchRate and wholeRows must be those of the cells"]),
  ];
}

type Table = NonNullable<RunResults["table"]>;

type Identified = NonNullable<RunResults["identification"]>["by"][number];

/** What is null says why, under its name in kebab-case. */
function nullComplaints({ ssim, msSsim, lpips, featureDistance, identification, notMeasured }: RunResults): string[] {
  const absent = {
    ssim: ssim.oneToOne,
    "ms-ssim": msSsim.oneToOne,
    lpips,
    "feature-distance": featureDistance,
    identification,
  };
  return Object.entries(absent).flatMap(([name, value]) =>
    value === null && notMeasured[name] === undefined ? [`notMeasured: must say why there is no ${name}`] : [],
  );
}

const PAIRINGS = ["oneToOne", "manyToOne"] as const;

function average(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function close(a: number, b: number): boolean {
  return Math.abs(a - b) <= MEAN_SLACK * Math.max(1, Math.abs(a));
}

/** Rows must be in the order of the true batch, and the printed means must be the rows' means. */
function pairingComplaints(results: RunResults, pairing: "oneToOne" | "manyToOne"): string[] {
  const rows = results.pairs[pairing];
  const ordered = rows.every((row, i) => row.trueIndex === i);
  const wrong = (["psnrDb", "mse", "ssim", "msSsim"] as const).filter((metric) => {
    const values = rows.map((row) => row[metric]);
    const expected = values.includes(null) ? null : values.reduce<number>((sum, v) => sum + (v ?? 0), 0) / rows.length;
    const stated = results[metric][pairing];
    return expected === null || stated === null ? expected !== stated : Math.abs(expected - stated) > MEAN_SLACK;
  });
  const above = leakage(
    rows,
    Object.values(results.floors).filter((floor) => floor !== undefined),
  );
  const stated = results.leakage[pairing];
  return [
    ...(ordered ? [] : [`pairs.${pairing}: row i must be true image i`]),
    ...wrong.map((metric) => `${metric}.${pairing}: is not the mean of its rows`),
    ...(close(above.aboveFloorDb, stated.aboveFloorDb) && close(above.share, stated.share)
      ? []
      : [`leakage.${pairing}: does not follow from its rows and the floors`]),
  ];
}
