import { basename, extname, join } from "node:path";
import { learnedPrior, type Prior } from "../../attacks/index.ts";
import { readBytes } from "../../data/index.ts";
import { buildDecoder, buildRestorer } from "../../models/index.ts";
import { importGenerator } from "../../onnx/index.ts";
import { readSafetensors, sameShape, type Tensors } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { fingerprint } from "../fingerprint.ts";
import { PRIOR_FILES, type PriorRecord } from "./record.ts";
import { readPriorRecord } from "./train.ts";

/** A prior as an attack uses it, and what identifies it. */
export interface LoadedPrior {
  readonly prior: Prior;
  /** Of its numbers: two priors with the same one give the same attack. */
  readonly fingerprint: string;
}

/**
 * The prior at `path`: the folder that `fedleak train-prior` wrote, or an ONNX file of a generator.
 *
 * Throws FedleakError when it is not there, was never written whole, or its files do not belong together.
 */
export async function loadPrior(path: string): Promise<LoadedPrior> {
  return extname(path).toLowerCase() === ".onnx" ? generatorPrior(path) : trainedPrior(path);
}

const GENERATOR_LIMIT = 1; // z = tanh of what is searched for, as Li et al. on BigGAN

/** A decoder of the user’s own; nothing is known of its training. */
async function generatorPrior(path: string): Promise<LoadedPrior> {
  const name = basename(path);
  const { about, ...generator } = importGenerator(await readBytes(path), { name });
  const print = await fingerprint(generator.tensors);
  const told = `${about}; what it was trained on is not known; fingerprint ${short(print)}`;
  return { prior: { ...generator, about: told, limit: GENERATOR_LIMIT, classes: 0 }, fingerprint: print };
}

async function trainedPrior(path: string): Promise<LoadedPrior> {
  const record = await readPriorRecord(path);
  if (record.fingerprint === undefined) {
    fail({
      who: `prior ${path}`,
      must: "its training must have been finished or stopped in order",
      got: "one that goes on or was killed",
      remedy: `Wait for it, or continue it with fedleak resume ${path}.`,
    });
  }
  const file = join(path, PRIOR_FILES.tensors);
  const tensors = readSafetensors(await readBytes(file), file).tensors as Tensors<"float32">;
  const print = await fingerprint(tensors);
  if (print !== record.fingerprint) {
    fail({
      who: `prior ${file}`,
      must: `it must be the file that ${PRIOR_FILES.about} beside it tells of`,
      got: "other numbers",
      remedy: "The file is damaged or from another training. Train the prior again.",
    });
  }
  const decoder = buildDecoder(record.decoder);
  const restorer = buildRestorer(record.restorer);
  checkShapes(file, tensors, [
    ...decoder.params.map((spec) => ({ ...spec, name: `decoder.${spec.name}` })),
    ...restorer.params.map((spec) => ({ ...spec, name: `restorer.${spec.name}` })),
  ]);
  const name = `trained by fedleak on ${record.trainedOn.source}`;
  return { prior: learnedPrior({ name, about: aboutText(record), decoder, restorer, tensors }), fingerprint: print };
}

/** In words for the ledger: what it is, what it was trained on, how long and how well. */
function aboutText({ trainedOn, decoder, stepsDone, status, heldOut, fingerprint = "" }: PriorRecord): string {
  const told = Number(decoder.classes) > 0 ? ", told the class" : "";
  return [
    `a decoder of ${decoder.latent} latent numbers${told} and a restorer, trained by fedleak`,
    `on ${trainedOn.images} images of ${trainedOn.source} (fingerprint ${short(trainedOn.fingerprint)})`,
    `for ${stepsDone} steps${status === "finished" ? "" : `, ${status} before the end`}`,
    ...(heldOut
      ? [`held-out images: decoder ${db(heldOut.decoderPsnrDb)}, restorer ${db(heldOut.restoredPsnrDb)}`]
      : []),
    `prior's own fingerprint ${short(fingerprint)}`,
    "our stand-in for the large pretrained generator of the papers",
  ].join("; ");
}

function short(print: string): string {
  return print.slice(0, 12);
}

function db(value: number): string {
  return `${value.toFixed(2)} dB`;
}

function checkShapes(
  file: string,
  tensors: Tensors,
  wanted: readonly { readonly name: string; readonly shape: readonly number[] }[],
): void {
  const wrong = wanted.find(({ name, shape }) => {
    const found = tensors[name];
    return found?.dtype !== "float32" || !sameShape(found.shape, shape);
  });
  if (wrong) {
    fail({
      who: `prior ${file}`,
      must: `it must hold "${wrong.name}" of shape [${wrong.shape.join(",")}]`,
      got: tensors[wrong.name] ? `[${tensors[wrong.name]!.shape.join(",")}]` : "nothing",
      remedy: "Train the prior again with this version.",
    });
  }
}
