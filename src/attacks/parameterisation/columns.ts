import { type Column, columnSpans, columnsWidth } from "../../data/browser.ts";
import { concat, narrow, reshape, sigmoid, softmax } from "../../graph/index.ts";
import { float32, largestOf, type Shape, type Tensor } from "../../tensor/index.ts";
import { fail, normal } from "../../util/index.ts";
import type { Parameterisation } from "./types.ts";

const ROWS = "rows"; // the state's tensor

/**
 * Rows of a table: numbers are σ(v), the categories of a column softmax(v), so that any v is a row that could be there.
 *
 * shape [B,1,1,D], D the width of `columns`; v [B,D] is optimised without bounds and drawn from N(0,1) (our choice: categories
 * begin nearly equal). The softmax is the relaxation: what is handed over is its largest category (`hardRows`).
 * Throws FedleakError when the columns do not make D numbers.
 * Source: Vero et al., "TabLeak: tabular data leakage in federated learning", ICML 2023, section 4, for the softmax.
 * Differs: no pooling of many restarts, and no entropy of the result.
 */
export function columnsOf(shape: Shape, columns: readonly Column[]): Parameterisation {
  checkColumns(shape.slice(1), columns, "parameterisation columns");
  const batchSize = shape[0]!;
  const size = [batchSize, columnsWidth(columns)];
  return {
    variables: { [ROWS]: size },
    buffers: {},
    fixed: {},
    initial: (key) => ({ [ROWS]: float32(size, normal(key, batchSize * size[1]!)) }),
    decode: (tensors) => {
      const parts = columnSpans(columns).map(({ kind, from, width }) => {
        const v = narrow(tensors[ROWS]!, 1, from, width);
        return kind === "numeric" ? sigmoid(v) : softmax(v);
      });
      return { images: reshape(concat(parts, 1), shape), buffers: {} };
    },
    project: (variables) => variables, // sigmoid and softmax keep the rows within their bounds
  };
}

/** Rows [B,1,1,D] with every category decided: 1 for the largest of a column, the first of equals, and 0 for the others. */
export function hardRows(rows: Tensor<"float32">, columns: readonly Column[]): Tensor<"float32"> {
  const width = columnsWidth(columns);
  const data = Float32Array.from(rows.data);
  const spans = columnSpans(columns).filter(({ kind }) => kind === "categorical");
  for (let start = 0; start < data.length; start += width) {
    const row = rows.data.subarray(start, start + width);
    for (const span of spans) {
      data.fill(0, start + span.from, start + span.from + span.width);
      data[start + span.from + largestOf(row, span.from, span.width)] = 1;
    }
  }
  return float32(rows.shape, data);
}

/** Complains unless an input [1,1,D] holds exactly the numbers that the columns make. */
export function checkColumns(inputShape: readonly number[], columns: readonly Column[], who: string): void {
  const width = columnsWidth(columns);
  if (inputShape.join() === `1,1,${width}`) return;
  fail({
    who,
    must: `the model's input must be [1,1,${width}], the numbers that the ${columns.length} columns make`,
    got: `[${inputShape.join(",")}]`,
    remedy: "Declare the columns that the model was fed with, in their order and with all their categories.",
  });
}
