import type { TableLine } from "../../audit/index.ts";
import { dbText, plural } from "../format.ts";
import { type Cell, cellName } from "./cells.ts";

/**
 * The result in plain words: who came closest where, and whether that is more than a blank picture would score.
 *
 * An attack came closest only where the paired difference to the next one has a 95 % interval above 0.
 */
export function headline(cells: readonly Cell[]): { readonly title: string; readonly sentences: readonly string[] } {
  const scored = cells.filter(({ lines }) => lines[0]?.psnrDb);
  if (scored.length === 0) return { title: "No trial has a score yet.", sentences: [] };
  return { title: titleOf(scored), sentences: scored.slice(0, SENTENCES).map(sentenceOf) };
}

const SLIGHT_DB = 1; // as a run's verdict: under it we do not speak of a difference
const SENTENCES = 4; // our choice: the tables below say the rest

function titleOf(scored: readonly Cell[]): string {
  if (!scored.some(({ lines }) => lines[0]!.leakageDb! >= SLIGHT_DB)) {
    return "No attack came closer than a blank or average picture.";
  }
  const winners = scored.filter(({ lines }) => isAhead(lines[0]!)).map(({ lines }) => lines[0]!.attack);
  if (scored.length === 1) {
    const [best] = scored[0]!.lines;
    return winners.length === 1
      ? `${best!.attack} came closest.`
      : `${best!.attack} and ${best!.lead!.over} came closest, not told apart.`;
  }
  const names = [...new Set(winners)].sort((a, b) => count(winners, b) - count(winners, a));
  const open = scored.length - winners.length;
  const told = names.map((name, i) =>
    i === 0
      ? `${name} came closest in ${count(winners, name)} of ${scored.length} cases`
      : `${name} in ${count(winners, name)}`,
  );
  const untold = told.length === 0 ? "The first attacks are told apart in no case" : `not told apart in ${open}`;
  return `${[...told, ...(open > 0 ? [untold] : [])].join(", ")}.`;
}

/** Whether the first line is told from the second; without a second score there is nothing to tell it from. */
function isAhead({ lead }: TableLine): boolean {
  return lead === undefined || (lead.interval95Db !== null && lead.interval95Db[0] > 0);
}

function sentenceOf(cell: Cell): string {
  const best = cell.lines[0]!;
  const { lead, trials, psnrDb } = best;
  const margin = best.leakageDb!;
  const seeds = `${plural(trials.scored, "seed")}${trials.scored < trials.planned ? ` of ${trials.planned}` : ""}`;
  const floor = `${dbText(Math.abs(margin))} ${margin >= 0 ? "above" : "below"} the highest floor`;
  return `${cellName(cell)}: ${best.attack} reached ${dbText(psnrDb!.oneToOne)} over ${seeds}, ${floor}${lead === undefined ? "" : `, ${leadText(lead, isAhead(best))}`}.`;
}

function leadText({ over, meanDb, interval95Db, seeds }: NonNullable<TableLine["lead"]>, ahead: boolean): string {
  const [low, high] = interval95Db ?? [null, null];
  const range = low === null ? "no interval" : `95 %: ${dbText(low)} to ${dbText(high!)}`;
  const difference = `${dbText(meanDb)} (${range}; ${plural(seeds, "common seed")})`;
  return ahead ? `${difference} ahead of ${over}` : `not told apart from ${over}: difference ${difference}`;
}

function count(names: readonly string[], name: string): number {
  return names.filter((other) => other === name).length;
}
