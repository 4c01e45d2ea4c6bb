import { float32, type Shape, sizeOf, type Tensor, type Tensors } from "../../tensor/index.ts";

type Shapes = Readonly<Record<string, Shape>>;

/** Tensors as one vector [n], in the order of `shapes`. */
export function joined(tensors: Readonly<Partial<Tensors<"float32">>>, shapes: Shapes): Tensor<"float32"> {
  const parts = Object.keys(shapes).map((name) => tensors[name]!.data);
  const data = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    data.set(part, offset);
    offset += part.length;
  }
  return float32([data.length], data);
}

/** The vector as those tensors again. */
export function parted(data: Float32Array, shapes: Shapes): Tensors<"float32"> {
  let offset = 0;
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape]) => {
      offset += sizeOf(shape);
      return [name, float32(shape, data.slice(offset - sizeOf(shape), offset))];
    }),
  );
}
