import { z } from "zod";
import { add, broadcastTo, concat, gelu, type Node, narrow, reshape } from "../graph/index.ts";
import {
  attentionLayer,
  constantInit,
  defineModel,
  glorotInit,
  layerNormLayer,
  normalInit,
  patchLayer,
  type Scope,
  tokensLayer,
} from "../nn/index.ts";
import { fail } from "../util/index.ts";
import { defineFamily, type ModelFamily } from "./family.ts";
import { atLeastOr, classifier } from "./options.ts";

const DEPTH = 12; // blocks of tiny, small and base alike: Dosovitskiy et al., Touvron et al.
const WIDER = 4; // hidden units of a block's perceptron, in units of the width; likewise
const PATCH = 16; // likewise
const EPSILON = 1e-6; // of LayerNorm, as torchvision
const POSITION = 0.02; // deviation of the initial positions, as torchvision; and of timm's initial head
const BIAS = 1e-6; // deviation of the perceptrons' initial biases, as torchvision

/**
 * A vision transformer: patches and one class token, `depth` blocks of attention and perceptron, the class token's head.
 *
 * x [B,C,H,W], option `patch` divides H and W → [B,N]. A block: x + attention(LayerNorm x), then x + perceptron(LayerNorm
 * x) with GELU. Names and initial values are torchvision's, but for the head's weight: option init "fresh-head" draws it
 * from N(0, 0.02²) as timm; "torchvision" has it 0, and then, until something was trained, the gradient of all but the head
 * is 0 and holds nothing of the images.
 * Source: Dosovitskiy et al., "An image is worth 16x16 words", ICLR 2021 (base); Touvron et al., "Training data-efficient
 * image transformers", ICML 2021 (tiny, small); torchvision.models.vision_transformer.
 * Differs: the default head; no dropout (torchvision's default is 0). The last block is computed for the class token
 * alone, which no number depends on.
 */
export function vit(name: string, size: { readonly width: number; readonly heads: number }): ModelFamily {
  return defineFamily({
    name,
    about: `vision transformer, ${DEPTH} blocks of width ${size.width}, ${size.heads} heads`,
    source: "Dosovitskiy et al. 2021, Touvron et al. 2021; torchvision.models.vision_transformer",
    schema: z.strictObject({
      ...classifier,
      patch: atLeastOr(1, PATCH),
      width: atLeastOr(1, size.width),
      depth: atLeastOr(1, DEPTH),
      heads: atLeastOr(1, size.heads),
      hidden: atLeastOr(1, WIDER * size.width),
      init: z.enum(["fresh-head", "torchvision"]).default("fresh-head").describe("fresh-head or torchvision"),
    }),
    build: (options) => {
      const { inputShape, classes } = options;
      needWhole(name, options);
      const weight = options.init === "torchvision" ? constantInit(0) : normalInit(POSITION);
      const headInits = { weight, bias: constantInit(0) };
      const features = (net: Scope, x: Node) => encode(net, x, options);
      return defineModel({ name, options, inputShape, classes, head: "heads.head", headInits, features });
    },
  });
}

interface Sizes {
  readonly patch: number;
  readonly width: number;
  readonly depth: number;
  readonly heads: number;
  readonly hidden: number;
}

/** x [B,C,H,W] → [B,D], what the class token has become. */
function encode(net: Scope, x: Node, { patch, width, depth, heads, hidden }: Sizes): Node {
  const b = x.shape[0]!;
  const classToken = net.param("class_token", [1, 1, width], constantInit(0));
  const weight = normalInit(1 / Math.sqrt(x.shape[1]! * patch * patch));
  const inits = { weight, bias: constantInit(0) };
  const patches = patchLayer(net.at("conv_proj"), x, { features: width, patch, inits });
  const all = concat([broadcastTo(classToken, [b, 1, width]), patches], 1);
  const encoder = net.at("encoder");
  let h = add(all, encoder.param("pos_embedding", [1, all.shape[1]!, width], normalInit(POSITION)));
  for (let i = 0; i < depth; i++) {
    const queries = i === depth - 1 ? 1 : h.shape[1]!; // of the last block only the class token is read
    h = block(encoder.at(`layers.encoder_layer_${i}`), h, { heads, hidden, queries });
  }
  return reshape(layerNormLayer(encoder.at("ln"), h, EPSILON), [b, width]);
}

/** x [B,T,D] → [B,queries,D] */
function block(
  scope: Scope,
  x: Node,
  { heads, hidden, queries }: { readonly heads: number; readonly hidden: number; readonly queries: number },
): Node {
  const d = x.shape[2]!;
  const normal = layerNormLayer(scope.at("ln_1"), x, EPSILON);
  const seen = add(narrow(x, 1, 0, queries), attentionLayer(scope.at("self_attention"), normal, { heads, queries }));
  const inits = { weight: glorotInit(d, hidden), bias: normalInit(BIAS) };
  const wide = tokensLayer(scope.at("mlp.0"), layerNormLayer(scope.at("ln_2"), seen, EPSILON), hidden, inits);
  return add(seen, tokensLayer(scope.at("mlp.3"), scope.noteActivation(gelu(wide)), d, inits));
}

function needWhole(name: string, options: Sizes & { readonly inputShape: readonly [number, number, number] }): void {
  const { inputShape, patch, width, heads } = options;
  const [, h, w] = inputShape;
  if (h % patch !== 0 || w % patch !== 0) {
    fail({
      who: `model ${name}`,
      must: "the patch must divide the images' height and width",
      got: `patch ${patch}, images ${h}×${w}`,
      remedy: "Change --patch, or scale the images with --size.",
    });
  }
  if (width % heads !== 0) {
    fail({
      who: `model ${name}`,
      must: "the number of heads must divide the width",
      got: `${heads} heads, width ${width}`,
      remedy: "Change one of them.",
    });
  }
}
