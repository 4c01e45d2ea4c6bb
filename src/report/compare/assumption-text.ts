import type { CellAssumptions, Comparison } from "../../audit/index.ts";
import type { Cell } from "./cells.ts";

/**
 * What the numbers of a cell assume, in words: one line of what all rows have in common, one of what they have not.
 *
 * Nothing where no row has a record, or the comparison's file is of an older version.
 */
export function assumptionText(
  { assumptions = [] }: Pick<Comparison, "assumptions">,
  cell: Pick<Cell, "setting" | "batchSize">,
): { readonly shared: string; readonly differing?: string } | undefined {
  const found = assumptions.find((one) => one.setting === cell.setting && one.batchSize === cell.batchSize);
  if (found === undefined) return undefined;
  const shared = Object.entries(found.shared).map(([name, value]) => `${name}: ${value}`);
  const differing = found.differing.map(differenceText);
  return { shared: `${shared.join(" · ")}.`, ...(differing.length > 0 && { differing: `${differing.join(" · ")}.` }) };
}

/** The same as plain lines, for terminal and Markdown. */
export function assumptionLines(
  comparison: Pick<Comparison, "assumptions">,
  cell: Pick<Cell, "setting" | "batchSize">,
): readonly string[] {
  const text = assumptionText(comparison, cell);
  if (text === undefined) return [];
  return [
    `Assumed in every row: ${text.shared}`,
    ...(text.differing === undefined ? [] : [`Not the same in all rows: ${text.differing}`]),
  ];
}

/** `labels: known to the attack (dlg, ggl), inferred from the gradient (ci-net)` */
function differenceText({ assumption, groups }: CellAssumptions["differing"][number]): string {
  return `${assumption}: ${groups.map(({ value, rows }) => `${value} (${rows.join(", ")})`).join(" / ")}`;
}
