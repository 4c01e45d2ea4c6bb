export type { DrawingDocument } from "./line-chart.ts";
export type { Pictures } from "./pictures.ts";
export { renderReport } from "./render.ts";
