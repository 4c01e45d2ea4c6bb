export { findings } from "./findings.ts";
export { renderExplanation } from "./render.ts";
