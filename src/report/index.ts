export { COLUMNS, type Column } from "./compare/columns.ts";
export { comparisonDocuments, REPORT_FILES } from "./compare/documents.ts";
export { comparisonCsv, comparisonMarkdown, tableNote } from "./compare/files.ts";
export { floorList, type NamedFloor } from "./floor-list.ts";
export type { DrawingDocument } from "./line-chart.ts";
export type { Pictures } from "./pictures.ts";
export { renderReport } from "./render.ts";
export { renderTraining } from "./train/render.ts";
export { type Verdict, verdict } from "./verdict.ts";
