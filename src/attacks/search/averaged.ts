import { float32, type Tensor } from "../../tensor/index.ts";
import type { Search, SearchPoint } from "./types.ts";

const AVERAGE = "average";

/**
 * A search whose images are the mean of its iterates from iteration `from` on (Polyak and Ruppert's averaging, on images).
 *
 * The mean is one more tensor of the state, [B,C,H,W]; the search itself does not notice it.
 */
export function averaged(search: Search, from: number): Search {
  const inner = ({ iteration, tensors }: SearchPoint): SearchPoint => {
    const { [AVERAGE]: _, ...own } = tensors;
    return { iteration, tensors: own };
  };
  return {
    ...search,
    fits: (at) => search.fits(inner(at)),
    step: async (at, around) => {
      const moved = await search.step(inner(at), around);
      if (moved.failure !== undefined) return { ...moved, tensors: at.tensors };
      const count = at.iteration + 2 - from; // iterates in the mean, the new one included
      if (count < 1) return moved;
      const images = await search.images({ iteration: at.iteration + 1, tensors: moved.tensors });
      const before = at.tensors[AVERAGE];
      return {
        ...moved,
        tensors: { ...moved.tensors, [AVERAGE]: before ? towards(before, images, 1 / count) : images },
      };
    },
    images: async (at) => at.tensors[AVERAGE] ?? search.images(at),
    labelLogits: (at) => search.labelLogits(inner(at)),
    probe: (at, around) => search.probe(inner(at), around),
    program: (at, around) => search.program(inner(at), around),
  };
}

function towards(a: Tensor<"float32">, b: Tensor<"float32">, share: number): Tensor<"float32"> {
  return float32(
    a.shape,
    a.data.map((v, i) => v + (b.data[i]! - v) * share),
  );
}
