import type { BatchPictures, Comparison, TableLine, TrialResult } from "../../audit/index.ts";

/** One setting at one batch size: everything that may be compared with each other. */
export interface Cell {
  readonly setting: string;
  readonly about: string | undefined;
  readonly batchSize: number;
  /** The budget of a trial. */
  readonly evaluations: number;
  /** The highest one-to-one mean first. */
  readonly lines: readonly TableLine[];
  readonly pictures: BatchPictures | undefined;
}

/** The cells of a comparison, a setting and a batch size each, in the plan's order, with their pictures. */
export function cellsOf({ plan, table }: Comparison, pictures: readonly BatchPictures[] = []): Cell[] {
  return plan.settings.flatMap(({ name, about }) =>
    plan.batches.map(({ size, evaluations }) => {
      const here = (item: { readonly setting: string; readonly batchSize: number }) =>
        item.setting === name && item.batchSize === size;
      return {
        setting: name,
        about,
        batchSize: size,
        evaluations,
        lines: table.filter(here),
        pictures: pictures.find(here),
      };
    }),
  );
}

/** `relu-trained, batch 4` */
export function cellName({ setting, batchSize }: Pick<Cell, "setting" | "batchSize">): string {
  return `${setting}, batch ${batchSize}`;
}

/** An attack's scored trials in a cell. */
export function resultsOf({ rows }: Comparison, { setting, batchSize }: Cell, attack: string): readonly TrialResult[] {
  return rows.flatMap((row) =>
    row.setting === setting && row.batchSize === batchSize && row.attack === attack && row.result ? [row.result] : [],
  );
}

/** The attack's colour on the page, and a dash where colours repeat; by its place in the plan, so that it keeps it. */
export function strokeOf({ plan }: Comparison, attack: string): { readonly colour: string; readonly dash?: string } {
  const place = plan.attacks.findIndex(({ as }) => as === attack);
  const colour = `var(--attack-${place % COLOURS})`;
  return place < COLOURS ? { colour } : { colour, dash: "5 3" }; // px of line and gap
}

export const COLOURS = 8; // told apart at a glance; our choice
