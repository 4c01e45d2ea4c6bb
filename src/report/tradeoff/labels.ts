/** A label beside a dot, in pixels from the upper left. */
export interface Label {
  readonly x: number;
  /** Of its middle. */
  readonly y: number;
  readonly text: string;
}

/**
 * How far each label moves down (or up, below 0), in pixels, so that none lies over another, within [top, bottom].
 *
 * From the uppermost on, each takes the nearest free height; where none is left it stays. The order of the answer is that of the labels.
 */
export function dodged(labels: readonly Label[], [top, bottom]: readonly [number, number]): number[] {
  const placed: Label[] = [];
  const moves = new Map<Label, number>();
  for (const label of [...labels].sort((a, b) => a.y - b.y || a.x - b.x)) {
    const free = (y: number) => y >= top && y <= bottom && !placed.some((other) => overlap({ ...label, y }, other));
    const heights = placed
      .flatMap(({ y }) => [y + LINE, y - LINE])
      .sort((a, b) => Math.abs(a - label.y) - Math.abs(b - label.y));
    const y = [label.y, ...heights].find(free) ?? label.y;
    placed.push({ ...label, y });
    moves.set(label, y - label.y);
  }
  return labels.map((label) => moves.get(label)!);
}

const LINE = 12; // px between lines of a 10 px letter; our choice
const LETTER = 6; // px, wider than most of them

function overlap(a: Label, b: Label): boolean {
  const apart = a.x > b.x + LETTER * b.text.length || b.x > a.x + LETTER * a.text.length;
  return !apart && Math.abs(a.y - b.y) < LINE - 1e-9;
}
