import { float32, scalarOf, type Tensor } from "../../tensor/index.ts";
import type { Search, SearchPoint } from "./types.ts";

/** The search that takes over, from images and, where labels are optimised, their logits. */
export interface Polish extends Search {
  /** Its first tensors. */
  from(images: Tensor<"float32">, labelLogits: Tensor<"float32"> | undefined): SearchPoint["tensors"];
}

// What the state holds beside the second search's tensors: the point of lowest loss, counted from where it began.
const [BEST, BEST_LOSS, BEST_LOGITS] = ["polish.best", "polish.best-loss", "polish.best-logits"] as const;
const MEMORY: readonly string[] = [BEST, BEST_LOSS, BEST_LOGITS];

/**
 * One search up to iteration `at`, then another on what the first one found.
 *
 * Its images are those of the lowest loss among the ones the second search began with and all that it stepped from: by
 * the attack's own loss, so a polish that leads astray costs its evaluations and no more. The state holds the tensors of
 * the search that was last at work; which one that is follows from the iteration alone.
 */
export function polished(first: Search, second: Polish, at: number): Search {
  const later = ({ iteration, tensors }: SearchPoint): SearchPoint => ({
    iteration: iteration - at,
    tensors: Object.fromEntries(Object.entries(tensors).filter(([name]) => !MEMORY.includes(name))),
  });
  const isFirst = ({ iteration }: SearchPoint) => iteration <= at; // the point that the first search has led to
  const entered = async (point: SearchPoint): Promise<SearchPoint> =>
    isFirst(point)
      ? { iteration: 0, tensors: second.from(await first.images(point), first.labelLogits(point)) }
      : later(point);
  return {
    initial: first.initial,
    fits: (point) => (isFirst(point) ? first.fits(point) : BEST in point.tensors && second.fits(later(point))),
    step: async (point, around) => {
      if (point.iteration < at) return first.step(point, around);
      const from = await entered(point);
      const moved = await second.step(from, around);
      if (moved.failure !== undefined) return { ...moved, tensors: point.tensors };
      const best = bestOf(point, moved.loss) ?? {
        [BEST]: await second.images(from),
        [BEST_LOSS]: float32([], [moved.loss]),
        ...logitsIn(second.labelLogits(from)),
      };
      return { ...moved, score: scalarOf(best[BEST_LOSS]!), tensors: { ...moved.tensors, ...best } };
    },
    images: async (point) => (isFirst(point) ? first.images(point) : point.tensors[BEST]!),
    labelLogits: (point) => (isFirst(point) ? first.labelLogits(point) : point.tensors[BEST_LOGITS]),
    probe: (point, around) => (isFirst(point) ? first.probe(point, around) : second.probe(later(point), around)),
    program: (point, around) => (isFirst(point) ? first.program(point, around) : second.program(later(point), around)),
    release: async () => {
      await Promise.all([first.release(), second.release()]);
    },
  };
}

/** What a point remembers as its best, unless `loss` is below it. */
function bestOf({ tensors }: SearchPoint, loss: number): SearchPoint["tensors"] | undefined {
  const before = tensors[BEST_LOSS];
  if (!before || loss < scalarOf(before)) return undefined;
  return { [BEST]: tensors[BEST]!, [BEST_LOSS]: before, ...logitsIn(tensors[BEST_LOGITS]) };
}

function logitsIn(logits: Tensor<"float32"> | undefined): SearchPoint["tensors"] {
  return logits ? { [BEST_LOGITS]: logits } : {};
}
