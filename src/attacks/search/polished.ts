import { float32, scalarOf, type Tensor } from "../../tensor/index.ts";
import type { Search, SearchPoint } from "./types.ts";

/** The search that takes over, from images and, where labels are optimised, their logits. */
export interface Polish extends Search {
  /** Its first tensors. */
  from(images: Tensor<"float32">, labelLogits: Tensor<"float32"> | undefined): SearchPoint["tensors"];
}

// What the state holds beside the second search's tensors: the images it began with, their loss, and the latest loss.
const [BEGUN, BEGUN_LOSS, LOSS] = ["polish.begun", "polish.begun-loss", "polish.loss"] as const;
const MEMORY: readonly string[] = [BEGUN, BEGUN_LOSS, LOSS];

/**
 * One search up to iteration `at`, then another on what the first one found.
 *
 * Its images are those of the second search where its loss has come below that of the images it began with, else those:
 * by the attack's own loss, so a polish that leads astray costs its evaluations and no more. The state holds the tensors
 * of the search that was last at work; which one that is follows from the iteration alone.
 */
export function polished(first: Search, second: Polish, at: number): Search {
  const later = ({ iteration, tensors }: SearchPoint): SearchPoint => ({
    iteration: iteration - at,
    tensors: Object.fromEntries(Object.entries(tensors).filter(([name]) => !MEMORY.includes(name))),
  });
  const entered = async (point: SearchPoint): Promise<SearchPoint> =>
    point.iteration > at
      ? later(point)
      : { iteration: 0, tensors: second.from(await first.images(point), first.labelLogits(point)) };
  const isFirst = ({ iteration }: SearchPoint) => iteration <= at; // the point that the first search has led to
  return {
    initial: first.initial,
    step: async (point, around) => {
      if (point.iteration < at) return first.step(point, around);
      const from = await entered(point);
      const moved = await second.step(from, around);
      if (moved.failure !== undefined) return { ...moved, tensors: point.tensors };
      const loss = float32([], [moved.loss]);
      const begun = isFirst(point)
        ? { [BEGUN]: await second.images(from), [BEGUN_LOSS]: loss }
        : { [BEGUN]: point.tensors[BEGUN]!, [BEGUN_LOSS]: point.tensors[BEGUN_LOSS]! };
      return { ...moved, tensors: { ...moved.tensors, ...begun, [LOSS]: loss } };
    },
    images: async (point) => {
      if (isFirst(point)) return first.images(point);
      const { [BEGUN]: begun, [BEGUN_LOSS]: before, [LOSS]: now } = point.tensors;
      return scalarOf(now!) <= scalarOf(before!) ? second.images(later(point)) : begun!;
    },
    labelLogits: (point) => (isFirst(point) ? first.labelLogits(point) : second.labelLogits(later(point))),
    probe: (point, around) => (isFirst(point) ? first.probe(point, around) : second.probe(later(point), around)),
    program: (point, around) => (isFirst(point) ? first.program(point, around) : second.program(later(point), around)),
    release: async () => {
      await Promise.all([first.release(), second.release()]);
    },
  };
}
