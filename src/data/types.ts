import type { Tensor } from "../tensor/index.ts";
import type { Column } from "./columns.ts";

/** Images of one size with a class each; or rows of a table, which are images of one channel and one line. */
export interface LabelledImages {
  /** [M,C,H,W] in [0,1], M ≥ 1. */
  readonly images: Tensor<"float32">;
  /** M indices into `classNames`. */
  readonly labels: readonly number[];
  readonly classNames: readonly string[];
  /** Where the images come from, in words: for the ledger. */
  readonly source: string;
  /** Of a table: how its rows became [M,1,1,D]. */
  readonly table?: TableAbout;
}

/** What a table's numbers stand for, and who said so. */
export interface TableAbout {
  readonly columns: readonly Column[];
  /** How many of them were declared with range or categories; those of the others are the table's own. */
  readonly declared: number;
  /** Columns of the table that no model is fed with. */
  readonly unused: readonly string[];
}
