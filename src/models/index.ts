export { buildModel, MODELS } from "./catalogue.ts";
export { buildDecoder, type Decoder } from "./decoder.ts";
export { buildEncoder, type Encoder } from "./encoder.ts";
export type { ModelFamily } from "./family.ts";
export { buildGenerator, type Generator } from "./generator.ts";
export { buildRestorer, type Restorer } from "./restorer.ts";
