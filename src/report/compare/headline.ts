import type { Comparison } from "../../audit/index.ts";
import { dbText, plural } from "../format.ts";
import { type Cell, cellName } from "./cells.ts";

/** The result in plain words: who came closest where, and whether that is more than a blank picture would score. */
export function headline(
  comparison: Comparison,
  cells: readonly Cell[],
): { readonly title: string; readonly sentences: readonly string[] } {
  const scored = cells.filter(({ lines }) => lines[0]?.psnrDb);
  if (scored.length === 0) return { title: "No trial has a score yet.", sentences: [] };
  const winners = scored.map(({ lines }) => lines[0]!.attack);
  const names = [...new Set(winners)];
  const most = names.reduce((a, b) => (count(winners, b) > count(winners, a) ? b : a));
  const above = scored.some(({ lines }) => lines[0]!.leakageDb! >= SLIGHT_DB);
  const title = !above
    ? "No attack came closer than a blank or average picture."
    : scored.length === 1
      ? `${most} came closest.`
      : `${[most, ...names.filter((name) => name !== most)]
          .map((name, i) =>
            i === 0
              ? `${name} came closest in ${count(winners, name)} of ${scored.length} cases`
              : `${name} in ${count(winners, name)}`,
          )
          .join(", ")}.`;
  return { title, sentences: scored.slice(0, SENTENCES).map((cell) => sentenceOf(comparison, cell)) };
}

const SLIGHT_DB = 1; // as a run's verdict: under it we do not speak of a difference
const SENTENCES = 4; // our choice: the tables below say the rest

function sentenceOf({ plan }: Comparison, cell: Cell): string {
  const [best, second] = cell.lines;
  const margin = best!.leakageDb!;
  const floor = `${dbText(Math.abs(margin))} ${margin >= 0 ? "above" : "below"} the highest floor`;
  const ahead =
    second?.psnrDb == null
      ? ""
      : `, ${dbText(best!.psnrDb!.oneToOne - second.psnrDb.oneToOne)} ahead of ${second.attack}`;
  return `${cellName(cell)}: ${best!.attack} reached ${dbText(best!.psnrDb!.oneToOne)} over ${plural(plan.seeds.length, "seed")}, ${floor}${ahead}.`;
}

function count(names: readonly string[], name: string): number {
  return names.filter((other) => other === name).length;
}
