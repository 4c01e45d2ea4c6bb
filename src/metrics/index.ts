export { interval95 } from "./average.ts";
export { bootstrapMean95 } from "./bootstrap.ts";
export { type Floor, type Floors, floors } from "./floors.ts";
export type { Images } from "./images.ts";
export { type LabelScore, scoreLabels } from "./labels.ts";
export { mse, psnrDb } from "./mse.ts";
export { pairManyToOne, pairOneToOne } from "./pairing.ts";
export { type PairScore, type PerPairing, type ReconstructionScore, scoreReconstruction } from "./score.ts";
export { ssim } from "./ssim.ts";
