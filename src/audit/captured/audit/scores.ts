import { type Column, columnSpans } from "../../../data/index.ts";
import {
  type Floors,
  floors,
  type Images,
  leakage,
  pairOneToOne,
  psnrDb,
  scoreLabels,
  scoreReconstruction,
  take,
} from "../../../metrics/index.ts";
import { key, split } from "../../../util/index.ts";
import { guessedByOthers } from "../../row-floors.ts";
import { tableResults } from "../../table-results.ts";
import type { AuditRow, AuditScores, AuditTable } from "./record.ts";
import { CONTROL } from "./search.ts";
import type { Truth } from "./truth.ts";

/**
 * Every row against the private images, the best one in detail; a sentence instead, where they cannot be paired.
 *
 * This is the only place where reconstructions and truth meet, after everything else was decided.
 */
export function scoresOf(
  truth: Truth,
  found: ReadonlyMap<string, Images>,
  best: AuditRow,
  { seed, columns }: { readonly seed: number; readonly columns?: readonly Column[] | undefined },
): AuditScores | string {
  const images = found.get(best.name)!;
  const [real, sought] = [truth.images.shape[0]!, images.shape[0]!];
  if (real > sought) return `the truth has ${real} images, and ${sought} were looked for`;
  const {
    psnrDb: psnr,
    psnrInterval95Db,
    ssim,
    msSsim,
    mse,
    pairs,
  } = scoreReconstruction(truth.images, images, split(key(seed), "score"));
  const control = found.get(CONTROL);
  const measured = { ...floors(truth.images), ...(control && { mismatchedGradient: floorOf(truth.images, control) }) };
  const list = Object.values(measured).filter((floor) => floor !== undefined);
  const rows = [...found].map(([name, rebuilt]) => [name, meanDb(truth.images, rebuilt)] as const);
  return {
    ...{ psnrDb: psnr, psnrInterval95Db, ssim, msSsim, mse, pairs, floors: measured },
    leakage: { oneToOne: leakage(pairs.oneToOne, list), manyToOne: leakage(pairs.manyToOne, list) },
    source: truth.source,
    rows: Object.fromEntries(rows),
    ...(columns && {
      table: tableOf({ truth: truth.images, rebuilt: images, pairs: pairs.oneToOne }, columns, seed),
    }),
    labels: truth.labels ? { trueLabels: [...truth.labels], ...scoreLabels(truth.labels, best.labels) } : null,
  };
}

/** The private rows are all that is known of the columns: each is guessed from the others, and one alone not at all. */
function tableOf(found: Parameters<typeof tableResults>[0], columns: readonly Column[], seed: number): AuditTable {
  const draws = split(split(key(seed), "score"), "rows");
  const table = tableResults(found, columns, { known: undefined, draws });
  if (found.pairs.length > 1) {
    const guessed = guessedByOthers(found.truth, columnSpans(columns));
    return { ...table, guessedCells: guessed.map((cells) => cells.filter(Boolean).length) };
  }
  return {
    ...table,
    ...{ floors: null, beyondGuessing: null, floorsFrom: "no floor: one row" },
    columns: table.columns.map((column) => ({ ...column, floors: null })),
  };
}

/** The same search on the update of nobody, scored as the others are. */
function floorOf(truth: Images, control: Images): Floors["flatGrey"] {
  const { psnrDb: psnr, ssim, msSsim, pairs } = scoreReconstruction(truth, control);
  return {
    ...{ psnrDb: psnr.oneToOne, ssim: ssim.oneToOne, msSsim: msSsim.oneToOne },
    perImagePsnrDb: pairs.oneToOne.map((pair) => pair.psnrDb),
  };
}

function meanDb(truth: Images, rebuilt: Images): number {
  const values = psnrDb(truth, take(rebuilt, pairOneToOne(truth, rebuilt)));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
