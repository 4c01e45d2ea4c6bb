import type { Tensor, Tensors } from "../../tensor/index.ts";
import type { Key } from "../../util/index.ts";
import type { Probe, StepProgram } from "../run.ts";

/** Where a search stands: iterations done, and all that it carries from one to the next. */
export interface SearchPoint {
  readonly iteration: number;
  readonly tensors: Tensors<"float32">;
}

/** What an iteration is told beside its point. */
export interface Surroundings {
  /** Where this candidate's random draws come from; an iteration's own is split from it. */
  readonly key: Key;
  /** How many evaluations may still be spent. */
  readonly left: number;
  /** [B,C,H,W], the mean of all candidates' images, where they are drawn together. */
  readonly centre?: Tensor<"float32">;
}

/** One iteration's outcome; the numbers belong to the point that was stepped from. */
export interface SearchStep {
  /** The next point's; the given ones after a failure. */
  readonly tensors: Tensors<"float32">;
  /** Gradient evaluations that this iteration took. */
  readonly evaluations: number;
  readonly loss: number;
  readonly cosine: number;
  readonly gradientNorm: number;
  /** The loss of the images that the next point would hand over, where that is not `loss`: candidates are ranked by it. */
  readonly score?: number;
  /** Nothing is left to gain: further iterations would change nothing. */
  readonly settled?: boolean;
  /** Why there is no next point. */
  readonly failure?: string;
}

/**
 * A way to look for images: it owns compiled programs and no state. Searches are composed: one that averages, polishes or
 * advances several candidates is made of a simpler one.
 */
export interface Search {
  /** The first point's tensors. */
  initial(key: Key): Tensors<"float32">;
  /** Whether the tensors are those of a point of this search, by name and shape. */
  fits(at: SearchPoint): boolean;
  step(at: SearchPoint, around: Surroundings): Promise<SearchStep>;
  /** The point's images [B,C,H,W], before any filter. */
  images(at: SearchPoint): Promise<Tensor<"float32">>;
  /** The point's label logits [B,N], where labels are optimised. */
  labelLogits(at: SearchPoint): Tensor<"float32"> | undefined;
  probe(at: SearchPoint, around: Surroundings): Promise<Probe>;
  /** What a step runs, before compilation. */
  program(at: SearchPoint, around: Surroundings): StepProgram;
  release(): Promise<void>;
}
