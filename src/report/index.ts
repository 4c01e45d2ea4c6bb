export { floorList, type NamedFloor } from "./floor-list.ts";
export type { DrawingDocument } from "./line-chart.ts";
export type { Pictures } from "./pictures.ts";
export { renderReport } from "./render.ts";
export { type Verdict, verdict } from "./verdict.ts";
