import { forwardSolve } from "./cholesky.ts";
import { type Fit, fitLogits } from "./fit.ts";
import { type HeadProblem, WEIGHT_SCALE } from "./problem.ts";

/**
 * The labels, as counts, whose most probable logits explain the head's gradient best, by descent from `start`.
 *
 * A step gives one image another label: all such moves are ranked by how the score would change if the problem were
 * linear around the present fit, and the first few are fitted anew. It ends when none of them lowers the score.
 * start, least: N counts, of which no class goes under `least`. Source: our choice.
 */
export function searchCounts(problem: HeadProblem, start: readonly number[], least: readonly number[]): number[] {
  const labels = start.flatMap((count, label) => new Array<number>(count).fill(label));
  let at = best(SPREADS.map((spread) => fitAnew(problem, labels, spread)));
  for (;;) {
    const better = firstBetter(problem, at, promisingMoves(problem, at, least).slice(0, TRIED));
    if (!better) return countsOf(at.labels, problem.classes);
    at = better;
  }
}

const SPREADS = [0.5, 1, 2, 4, 8]; // of logits: from a net that has just begun to learn to an overfitted one; our choice
const LOOSE = [1, 0.1, 0.02]; // tolerances before the problem's own, in counts; our choice
const TRIED = 16; // moves fitted before giving up; our choice
const GAIN = 0.5; // of the score, the least that makes a move worth while; our choice

function firstBetter(problem: HeadProblem, at: Fit, moves: readonly Move[]): Fit | undefined {
  for (const { image, label } of moves) {
    const labels = at.labels.with(image, label).sort((a, b) => a - b);
    const moved = fitAnew(problem, labels, at.spread);
    if (moved.score < at.score - GAIN) return moved;
  }
  return undefined;
}

/** A fit from scattered logits, the same each time: one that begins at a neighbour's fit stays in its valley (measured). */
function fitAnew(problem: HeadProblem, labels: readonly number[], spread: number): Fit {
  const latent = Float64Array.from(
    { length: labels.length * problem.classes },
    (_, c) => 0.7 * Math.sin(12.9898 * (c + 1)),
  );
  const looser = LOOSE.filter((tolerance) => tolerance > problem.tolerance);
  return fitLogits(problem, labels, { latent, spread }, [...looser, problem.tolerance]);
}

interface Move {
  readonly image: number;
  readonly label: number;
  /** How the score would change, by a linear estimate. */
  readonly change: number;
}

/** The best move from each class to each other one, the most promising first. */
function promisingMoves(problem: HeadProblem, at: Fit, least: readonly number[]): Move[] {
  const { classes: n, bias } = problem;
  const counts = countsOf(at.labels, n);
  const { logits, probabilities } = at.residual;
  const expected = forwardSolve(at.factor, linearResidual(at));
  const found = new Map<number, Move>();
  at.labels.forEach((from, image) => {
    if (counts[from]! <= least[from]!) return;
    for (let label = 0; label < n; label++) {
      if (label === from) continue;
      const step = new Float64Array(at.residual.values.length);
      for (const [j, sign] of [
        [from, 1],
        [label, -1],
      ] as const) {
        if (j === n - 1) continue; // its equations are left out
        step[j * (n + 1)] = sign;
        for (let k = 0; k < n; k++) {
          step[j * (n + 1) + 1 + k] = sign * (logits[image * n + k]! - bias[k]!) * WEIGHT_SCALE;
        }
      }
      const solved = forwardSolve(at.factor, step);
      const bent = solved.reduce((sum, s, e) => sum + s * (s + 2 * expected[e]!), 0);
      const odds = Math.log(probabilities[image * n + from]! / probabilities[image * n + label]!);
      const move = { image, label, change: bent + 2 * odds };
      const known = found.get(from * n + label);
      if (!known || move.change < known.change) found.set(from * n + label, move);
    }
  });
  return [...found.values()].sort((a, b) => a.change - b.change);
}

/** E − J·ζ: what would be left at ζ = 0 if the problem were linear. */
function linearResidual({ residual, jacobian, latent }: Fit): Float64Array {
  const width = latent.length;
  return residual.values.map((value, e) => {
    let sum = value;
    for (let c = 0; c < width; c++) sum -= jacobian[e * width + c]! * latent[c]!;
    return sum;
  });
}

function best(fits: readonly Fit[]): Fit {
  return fits.reduce((a, b) => (b.score < a.score ? b : a));
}

function countsOf(labels: readonly number[], classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const label of labels) counts[label]! += 1;
  return counts;
}
