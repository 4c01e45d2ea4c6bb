export {
  EXPORTED_INPUT,
  EXPORTED_OUTPUT,
  type ExportOptions,
  exportOnnx,
  OLDEST_WRITTEN,
} from "./export/model.ts";
export { NEWEST } from "./file.ts";
export { type GeneratorOptions, importGenerator, type OnnxGenerator } from "./generator.ts";
export { type ImportOptions, importOnnx, type OnnxModel } from "./model.ts";
export { EXPORT_FOR_CAPTURE } from "./notes.ts";
