import type { AuditScores, AuditTable, Conclusion, Confidence } from "./record.ts";

const CLEAR_DB = 3; // dB of an image above its own floor, half its squared error; our choice

/**
 * What an audit comes to: what the searches tell among themselves, set right by the private images where there are some.
 *
 * Image by image: one leaks where its picture lies 3 dB or more above the highest of its own floors, however the others do; the
 * update leaks unless none does. Rows of a table leak where more cells match than guesses find. A proof stands whatever the
 * private images are. Headline, meaning and advice all follow from this.
 */
export function conclusionOf({ outcome }: Pick<Confidence, "outcome">, scores: AuditScores | undefined): Conclusion {
  const told = TELL_OF_A_LEAK.includes(outcome);
  if (!scores) return { leaks: told, contradicted: false, images: null };
  if (scores.table) return ofRows(outcome, told, scores.table);
  const { pairs, floors } = scores;
  const list = Object.values(floors).filter((floor) => floor !== undefined);
  const clear = pairs.oneToOne.filter(({ trueIndex, psnrDb }) => {
    const own = Math.max(...list.map((floor) => floor.perImagePsnrDb?.[trueIndex] ?? floor.psnrDb));
    return psnrDb - own >= CLEAR_DB;
  }).length;
  const leaks = clear > 0 || outcome === "exact";
  return { leaks, contradicted: clear > 0 !== told, images: { clear, of: pairs.oneToOne.length } };
}

const TELL_OF_A_LEAK: readonly Confidence["outcome"][] = ["exact", "agree-and-fit", "agree-in-part"];

/** A row is clear where more of its cells match than the other rows' most frequent values find; one alone where all do. */
function ofRows(outcome: Confidence["outcome"], told: boolean, table: AuditTable): Conclusion {
  const { hits, guessedCells, beyondGuessing, wholeRows, columns } = table;
  const clear = hits.filter(
    (cells, i) => cells.filter(Boolean).length > (guessedCells?.[i] ?? columns.length - 1),
  ).length;
  const images = { clear, of: hits.length };
  if (outcome === "exact") return { leaks: true, contradicted: clear === 0 && wholeRows < 1, images };
  if (beyondGuessing !== null) return { leaks: beyondGuessing, contradicted: beyondGuessing !== told, images };
  const leaks = told || wholeRows === 1; // without a floor; our choice: a row that matches whole is not passed over
  return { leaks, contradicted: leaks !== told, images: told ? null : images };
}
