export { clamped, largestOf } from "./elements.ts";
export { bfloat16ToFloat32, halfToFloat32 } from "./half.ts";
export { readNpy, writeNpy } from "./npy.ts";
export { readNpz, writeNpz } from "./npz.ts";
export { readSafetensors, type Safetensors, writeSafetensors } from "./safetensors.ts";
export {
  broadcastShapes,
  normaliseAxes,
  type Shape,
  sameShape,
  shapeText,
  sizeOf,
  stridesOf,
} from "./shape.ts";
export {
  type Arrays,
  BYTES_PER_ELEMENT,
  type DType,
  float32,
  float64,
  int64,
  numbers,
  row,
  scalarOf,
  stack,
  type Tensor,
  type Tensors,
  tensor,
} from "./tensor.ts";
