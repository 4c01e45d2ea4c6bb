export { type CompileOptions, compile } from "./compile.ts";
export { DEVICES, type Device, parseDevice } from "./devices.ts";
export { decodeModel } from "./onnx/decode.ts";
export { attributeProto, type OnnxAttribute } from "./onnx/emitter.ts";
export { encodeModel } from "./onnx/schema.ts";
export { type ProfileRow, profile } from "./profile.ts";
export { type Compile, type ProgramCache, programCache } from "./program-cache.ts";
export { evaluate } from "./reference/evaluate.ts";
export type { Program } from "./session.ts";
