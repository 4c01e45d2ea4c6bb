import { join } from "node:path";
import { readBytes } from "../../data/index.ts";
import { keptByClient, type Weights } from "../../fl/index.ts";
import { buildModel } from "../../models/index.ts";
import { initialise, type Model, type TensorSpec } from "../../nn/index.ts";
import { importOnnx, type OnnxModel } from "../../onnx/index.ts";
import type { Tensors } from "../../tensor/index.ts";
import { fail, key } from "../../util/index.ts";
import { normalised } from "../verify-onnx.ts";
import { type GradientEstimate, gradientOf } from "./gradient.ts";
import { MANIFEST_FILE, type UpdateManifest } from "./manifest.ts";
import { type Matched, matchTensors, stateOrder } from "./match.ts";
import { payloadFile, readManifest, readPayload } from "./payload.ts";
import { type CapturedTable, fromRows, tableOf } from "./table.ts";

/** A captured update, read and matched to its model. It holds no image. */
export interface CapturedUpdate {
  readonly folder: string;
  readonly manifest: UpdateManifest;
  /** From images, or rows, in [0,1]: with the manifest's normalisation in front. */
  readonly model: Model;
  /** The network itself, from normalised images. */
  readonly network: Model;
  /** What the numbers of a row stand for; undefined: the data are images. */
  readonly table: CapturedTable | undefined;
  /** What the server handed out. */
  readonly before: Weights;
  /** Parameters after local training; undefined where a gradient was sent. */
  readonly after: Tensors<"float32"> | undefined;
  /** The parameters' mean gradient, for those that were sent. */
  readonly estimate: GradientEstimate;
  /** BatchNorm's running statistics as they came back, by buffer name; empty when none were sent. */
  readonly buffers: Tensors<"float32">;
  /** How each file's tensors were matched. */
  readonly matched: { readonly before: Matched; readonly update: Matched };
  /** What the user should know, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads the folder of a captured update: manifest, model, weights handed out, and what came back.
 *
 * What the update lacks is told in `matched`, so that it can be checked; the weights handed out must be whole.
 * Throws FedleakError when a file does not exist or is not what it should be, or the model cannot be built.
 */
export async function readCaptured(folder: string): Promise<CapturedUpdate> {
  const manifest = await readManifest(folder);
  const { network, imported } = await modelOf(folder, manifest);
  const table = tableOf(manifest, network);
  const plain = manifest.normalisation ? withNormalisation(network, manifest.normalisation) : network;
  const model = table ? fromRows(network, table) : plain;
  const given = await handedOut(folder, manifest, network, imported);
  const path = await payloadFile(folder, "update", manifest.update);
  if (path === undefined) return lacking(folder, "update");
  const update = match(await readPayload(path, imported), network, manifest);
  const isParam = new Set(network.params.map(({ name }) => name));
  const [params, buffers] = [pick(update.tensors, isParam, true), pick(update.tensors, isParam, false)];
  const estimate = gradientOf(manifest, given.weights.params, params);
  return {
    ...{ folder, manifest, model, network, table, before: given.weights, estimate },
    after: manifest.sent === "gradient" ? undefined : afterOf(manifest, given.weights.params, params),
    buffers: manifest.sent === "delta" ? added(given.weights.buffers, buffers) : buffers,
    matched: { before: given.matched, update },
    notes: [...(imported?.notes ?? []), ...given.notes, ...estimate.notes],
  };
}

async function modelOf(folder: string, { model: asked, batchNorm, inputShape }: UpdateManifest) {
  if ("onnx" in asked) {
    const options = { name: asked.onnx, mode: batchNorm, ...(inputShape && { inputShape }) };
    const imported = importOnnx(await readBytes(join(folder, asked.onnx)), options);
    return { network: checked(imported.model, inputShape), imported };
  }
  const options = inputShape ? { inputShape, ...asked.options } : asked.options;
  return { network: checked(buildModel(asked.name, options), inputShape), imported: undefined };
}

function checked(model: Model, inputShape: UpdateManifest["inputShape"]): Model {
  if (inputShape && inputShape.join() !== model.inputShape.join()) {
    fail({
      who: `${MANIFEST_FILE} inputShape`,
      must: `it must be that of model ${model.name}, [${model.inputShape.join(",")}]`,
      got: `[${inputShape.join(",")}]`,
      remedy: "Leave it away, or change the model's options.",
    });
  }
  return model;
}

function withNormalisation(network: Model, { mean, std }: NonNullable<UpdateManifest["normalisation"]>): Model {
  const channels = network.inputShape[0];
  if (mean.length !== channels || std.length !== channels) {
    fail({
      who: `${MANIFEST_FILE} normalisation`,
      must: `mean and std must have a number for each of the ${channels} channels`,
      got: `${mean.length} and ${std.length}`,
      remedy: "Repeat a number that holds for all channels.",
    });
  }
  return normalised(network, mean, std);
}

interface HandedOut {
  readonly weights: Weights;
  readonly matched: Matched;
  readonly notes: readonly string[];
}

async function handedOut(
  folder: string,
  manifest: UpdateManifest,
  network: Model,
  imported: OnnxModel | undefined,
): Promise<HandedOut> {
  const path = await payloadFile(folder, "before", manifest.before);
  if (path === undefined && imported === undefined) return lacking(folder, "before");
  const own = { ...imported?.weights.params, ...imported?.weights.buffers };
  const matched = match(path === undefined ? own : await readPayload(path, imported), network, manifest);
  const absent = network.params.filter(({ name }) => !Object.hasOwn(matched.tensors, name));
  const noStatistics = network.buffers.filter(({ name }) => !Object.hasOwn(matched.tensors, name));
  const needed = manifest.batchNorm === "eval" ? [...absent, ...noStatistics] : absent;
  if (needed.length > 0) {
    const amiss = matched.matches.filter(({ about }) => about !== "").map((m) => `${m.tensor ?? m.file} ${m.about}`);
    const more = amiss.length > SHOWN ? ` and ${amiss.length - SHOWN} more` : "";
    fail({
      who: `weights ${path ?? folder}`,
      must: `the file must hold the ${network.params.length + network.buffers.length} tensors of model ${network.name}`,
      got: `${amiss.slice(0, SHOWN).join("; ")}${more}`,
      remedy: "Check the model's name and options in the manifest; names are PyTorch's, nameless arrays in its order.",
    });
  }
  const initial = initialise({ params: [], buffers: noStatistics }, key(0)).buffers;
  const isParam = new Set(network.params.map(({ name }) => name));
  const buffers = { ...pick(matched.tensors, isParam, false), ...initial };
  const notes = noStatistics.length > 0 ? ["running statistics were not handed out; train mode needs none"] : [];
  return { weights: { params: pick(matched.tensors, isParam, true), buffers }, matched, notes };
}

const SHOWN = 4; // findings told; our choice

/** Matches with the order that the number of tensors allows: the whole state dict, what clients send, or parameters alone. */
function match(tensors: Tensors, network: Model, { bnBuffers }: UpdateManifest): Matched {
  const all = stateOrder(network);
  const kept = new Set(keptByClient(network, bnBuffers));
  const orders: readonly (readonly TensorSpec[])[] = [
    all,
    all.filter(({ name }) => !kept.has(name)),
    stateOrder({ params: network.params, buffers: [] }),
  ];
  const tried = orders.map((order) => matchTensors(tensors, network, order));
  const amiss = ({ matches }: Matched) => matches.filter(({ about }) => about !== "").length;
  return tried.reduce((best, next) => (amiss(next) < amiss(best) ? next : best));
}

function afterOf({ sent }: UpdateManifest, before: Tensors<"float32">, params: Tensors<"float32">) {
  return sent === "delta" ? added(before, params) : params;
}

/** before + delta, for the names in `delta`. */
function added(before: Tensors<"float32">, delta: Tensors<"float32">): Tensors<"float32"> {
  return Object.fromEntries(
    Object.entries(delta).map(([name, t]) => [
      name,
      { ...t, data: t.data.map((v, i) => v + (before[name]?.data[i] ?? Number.NaN)) },
    ]),
  );
}

function pick(tensors: Tensors<"float32">, names: ReadonlySet<string>, inside: boolean): Tensors<"float32"> {
  return Object.fromEntries(Object.entries(tensors).filter(([name]) => names.has(name) === inside));
}

function lacking(folder: string, stem: string): never {
  return fail({
    who: `update ${folder}`,
    must: `a file must be called ${stem}.safetensors, ${stem}.npz or ${stem}.onnx`,
    got: "none",
    remedy: `Put it there, or name another in ${MANIFEST_FILE}, as "${stem}".`,
  });
}
