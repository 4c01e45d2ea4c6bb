import type { Model } from "../nn/index.ts";
import type { Tensors } from "../tensor/index.ts";

/** Tensors under a model's names, and which came under others. */
export interface Renamed {
  readonly tensors: Tensors;
  /** [the file's name, the model's] */
  readonly renamed: readonly (readonly [from: string, to: string])[];
}

/**
 * The tensors of a file under the names that a model has for them, where the layouts agree.
 *
 * A name that the model has stays. Others are read as timm's (ResNets, DenseNets, MobileNetV2, ViT), as those of older
 * versions of torchvision, or as what training scripts put in front (`module.`, `model.`). Names that mean nothing stay.
 * Source: the modules of timm and torchvision; timm's qkv holds queries, keys and values as torch.nn.MultiheadAttention.
 */
export function renamedFor(tensors: Tensors, { params, buffers, head }: Model): Renamed {
  const wanted = new Set([...params, ...buffers].map(({ name }) => name));
  const headModule = head.weight.replace(/\.?weight$/, "");
  const renamed: [string, string][] = [];
  const taken = new Set(Object.keys(tensors).filter((name) => wanted.has(name)));
  const entries = Object.entries(tensors).map(([from, tensor]) => {
    const to = wanted.has(from) ? undefined : readingsOf(from, headModule).find((name) => wanted.has(name));
    if (to === undefined || taken.has(to)) return [from, tensor] as const;
    taken.add(to);
    renamed.push([from, to]);
    return [to, tensor] as const;
  });
  return { tensors: Object.fromEntries(entries), renamed };
}

/** What a name may be called in a model, the likeliest first. */
function readingsOf(name: string, head: string): string[] {
  const bare = name.replace(/^(?:(?:module|model|_orig_mod)\.)+/, "");
  const rules: readonly (readonly [RegExp, string])[] = [[HEADS, `${head}.$1`], ...RULES];
  return [bare, ...rules.flatMap(([from, to]) => (from.test(bare) ? [bare.replace(from, to)] : [])), ...mobile(bare)];
}

/** The classifier, however it is called. */
const HEADS = /^(?:fc|head|head\.fc|heads\.head|linear|classifier|classifier\.1)\.(weight|bias)$/;

const RULES: readonly (readonly [RegExp, string])[] = [
  // ResNets for small images call their projections shortcut; torchvision and timm call all of them downsample.
  [/^(layer\d+\.\d+)\.downsample\./, "$1.shortcut."],
  [/^(layer\d+\.\d+)\.shortcut\./, "$1.downsample."],
  // DenseNets as torchvision first published them.
  [/(denselayer\d+)\.(norm|conv)\.([12])\./, "$1.$2$3."],
  // ViT as timm calls it.
  [/^cls_token$/, "class_token"],
  [/^pos_embed$/, "encoder.pos_embedding"],
  [/^patch_embed\.proj\./, "conv_proj."],
  [/^norm\./, "encoder.ln."],
  ...[
    [/^blocks\.(\d+)\.norm([12])\./, "ln_$2."],
    [/^blocks\.(\d+)\.attn\.qkv\./, "self_attention.in_proj_"],
    [/^blocks\.(\d+)\.attn\.proj\./, "self_attention.out_proj."],
    [/^blocks\.(\d+)\.mlp\.fc1\./, "mlp.0."],
    [/^blocks\.(\d+)\.mlp\.fc2\./, "mlp.3."],
  ].map(([from, to]): readonly [RegExp, string] => [from as RegExp, `encoder.layers.encoder_layer_$1.${to}`]),
  // … and as torchvision first called its perceptrons.
  [/(encoder_layer_\d+)\.mlp\.linear_1\./, "$1.mlp.0."],
  [/(encoder_layer_\d+)\.mlp\.linear_2\./, "$1.mlp.3."],
];

const BLOCKS = [1, 2, 3, 4, 3, 3, 1]; // of each stage of MobileNetV2: Sandler et al., table 2
const LAST = 18; // torchvision's module of the last convolution

/** timm's names of MobileNetV2, `blocks.<stage>.<block>.conv_pw`, as torchvision's, `features.<block>.conv.0.0`. */
function mobile(name: string): string[] {
  const outer = OUTER.get(name.replace(/\.[^.]+$/, ""));
  const last = name.slice(name.lastIndexOf(".") + 1);
  if (outer !== undefined) return [`${outer}.${last}`];
  const found = /^blocks\.(\d+)\.(\d+)\.(conv_\w+|bn\d)\.\w+$/.exec(name);
  if (!found) return [];
  const [stage, block] = [Number(found[1]), Number(found[2])];
  const index = 1 + BLOCKS.slice(0, stage).reduce((a, b) => a + b, 0) + block;
  const inner = (stage === 0 ? FIRST_BLOCK : OTHER_BLOCKS).get(found[3]!);
  return inner === undefined ? [] : [`features.${index}.conv.${inner}.${last}`];
}

const OUTER = new Map([
  ["conv_stem", "features.0.0"],
  ["bn1", "features.0.1"],
  ["conv_head", `features.${LAST}.0`],
  ["bn2", `features.${LAST}.1`],
]);
/** Without an expansion: depthwise, then to its channels. */
const FIRST_BLOCK = new Map([
  ["conv_dw", "0.0"],
  ["bn1", "0.1"],
  ["conv_pw", "1"],
  ["bn2", "2"],
]);
const OTHER_BLOCKS = new Map([
  ["conv_pw", "0.0"],
  ["bn1", "0.1"],
  ["conv_dw", "1.0"],
  ["bn2", "1.1"],
  ["conv_pwl", "2"],
  ["bn3", "3"],
]);
