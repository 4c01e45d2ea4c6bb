import { checkColumns } from "../../attacks/index.ts";
import { type Column, columnSpans, columnsWidth } from "../../data/index.ts";
import { constantOf, div, reshape, sub } from "../../graph/index.ts";
import type { Model } from "../../nn/index.ts";
import { fail } from "../../util/index.ts";
import { statedColumns } from "../column-entries.ts";
import { MANIFEST_FILE, type UpdateManifest } from "./manifest.ts";

/** The client's data as rows of a table: what its numbers stand for, and how they become what the network was fed with. */
export interface CapturedTable {
  readonly columns: readonly Column[];
  /** Of D numbers in [0,1]: the network was fed (x − mean)/std. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/**
 * The table that a manifest states for a network; undefined: the data are images.
 *
 * A numeric column with mean μ and std σ was fed to the network as (v − μ)/σ; in units of its range that is (x − (μ − min)/(max − min)) /
 * (σ/(max − min)). Without them it was fed as (v − min)/(max − min). Throws FedleakError when the columns do not make the network's input.
 */
export function tableOf(
  { columns: entries, normalisation }: UpdateManifest,
  network: Model,
): CapturedTable | undefined {
  if (entries === null) return undefined;
  const who = `${MANIFEST_FILE} columns`;
  if (normalisation !== null) {
    fail({
      who,
      must: "a table's numbers are scaled column by column",
      got: "an entry normalisation too",
      remedy: "Write mean and std into the numeric columns.",
    });
  }
  const columns = statedColumns(entries, who);
  checkColumns(network.inputShape, columns, who);
  const mean = new Array<number>(columnsWidth(columns)).fill(0);
  const std = new Array<number>(mean.length).fill(1);
  columnSpans(columns).forEach(({ from }, i) => {
    const column = columns[i]!;
    const { mean: centre, std: spread } = entries[i]!;
    checkScaling(column, { mean: centre, std: spread }, who);
    if (column.kind === "categorical" || centre === undefined || spread === undefined) return;
    const range = column.max - column.min;
    mean[from] = (centre - column.min) / range;
    std[from] = spread / range;
  });
  return { columns, mean, std };
}

/** Throws unless a column has mean and std both or neither, and neither where it has categories. */
function checkScaling(
  { name, kind }: Column,
  scaling: { readonly mean: number | undefined; readonly std: number | undefined },
  who: string,
): void {
  const told = (["mean", "std"] as const).filter((entry) => scaling[entry] !== undefined);
  if (told.length === 0 || (told.length === 2 && kind === "numeric")) return;
  const categorical = kind === "categorical";
  fail({
    who: `${who}, column "${name}"`,
    must: categorical
      ? "a categorical column is fed as 1 and 0s"
      : "a numeric column has mean and std both, or neither",
    got: categorical ? told.join(" and ") : `${told[0]} alone`,
    remedy: categorical
      ? "Remove them; where categories were scaled too, state each as a numeric column from 0 to 1."
      : "Write the other too: mean 0 and std 1 where there was none.",
  });
}

/** The network from rows in [0,1]. */
export function fromRows(network: Model, { mean, std }: CapturedTable): Model {
  if (mean.every((v) => v === 0) && std.every((v) => v === 1)) return network;
  const row = (values: readonly number[]) => reshape(constantOf([values.length], values), [1, 1, 1, values.length]);
  return { ...network, forward: ({ x, ...rest }) => network.forward({ ...rest, x: div(sub(x, row(mean)), row(std)) }) };
}
