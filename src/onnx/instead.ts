import { fail } from "../util/index.ts";
import { type FileNode, NEWEST } from "./file.ts";

/** Complains of a node whose operator is not read, and says what to export instead. */
export function refused(who: string, { type }: FileNode): never {
  const remedy =
    INSTEAD.find(([operators]) => operators.test(type))?.[1] ??
    `Export the model so that it does without ${type}, for example with another opset (up to ${NEWEST}) or simplified (onnxsim).`;
  return fail({ who, must: "its operator must be one that is read", got: type, remedy });
}

/** What to export instead of operators that users meet. */
const INSTEAD: readonly (readonly [operators: RegExp, remedy: string])[] = [
  [
    /^(If|Loop|Scan)$/,
    "Control flow is not read: trace the model with an example image (torch.jit.trace) and export that.",
  ],
  [/^(LSTM|GRU|RNN)$/, "Recurrent networks are not supported: fedleak attacks classifiers of images and tables."],
  [/Quantize|QLinear|Integer/, "Export the model in float32, before it is quantised."],
  [/^(Random|Bernoulli|Multinomial)/, "It draws random numbers: export the model in eval mode, without augmentation."],
  [
    /Sequence|^Optional|^String|^Tfidf/,
    "Lists and strings are not read: export the part of the model that has tensors alone.",
  ],
  [
    /^(GatherElements|GatherND|Scatter\w*|OneHot|TopK|NonZero|Unique|Compress|NonMaxSuppression|RoiAlign)$/,
    "What picks by data is not read: export the classifier alone, and write indices as slices or fixed lists.",
  ],
  [/^ai\.onnx\.ml\.(Tree|SVM)/, "Trees and support vector machines send no gradients: there is nothing to attack."],
  [
    /^ai\.onnx\.ml\./,
    "Of scikit-learn, linear classifiers and perceptrons are read: export that step of the pipeline alone, with its columns scaled beforehand.",
  ],
  [/^com\.microsoft\./, "Export the model before onnxruntime optimises it."],
  [/^Einsum$/, "Write it as matmul and transpose, then export again."],
  [/\./, "Operators of other domains are not read: export with ONNX's own (torch.onnx.export without custom opsets)."],
];
