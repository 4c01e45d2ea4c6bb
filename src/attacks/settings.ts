/** What a setting may be; `about` finishes the sentence "the setting is …". */
export type SettingSpec =
  | { readonly kind: "choice"; readonly values: readonly string[]; readonly about: string }
  | { readonly kind: "flag"; readonly about: string }
  | { readonly kind: "number" | "integer" | "odd"; readonly min: number; readonly max: number; readonly about: string };

/**
 * Every setting of an attack. An attack is one optimisation loop and a value for each of these; a preset is a paper's
 * choice of them, and on the command line each is a flag of the same name in kebab-case.
 */
export const SETTINGS = {
  parameterisation: choice(
    ["pixels", "generator"],
    "what is optimised: the images, or the weights of an untrained generator",
  ),
  generatorChannels: integer(1, 4096, "the generator's width: channels up to resolution 32"),
  generatorLatent: integer(1, 65_536, "the length of the generator's latent vector"),
  init: choice(["normal", "uniform", "grey"], "how pixels start: N(0,1), U(0,1) or 0.5"),
  l1Weight: number(0, 1e6, "the weight of the mean absolute gradient difference"),
  cosineWeight: number(0, 1e6, "the weight of 1 − cosine similarity of the gradients"),
  l2Weight: number(0, 1e6, "the weight of the summed squared gradient difference"),
  distanceScope: choice(
    ["global", "per-tensor"],
    "whether L1 and cosine regard all parameters as one vector, or each tensor alone and then sum",
  ),
  maskRatio: number(1e-6, 1, "the share ρ of gradient entries that is matched, those of largest magnitude"),
  maskScope: choice(
    ["none", "global", "per-tensor"],
    "where that share is taken: nowhere, over all entries, or in each tensor",
  ),
  tv: number(0, 1e6, "the weight α of the images' total variation"),
  activationPenalty: number(0, 1e6, "the weight β of the mean absolute activation, summed over layers"),
  gamma: number(0, 1, "the share γ of the look-ahead gradient in each step; above 0 a step costs two evaluations"),
  lookahead: choice(
    ["uphill", "descent"],
    "where the look-ahead gradient is taken: at x + ε·D/‖D‖, or after a trial step",
  ),
  lookaheadStep: number(1e-9, 1e6, "the length ε of the uphill look-ahead (a trial step has the optimiser's length)"),
  optimiser: choice(["adam", "adamw", "sgd"], "the rule that turns gradients into steps"),
  learningRate: number(1e-12, 1e6, "the step size before the schedule"),
  weightDecay: number(0, 1e6, "the decay λ of what is optimised: decoupled for adamw, L2 for adam and sgd"),
  signed: flag("whether only the sign of each gradient entry is used"),
  schedule: choice(["constant", "cosine", "step"], "how the step size falls over the iterations"),
  warmUp: integer(0, 1e9, "the number of iterations over which the step size rises"),
  clamp: flag("whether pixels are put back into [0,1] after each step"),
  labels: choice(["inferred", "joint"], "whether inferred labels stay fixed or are optimised with the images"),
  labelLearningRate: number(1e-12, 1e6, "the step size of the labels' logits before the schedule"),
  medianFilter: odd(0, 31, "the width of the median filter over the result; 0 for none"),
  medianFilterFrom: integer(1, 1e9, "the smallest side of an image, in pixels, that is filtered"),
  iterations: integer(1, 1e9, "the number of steps"),
} as const satisfies Readonly<Record<string, SettingSpec>>;

export type SettingName = keyof typeof SETTINGS;

/** A value for every setting. */
export type AttackSettings = { readonly [K in SettingName]: ValueOf<(typeof SETTINGS)[K]> };

export type SettingValue = string | number | boolean;

type ValueOf<S extends SettingSpec> = S extends { readonly kind: "choice"; readonly values: readonly (infer V)[] }
  ? V
  : S extends { readonly kind: "flag" }
    ? boolean
    : number;

/** What a setting accepts, as error messages and help texts say it. */
export function rangeOf(spec: SettingSpec): string {
  if (spec.kind === "choice") return spec.values.join(", ");
  if (spec.kind === "flag") return "true or false";
  if (spec.kind === "odd") return `${spec.min} or an odd integer up to ${spec.max}`;
  return `${spec.kind === "integer" ? "an integer" : "a number"} in ${spec.min} … ${spec.max}`;
}

function choice<const V extends readonly string[]>(values: V, about: string) {
  return { kind: "choice", values, about } as const;
}

function flag(about: string) {
  return { kind: "flag", about } as const;
}

function number(min: number, max: number, about: string) {
  return { kind: "number", min, max, about } as const;
}

function integer(min: number, max: number, about: string) {
  return { kind: "integer", min, max, about } as const;
}

/** `min`, or an odd integer above it. */
function odd(min: number, max: number, about: string) {
  return { kind: "odd", min, max, about } as const;
}
