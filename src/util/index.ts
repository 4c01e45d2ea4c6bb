export { type Complaint, closest, FedleakError, fail, unknownName } from "./errors.ts";
export { kebab } from "./kebab.ts";
export { type Key, key, normal, permutation, split, uniform } from "./rng.ts";
