/** A point of the search, its loss and slope, and the steps that are remembered, oldest first. */
export interface LBfgsState {
  readonly x: Float64Array;
  readonly loss: number;
  readonly gradient: Float64Array;
  /** Differences of points and of gradients, pair by pair. */
  readonly steps: readonly { readonly s: Float64Array; readonly y: Float64Array }[];
}

export interface Evaluation {
  readonly loss: number;
  readonly gradient: Float64Array;
}

export interface LBfgsOptions {
  /** The first length that is tried along −g of the first step is learningRate·min(1, 1/‖g‖₁); later ones try learningRate. */
  readonly learningRate: number;
  /** The number of steps remembered. */
  readonly history: number;
  /** The most evaluations of one line search. */
  readonly mostEvaluations: number;
}

/** One step's outcome; `moved` is false when no point along the direction is lower: then nothing but the memory changes. */
export interface LBfgsStep {
  readonly state: LBfgsState;
  readonly evaluations: number;
  readonly moved: boolean;
}

const [C1, C2] = [1e-4, 0.9]; // sufficient decrease and curvature; Nocedal and Wright, section 3.1, for quasi-Newton steps
const LEAST_CURVATURE = 1e-10; // our choice, as PyTorch's: pairs with yᵀs below it are not remembered

/**
 * One step of limited-memory BFGS with a line search for the strong Wolfe conditions:
 *
 * d = −H·g by the two-loop recursion, H₀ = (sᵀy / yᵀy)·I of the last pair; x ← x + t·d with
 * f(x + t·d) ≤ f + c₁·t·gᵀd and |g(x + t·d)ᵀd| ≤ c₂·|gᵀd|.
 * When the evaluations run out the lowest point seen is taken, if it is lower than the start. A step that fails forgets
 * the remembered pairs, so that the next one starts along −g.
 * Pure but for `evaluate`, which may run a program. Source: Nocedal and Wright, "Numerical optimization", 2nd edition,
 * algorithms 7.4, 3.5 and 3.6, with cubic interpolation (3.59).
 */
export async function lBfgsStep(
  from: LBfgsState,
  evaluate: (x: Float64Array) => Promise<Evaluation>,
  { learningRate, history, mostEvaluations }: LBfgsOptions,
): Promise<LBfgsStep> {
  const direction = descentDirection(from);
  const slope = dot(from.gradient, direction);
  if (!(slope < 0)) return { state: { ...from, steps: [] }, evaluations: 0, moved: false };
  const l1 = from.gradient.reduce((sum, g) => sum + Math.abs(g), 0);
  const first = from.steps.length === 0 ? learningRate * Math.min(1, 1 / l1) : learningRate;

  let evaluations = 0;
  const at = async (t: number): Promise<Trial> => {
    evaluations += 1;
    const x = from.x.map((v, i) => v + t * direction[i]!);
    const { loss, gradient } = await evaluate(x);
    const there = dot(gradient, direction);
    return {
      t,
      x,
      loss: Number.isFinite(loss + there) ? loss : Number.POSITIVE_INFINITY,
      gradient,
      slope: there,
    };
  };
  const start: Trial = { t: 0, x: from.x, loss: from.loss, gradient: from.gradient, slope };
  const found = await wolfe({ at, start, first, left: () => mostEvaluations - evaluations });
  if (!(found.loss < from.loss)) return { state: { ...from, steps: [] }, evaluations, moved: false };
  const s = found.x.map((v, i) => v - from.x[i]!);
  const y = found.gradient.map((v, i) => v - from.gradient[i]!);
  const steps = dot(s, y) > LEAST_CURVATURE ? [...from.steps, { s, y }].slice(-history) : from.steps;
  return { state: { x: found.x, loss: found.loss, gradient: found.gradient, steps }, evaluations, moved: true };
}

/** −H·g, by the two-loop recursion. */
function descentDirection({ gradient, steps }: LBfgsState): Float64Array {
  const q = Float64Array.from(gradient);
  const alphas = new Float64Array(steps.length);
  for (let i = steps.length - 1; i >= 0; i--) {
    const { s, y } = steps[i]!;
    alphas[i] = dot(s, q) / dot(s, y);
    addTo(q, y, -alphas[i]!);
  }
  const last = steps.at(-1);
  if (last) {
    const scale = dot(last.s, last.y) / dot(last.y, last.y);
    q.forEach((v, i) => {
      q[i] = v * scale;
    });
  }
  steps.forEach(({ s, y }, i) => {
    addTo(q, s, alphas[i]! - dot(y, q) / dot(s, y));
  });
  return q.map((v) => -v);
}

/** A point on the line: its place, loss and slope along the direction. */
interface Trial extends Evaluation {
  readonly t: number;
  readonly x: Float64Array;
  readonly slope: number;
}

interface LineSearch {
  readonly at: (t: number) => Promise<Trial>;
  readonly start: Trial;
  readonly first: number;
  /** Evaluations that may still be spent. */
  readonly left: () => number;
}

/** A point that satisfies the strong Wolfe conditions, or the lowest one seen (algorithm 3.5). */
async function wolfe(search: LineSearch): Promise<Trial> {
  const { at, start, left } = search;
  let [before, lowest, t] = [start, start, search.first];
  while (left() > 0) {
    const now = await at(t);
    lowest = now.loss < lowest.loss ? now : lowest;
    if (tooHigh(now, start) || (before !== start && now.loss >= before.loss)) return zoom(search, before, now, lowest);
    if (flatEnough(now, start)) return now;
    if (now.slope >= 0) return zoom(search, now, before, lowest);
    [before, t] = [now, 2 * t];
  }
  return lowest;
}

/** Narrows a bracket that holds such a point; `low` is its end of lower loss (algorithm 3.6). */
async function zoom({ at, start, left }: LineSearch, low: Trial, high: Trial, best: Trial): Promise<Trial> {
  let lowest = best;
  while (left() > 0) {
    const now = await at(between(low, high));
    lowest = now.loss < lowest.loss ? now : lowest;
    if (tooHigh(now, start) || now.loss >= low.loss) high = now;
    else {
      if (flatEnough(now, start)) return now;
      if (now.slope * (high.t - low.t) >= 0) high = low;
      low = now;
    }
    if (Math.abs(high.t - low.t) <= Number.EPSILON * Math.max(1, Math.abs(low.t))) break;
  }
  return lowest;
}

const tooHigh = ({ t, loss }: Trial, start: Trial) => loss > start.loss + C1 * t * start.slope;
const flatEnough = ({ slope }: Trial, start: Trial) => Math.abs(slope) <= -C2 * start.slope;

/** The minimum of the cubic through both ends, kept a tenth of the bracket away from them (our choice). */
function between(a: Trial, b: Trial): number {
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t);
  const root = Math.sqrt(d1 ** 2 - a.slope * b.slope) * Math.sign(b.t - a.t);
  const cubic = b.t - ((b.t - a.t) * (b.slope + root - d1)) / (b.slope - a.slope + 2 * root);
  const [lo, hi] = [Math.min(a.t, b.t), Math.max(a.t, b.t)];
  const margin = (hi - lo) / 10;
  return Number.isFinite(cubic) && cubic > lo + margin && cubic < hi - margin ? cubic : (lo + hi) / 2;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, v, i) => sum + v * b[i]!, 0);
}

function addTo(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i]! += factor * b[i]!;
}
