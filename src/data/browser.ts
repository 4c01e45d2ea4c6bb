/** The part of this layer that reads no files and so runs in a browser too. */
export { type Draw, drawBatch, drawIndices, takeBatch } from "./batch.ts";
export { parseCifar10, parseCifar100 } from "./cifar.ts";
export { CIFAR10_CLASSES, CIFAR100_CLASSES } from "./cifar-classes.ts";
export {
  type CategoricalColumn,
  type Column,
  type ColumnSpan,
  columnSpans,
  columnsWidth,
  decodeRow,
  encodeRow,
  type NumericColumn,
} from "./columns.ts";
export type { DeclaredColumn } from "./complete-columns.ts";
export { DIGITS, type NamedBytes, parseIdx, parseMnist } from "./idx.ts";
export {
  PARTITIONS,
  type Partitionable,
  type PartitionName,
  type PartitionPlan,
  partition,
  partitionCounts,
} from "./partition.ts";
export { imageVariation } from "./partition-features.ts";
export { byteFromUnit, planarFromInterleaved, unitFromBytes } from "./pixels.ts";
export { parseTable, type TableOptions } from "./table.ts";
export type { LabelledImages, TableAbout } from "./types.ts";
