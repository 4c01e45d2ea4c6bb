import type { TrialRow } from "./comparison.ts";

/**
 * The rows, but that one whose batch or weights are not those of the other attacks of its setting, batch size and seed is a
 * failed row without a score: what such attacks reached cannot be compared.
 *
 * Right are the inputs that most rows have; at a tie those of the first row (our choice: data that changed in the middle of a
 * comparison spoil what came after). A row without a fingerprint, of an older record, is left as it is.
 */
export function withSameInputs(rows: readonly TrialRow[]): TrialRow[] {
  const groups = new Map<string, TrialRow[]>();
  for (const row of rows) {
    if (row.inputs === undefined) continue;
    const name = `${row.setting} ${row.batchSize} ${row.seed}`;
    groups.set(name, [...(groups.get(name) ?? []), row]);
  }
  const strange = new Map<TrialRow, TrialRow>(); // and a row that has what the others have
  for (const group of groups.values()) {
    const right = commonest(group);
    for (const row of group) if (printOf(row) !== printOf(right)) strange.set(row, right);
  }
  return rows.map((row) => {
    const right = strange.get(row);
    if (right === undefined) return row;
    const { result: _, ...rest } = row;
    return { ...rest, status: "failed", failure: complaint(row, right) };
  });
}

/** The first row of those whose inputs most have. */
function commonest(rows: readonly TrialRow[]): TrialRow {
  const count = (row: TrialRow) => rows.filter((other) => printOf(other) === printOf(row)).length;
  return rows.reduce((best, row) => (count(row) > count(best) ? row : best));
}

function printOf({ inputs }: TrialRow): string {
  return `${inputs?.batch} ${inputs?.weights}`;
}

function complaint({ id, inputs }: TrialRow, right: TrialRow): string {
  const parts = (["batch", "weights"] as const).filter((part) => inputs![part] !== right.inputs![part]);
  const got = parts.map((part) => `${part} ${short(inputs![part])} beside ${short(right.inputs![part])}`).join(", ");
  return (
    `inputs: all attacks of one setting, batch size and seed must see the same batch and weights; got ${got} of ${right.id}. ` +
    `The data or the weights file changed: remove trials/${id} and go on with fedleak resume.`
  );
}

const SHOWN = 12; // hex digits; our choice: enough to tell two apart

function short(print: string): string {
  return print.slice(0, SHOWN);
}
