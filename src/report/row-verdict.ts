import type { AuditTable } from "../audit/index.ts";
import { percentText, plural } from "./format.ts";

const NEARLY_ALL = 0.95; // of the cells; our choice, as few wrong cells as one in twenty

/** How the words about a table follow from its numbers, for the reader. */
export const ROW_RULE =
  `A number matches within the stated share of its column's range, a category exactly. "In part" means that more cells match ` +
  `than guesses find, by the lower end of the 95 % interval; "almost whole" means ${percentText(NEARLY_ALL)} or more of them. Of many columns one may stand out by chance. These limits are our choice.`;

/** What a table's reconstruction comes to, against what guessing finds. */
export function rowHeadline({ matchRate, wholeRows, beyondGuessing, rows, columns }: AuditTable): string {
  const rebuilt = rows.length === 1 ? "The private row was rebuilt" : "The private rows were rebuilt";
  if (!beyondGuessing) {
    const standing = columns.filter((column) => column.interval95[0] > (floorOf(column) ?? 1)).length;
    if (standing === 0) return "No more cells match than guessing finds.";
    return `On average no more cells match than guessing finds, but in ${standing} of ${columns.length} columns more do.`;
  }
  if (wholeRows === 1) return `${rebuilt}, every cell.`;
  if (matchRate >= NEARLY_ALL) return `${rebuilt} almost whole.`;
  return `${rebuilt} in part.`;
}

/** The same in full: cells, guesses, whole rows, and the column that tells most. */
export function rowSentences({
  matchRate,
  interval95,
  floors,
  wholeRows,
  rows,
  columns,
  tolerance,
}: AuditTable): string[] {
  const range = interval95 && ` (95 % interval ${percentText(interval95[0])} to ${percentText(interval95[1])})`;
  const most = columns.reduce((best, next) => (gain(next) > gain(best) ? next : best));
  return [
    `${percentText(matchRate)} of the cells match${range ?? ""}, numbers within ${percentText(tolerance)} of their range; ` +
      (floors
        ? `the most frequent values and medians would match ${percentText(floors.marginal)}, drawn guesses ${percentText(floors.drawn)}.`
        : "no floor: one row tells nothing of what guesses find."),
    `${Math.round(wholeRows * rows.length)} of ${plural(rows.length, "row")} ${rows.length === 1 ? "matches" : "match"} in every cell.`,
    ...(gain(most) > 0
      ? [
          `Furthest above its guesses is "${most.name}", with ${percentText(most.matchRate)} against ${percentText(floorOf(most) ?? 0)}.`,
        ]
      : []),
  ];
}

/** The better of the two guesses; undefined where there are none. */
export function floorOf({ floors }: Pick<AuditTable, "floors">): number | undefined {
  return floors ? Math.max(floors.marginal, floors.drawn) : undefined;
}

/** Above the guesses; 0 without any. */
const gain = (column: AuditTable["columns"][number]) => column.matchRate - (floorOf(column) ?? column.matchRate);
