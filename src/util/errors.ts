/**
 * Errors that help: who, what must hold, what it got, the remedy.
 *
 * Every error a user can cause is a `FedleakError`; the command line prints its message and exits with 2.
 */
export interface Complaint {
  /** The part that complains: an op, a reader, an option. */
  readonly who: string;
  /** What must hold. */
  readonly must: string;
  /** What it got instead. */
  readonly got: string;
  /** What the user can do about it. */
  readonly remedy: string;
  readonly cause?: unknown;
}

export class FedleakError extends Error {
  override readonly name = "FedleakError";
  readonly who: string;

  constructor({ who, must, got, remedy, cause }: Complaint) {
    super(`${who}: ${must}; got ${got}. ${remedy}`, cause === undefined ? undefined : { cause });
    this.who = who;
  }
}

/** Throws the complaint; an expression, so that it can stand where a value is expected. */
export function fail(complaint: Complaint): never {
  throw new FedleakError(complaint);
}

/** The closest of `candidates` to `name` by edit distance, if it is close enough to be a slip of the finger. */
export function closest(name: string, candidates: readonly string[]): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, distance: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const best = ranked[0];
  return best && best.distance <= Math.max(2, Math.floor(name.length / 3)) ? best.candidate : undefined;
}

/** Complains about an unknown name, with the closest known one as the suggestion. */
export function unknownName(who: string, kind: string, name: string, known: readonly string[]): never {
  const suggestion = closest(name, known);
  return fail({
    who,
    must: `${kind} must be one of ${known.join(", ")}`,
    got: `"${name}"`,
    remedy: suggestion ? `Did you mean "${suggestion}"?` : `Choose one of the listed names.`,
  });
}

/** Levenshtein distance: insertions, deletions and substitutions, each of cost 1. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
