/** What a setting may be; `about` finishes the sentence "the setting is …"; `neutral` is its value where an attack has no such part. */
export type SettingSpec =
  | {
      readonly kind: "choice";
      readonly neutral: string;
      readonly values: readonly string[];
      readonly about: string;
    }
  | { readonly kind: "flag"; readonly neutral: boolean; readonly about: string }
  | {
      readonly kind: "number" | "integer" | "odd";
      readonly neutral: number;
      readonly min: number;
      readonly max: number;
      readonly about: string;
    };

/**
 * Every setting of an attack. An attack is one optimisation loop and a value for each of these; a preset is a paper's
 * choice of them, and on the command line each is a flag of the same name in kebab-case.
 */
export const SETTINGS = {
  method: choice(["optimise", "linear-leak", "r-gap"], "whether images are searched for, or solved for in closed form"),
  parameterisation: choice(
    ["pixels", "generator", "low-resolution", "latent", "columns"],
    "what is optimised: the images, the weights of an untrained generator, smaller images, a trained decoder's input, or the columns of a table, which always are",
  ),
  generatorChannels: integer(64, 1, 4096, "the generator's width: channels up to resolution 32"),
  generatorLatent: integer(128, 1, 65_536, "the length of the generator's latent vector"),
  downscale: integer(4, 2, 64, "how many times smaller the images are that low-resolution optimises"),
  init: choice(["normal", "uniform", "grey"], "how pixels start: N(0,1), U(0,1) or 0.5"),
  l1Weight: number(0, 0, 1e6, "the weight of the mean absolute gradient difference"),
  cosineWeight: number(0, 0, 1e6, "the weight of 1 − cosine similarity of the gradients"),
  l2Weight: number(0, 0, 1e6, "the weight of the summed squared gradient difference"),
  distanceScope: choice(
    ["global", "per-tensor"],
    "whether L1 and cosine regard all parameters as one vector, or each tensor alone and then sum",
  ),
  maskRatio: number(1, 1e-6, 1, "the share ρ of gradient entries that is matched, those of largest magnitude"),
  maskScope: choice(
    ["none", "global", "per-tensor"],
    "where that share is taken: nowhere, over all entries, or in each tensor",
  ),
  adaptive: flag(false, "whether the clients' defences are re-applied or allowed for; needs the grant defence"),
  localModel: choice(
    ["averaged", "unrolled", "surrogate"],
    "what several local steps are taken for: one gradient of all images, the steps themselves, or one gradient on their way",
  ),
  surrogateAt: number(
    0.5,
    0,
    1,
    "where surrogate takes its gradient between the weights of the first local step, 0, and of the last, 1",
  ),
  tv: number(0, 0, 1e6, "the weight α of the images' total variation"),
  l2Prior: number(0, 0, 1e6, "the weight of the images' mean Euclidean norm"),
  bnPrior: number(
    0,
    0,
    1e6,
    "the weight of the distance to granted BatchNorm statistics; idle unless they are granted",
  ),
  activationPenalty: number(0, 0, 1e6, "the weight β of the mean absolute activation, summed over layers"),
  gamma: number(0, 0, 1, "the share γ of the look-ahead gradient in each step; above 0 a step costs two evaluations"),
  lookahead: choice(
    ["descent", "uphill"],
    "where the look-ahead gradient is taken: after a trial step, or at x + ε·D/‖D‖",
  ),
  lookaheadStep: number(
    0.1,
    1e-9,
    1e6,
    "the length ε of the uphill look-ahead (a trial step has the optimiser's length)",
  ),
  optimiser: choice(["adam", "adamw", "sgd", "l-bfgs", "cma-es"], "the rule that turns evaluations into steps"),
  learningRate: number(
    0.1,
    1e-12,
    1e6,
    "the step size before the schedule; for l-bfgs the first trial of its line search, for cma-es the first spread",
  ),
  history: integer(100, 1, 1000, "the number of steps that l-bfgs remembers"),
  population: integer(50, 4, 10_000, "the number of points that cma-es tries in each iteration"),
  weightDecay: number(0, 0, 1e6, "the decay λ of what is optimised: decoupled for adamw, L2 for adam and sgd"),
  signed: flag(false, "whether only the sign of each gradient entry is used"),
  langevin: number(0, 0, 1e6, "the spread of the noise that is added to the variables, in units of the step size"),
  schedule: choice(["constant", "cosine", "step", "exponential"], "how the step size falls over the iterations"),
  scheduleFloor: number(0, 0, 1, "the share of the step size that cosine and exponential end at"),
  scheduleCycle: integer(0, 0, 1e9, "the number of iterations after which the schedule begins anew; 0: never"),
  warmUp: integer(0, 0, 1e9, "the number of iterations over which the step size rises"),
  clamp: flag(false, "whether pixels are put back into [0,1] after each step"),
  labels: choice(["inferred", "joint"], "whether inferred labels stay fixed or are optimised with the images"),
  labelRule: choice(
    ["auto", "paper", "idlg", "yin", "llg", "ilrg", "counts", "head-inversion"],
    "how labels are inferred; auto takes the rule that explains the update best",
  ),
  labelLearningRate: number(0.1, 1e-12, 1e6, "the step size of the labels' logits before the schedule"),
  restarts: integer(1, 1, 1000, "the number of candidates that are advanced side by side from different starts"),
  consensus: choice(["best", "mean"], "what several candidates give: the one of lowest loss, or their mean"),
  groupConsistency: number(0, 0, 1e6, "the weight of a candidate's squared distance to the mean of all candidates"),
  polish: number(0, 0, 0.99, "the share of the iterations, at the end, that optimises the pixels of what was found"),
  polishLearningRate: number(0.01, 1e-12, 1e6, "the step size of the polish before the schedule"),
  averageFrom: number(1, 0, 1, "the share of the iterations from which on the images are averaged; 1: never"),
  stretch: flag(
    false,
    "whether brightness and contrast are set so that the batch spans [0,1], where BatchNorm by the batch hides them and no granted statistics are matched",
  ),
  medianFilter: odd(0, 0, 31, "the width of the median filter over the result; 0 for none"),
  medianFilterFrom: integer(64, 1, 1e9, "the smallest side of an image, in pixels, that is filtered"),
  restore: flag(false, "whether the prior's restorer is applied to the result"),
  stopBelow: number(0, 0, 1e6, "the loss at which the search ends early; 0: never"),
  iterations: integer(1, 1, 1e9, "the number of steps"),
  evaluations: integer(0, 0, 1e9, "the most gradient evaluations; 0: as many as the iterations cost"),
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

/** One of `values`, the first being the neutral one. */
function choice<const V extends readonly [string, ...string[]]>(values: V, about: string) {
  return { kind: "choice", neutral: values[0], values, about } as const;
}

function flag(neutral: boolean, about: string) {
  return { kind: "flag", neutral, about } as const;
}

function number(neutral: number, min: number, max: number, about: string) {
  return { kind: "number", neutral, min, max, about } as const;
}

function integer(neutral: number, min: number, max: number, about: string) {
  return { kind: "integer", neutral, min, max, about } as const;
}

/** `min`, or an odd integer above it. */
function odd(neutral: number, min: number, max: number, about: string) {
  return { kind: "odd", neutral, min, max, about } as const;
}
