import type { Tensor } from "../../tensor/index.ts";
import type { Search, SearchPoint } from "./types.ts";

/** The search that takes over, from images and, where labels are optimised, their logits. */
export interface Polish extends Search {
  /** Its first tensors. */
  from(images: Tensor<"float32">, labelLogits: Tensor<"float32"> | undefined): SearchPoint["tensors"];
}

/**
 * One search up to iteration `at`, then another on what the first one found.
 *
 * The state holds the tensors of the search that was last at work; which one that is follows from the iteration alone.
 */
export function polished(first: Search, second: Polish, at: number): Search {
  const later = ({ iteration, tensors }: SearchPoint): SearchPoint => ({ iteration: iteration - at, tensors });
  const entered = async (point: SearchPoint): Promise<SearchPoint> =>
    point.iteration > at
      ? later(point)
      : { iteration: 0, tensors: second.from(await first.images(point), first.labelLogits(point)) };
  const isFirst = ({ iteration }: SearchPoint) => iteration <= at; // the point that the first search has led to
  return {
    initial: first.initial,
    step: async (point, around) => {
      if (point.iteration < at) return first.step(point, around);
      const moved = await second.step(await entered(point), around);
      return moved.failure === undefined ? moved : { ...moved, tensors: point.tensors };
    },
    images: (point) => (isFirst(point) ? first.images(point) : second.images(later(point))),
    labelLogits: (point) => (isFirst(point) ? first.labelLogits(point) : second.labelLogits(later(point))),
    probe: (point, around) => (isFirst(point) ? first.probe(point, around) : second.probe(later(point), around)),
    program: (point, around) =>
      point.iteration <= at ? first.program(point, around) : second.program(later(point), around),
    release: async () => {
      await Promise.all([first.release(), second.release()]);
    },
  };
}
