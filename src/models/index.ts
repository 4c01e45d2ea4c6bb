export { buildModel, MODELS } from "./catalogue.ts";
export type { ModelFamily } from "./family.ts";
export { buildGenerator, type Generator } from "./generator.ts";
