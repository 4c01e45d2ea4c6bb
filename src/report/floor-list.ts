import type { RunResults } from "../audit/index.ts";

export type Floors = RunResults["floors"];

/** A floor that was measured, with the words for it. */
export interface NamedFloor {
  readonly key: keyof Floors;
  readonly name: string;
  readonly meaning: string;
  readonly psnrDb: number;
  readonly ssim: number | null;
  readonly msSsim: number | null;
  readonly perImagePsnrDb: readonly number[] | undefined;
}

const WORDS: readonly (readonly [key: keyof Floors, name: string, meaning: string])[] = [
  ["mismatchedGradient", "mismatched gradient", "the same attack on the update of another batch"],
  ["batchMean", "batch mean", "the average picture of the private batch"],
  ["flatMean", "flat mean", "one colour, the average of the private batch"],
  ["flatGrey", "flat grey", "every pixel 0.5"],
];

/** The floors of a result in their fixed order, the one that knows most first; those not measured are left out. */
export function floorList(floors: Floors): NamedFloor[] {
  return WORDS.flatMap(([key, name, meaning]) => {
    const floor = floors[key];
    if (!floor) return [];
    const { psnrDb, ssim, msSsim, perImagePsnrDb } = floor;
    return [{ key, name, meaning, psnrDb, ssim, msSsim, perImagePsnrDb }];
  });
}

/** The floor with the highest mean PSNR. */
export function highestFloor(floors: Floors): NamedFloor {
  return floorList(floors).reduce((best, floor) => (floor.psnrDb > best.psnrDb ? floor : best));
}

/** The highest floor of each true image, over the floors that store values per image. */
export function ownFloors(floors: Floors): readonly number[] | undefined {
  const lists = floorList(floors).flatMap((floor) => (floor.perImagePsnrDb ? [floor.perImagePsnrDb] : []));
  return lists[0]?.map((_, i) => Math.max(...lists.map((list) => list[i]!)));
}
