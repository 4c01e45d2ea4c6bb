import { add, describe, input, mul, type Node, reshape, transpose } from "../graph/index.ts";
import { float32, numbers, shapeText, sizeOf, type Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { build } from "./build.ts";
import { type FileNode, type OnnxFile, readFile } from "./file.ts";
import { guessed, onlyInput } from "./input.ts";
import { rolesOf } from "./roles.ts";
import { tidied } from "./tidy.ts";

export interface GeneratorOptions {
  /** How errors and reports call it; "generator" when not given. */
  readonly name?: string;
  /** The darkest and brightest value it gives, where its last operator does not say. */
  readonly range?: readonly [number, number];
}

/** A decoder of the user's own: latent vectors to images. */
export interface OnnxGenerator {
  readonly name: string;
  /** What it is, in words, for the ledger. */
  readonly about: string;
  /** L, the length of a latent vector. */
  readonly latent: number;
  /** [C,H,W] */
  readonly imageShape: readonly [number, number, number];
  /** Values of the input nodes that `decode` refers to; their names begin with "prior.". */
  readonly tensors: Tensors<"float32">;
  /** z [B,L] → images [B,C,H,W] in [0,1]. */
  decode(z: Node): Node;
}

const PREFIX = "prior.";

/**
 * Reads an ONNX file of a generator: one input of latent vectors [B,L] or [B,L,1,1], one output of images.
 *
 * A tanh at the end gives [−1,1], which is mapped to [0,1]; a sigmoid is left as it is; otherwise `range` must say. BatchNorm uses its running statistics. Images may be [B,C,H,W] or, with 1, 3 or 4 channels, [B,H,W,C].
 * Throws FedleakError as `importOnnx` does.
 */
export function importGenerator(bytes: Uint8Array, options: GeneratorOptions = {}): OnnxGenerator {
  const { name = "generator" } = options;
  const whole = readFile(bytes, name);
  const output = whole.outputs[0]?.name ?? "";
  const file = tidied(whole, output);
  const z = onlyInput(file);
  const [exported, latent, ...pixels] = z.shape!;
  if (latent === undefined || pixels.some((n) => n !== 1)) {
    return fail({
      who: `onnx ${name}`,
      must: `its input "${z.name}" must be [B,L] or [B,L,1,1] with a known L`,
      got: `[${z.shape!.map((n) => n ?? "?").join(",")}]`,
      remedy: "Export the part of the model that makes images of latent vectors.",
    });
  }
  const [low, high] = options.range ?? rangeOf(file, output);
  const roles = rolesOf(file, z.name, []);
  const raw = (vectors: Node): Node => {
    if (vectors.shape.length !== 2 || vectors.shape[1] !== latent) {
      fail({
        who: `onnx ${name}`,
        must: `z must be [B,${latent}]`,
        got: describe(vectors),
        remedy: "Build it for this z.",
      });
    }
    const b = vectors.shape[0]!;
    const { values } = build(file, roles, {
      input: { name: z.name, node: reshape(vectors, [b, latent, ...pixels.map(() => 1)]) },
      params: new Map([...roles.params].map(([key, { shape }]) => [key, input(PREFIX + key, shape)])),
      buffers: Object.fromEntries([...roles.buffers].map(([key, { shape }]) => [key, input(PREFIX + key, shape)])),
      mode: "eval",
      batch: { size: b, exported },
    });
    const images = values.get(output)?.node;
    if (images?.shape.length !== 4 || images.shape[0] !== b) {
      return fail({
        who: `onnx ${name}`,
        must: `output "${output}" must be images [B,C,H,W]`,
        got: images ? describe(images) : "nothing",
        remedy: "Export the part of the model that makes images of latent vectors.",
      });
    }
    return guessed(images.shape) === "nhwc" ? transpose(images, [0, 3, 1, 2]) : images;
  };
  const [, c, h, w] = raw(input("~z", [TRIAL_BATCH, latent])).shape as [number, number, number, number];
  const tensors = Object.fromEntries(
    [...roles.params, ...roles.buffers].map(([key, t]) => [PREFIX + key, float32(t.shape, numbers(t))]),
  );
  const count = Object.values(tensors).reduce((n, { shape }) => n + sizeOf(shape), 0);
  return {
    name,
    about: `a generator of ${shapeText([c, h, w])} images with ${count} numbers, read from an ONNX file (${file.producer})`,
    latent,
    imageShape: [c, h, w],
    tensors,
    decode: (vectors) => mul(add(raw(vectors), -low), 1 / (high - low)),
  };
}

const TRIAL_BATCH = 2;
const MOVES = new Set(["Identity", "Transpose", "Reshape", "Cast", "Squeeze", "Unsqueeze", "Resize", "Slice"]);

/** What the last operator that computes says about the range of its values. */
function rangeOf(file: OnnxFile, output: string): readonly [number, number] {
  const maker = (name: string) => file.nodes.find(({ outputs }) => outputs.includes(name));
  let node: FileNode | undefined = maker(output);
  while (node && MOVES.has(node.type)) node = maker(node.inputs[0]!);
  if (node?.type === "Tanh") return [-1, 1];
  if (node?.type === "Sigmoid") return [0, 1];
  return fail({
    who: `onnx ${file.name}`,
    must: "a generator must end in a tanh or a sigmoid, or its range be given",
    got: node?.title ?? "no node",
    remedy: "Say the values of black and white, such as −1 and 1.",
  });
}
