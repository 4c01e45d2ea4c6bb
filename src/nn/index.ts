export { ACTIVATIONS, type ActivationName, activate } from "./activation.ts";
export {
  constantInit,
  fanInInit,
  glorotInit,
  heInit,
  type Init,
  normalInit,
  uniformInit,
  unitVectorInit,
} from "./init.ts";
export {
  batchNormLayer,
  batchNormPartsLayer,
  type ConvLayerOptions,
  convLayer,
  type LayerInits,
  linearLayer,
  type NormPart,
  normPart,
  transposedConvLayer,
} from "./layers.ts";
export {
  type BufferSpec,
  countElements,
  defineModel,
  type Forward,
  type ForwardArgs,
  initialise,
  inputsFor,
  type Model,
  type ModelDefinition,
  type ParamSpec,
} from "./model.ts";
export {
  type BatchStatistics,
  declare,
  type Mode,
  type Notes,
  run,
  type Scope,
  type Supplies,
  type TensorSpec,
} from "./scope.ts";
export { spectralConvLayer, spectralNorm } from "./spectral-norm.ts";
export { attentionLayer, layerNormLayer, patchLayer, tokensLayer } from "./tokens.ts";
