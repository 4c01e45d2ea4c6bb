import { float32, numbers, type Shape, sizeOf, type Tensor, type Tensors } from "../tensor/index.ts";
import type { Head } from "./head.ts";
import type { Roles } from "./roles.ts";

/** The parameters as the model has them, and how the file stores the one that differs: the last layer's weight. */
export interface Stored {
  readonly params: ReadonlyMap<string, Tensor<"float32">>;
  readonly head: { readonly name: string; readonly form: Head["form"]; readonly shape: Shape };
}

/** The parameters with the head's weight as [N,D], whatever the file has. */
export function storedOf(roles: Roles, { weight, form }: Head): Stored {
  const tensor = roles.params.get(weight);
  const head = { name: weight, form, shape: tensor?.shape ?? [] };
  if (!tensor) return { params: roles.params, head };
  const params = new Map(roles.params);
  params.set(weight, asRows(tensor, form));
  return { params, head };
}

/** Tensors by the file's names as the model's parameters: the head's weight turned, all as float32. */
export function fromFile(tensors: Tensors, { params, head }: Stored, roles: Roles): Tensors<"float32"> {
  const names = [...params.keys()].filter((name) => Object.hasOwn(tensors, name));
  const kept = [...roles.bufferNames].filter(([, file]) => Object.hasOwn(tensors, file));
  const asFloats = (tensor: Tensor) => float32(tensor.shape, numbers(tensor));
  return Object.fromEntries([
    ...names.map((name) => {
      const tensor = asFloats(tensors[name]!);
      return [name, name === head.name ? asRows(tensor, head.form) : tensor];
    }),
    ...kept.map(([name, file]) => [name, asFloats(tensors[file]!)]),
  ]);
}

/** A weight of classes as rows: [D,N] is turned, [N,D,1,1] loses its kernel. */
function asRows(tensor: Tensor<"float32">, form: Head["form"]): Tensor<"float32"> {
  const { shape, data } = tensor;
  if (form === "kernel") return float32([shape[0]!, sizeOf(shape.slice(1))], data);
  if (form === "rows" || shape.length !== 2) return tensor;
  const [width, classes] = shape as [number, number];
  const rows = new Float32Array(data.length);
  for (let d = 0; d < width; d++) for (let n = 0; n < classes; n++) rows[n * width + d] = data[d * classes + n]!;
  return float32([classes, width], rows);
}
