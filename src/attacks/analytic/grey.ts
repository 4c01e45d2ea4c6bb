import { float32, type Shape, sizeOf, type Tensor } from "../../tensor/index.ts";

/** What a pixel is where nothing is known of it: it says nothing, and scores the flat-grey floor. */
export const GREY = 0.5;

/** Images [B,C,H,W], the first ones as given, mid-grey where there is none. */
export function grey(shape: Shape, known: readonly ArrayLike<number>[] = []): Tensor<"float32"> {
  const data = new Float32Array(sizeOf(shape)).fill(GREY);
  known.forEach((image, i) => {
    data.set(image, i * sizeOf(shape.slice(1)));
  });
  return float32(shape, data);
}
