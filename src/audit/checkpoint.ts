import type { AttackState } from "../attacks/index.ts";
import { readSafetensors, type Tensors, writeSafetensors } from "../tensor/index.ts";
import { FedleakError, fail } from "../util/index.ts";
import { fingerprint } from "./fingerprint.ts";

/** Which run a checkpoint belongs to, by fingerprint: a state of another one must not be continued. */
export interface CheckpointOwner {
  /** Of the spec. */
  readonly spec: string;
  /** Of what the attack works from: batch and weights. */
  readonly inputs: string;
}

/** The state of an attack and the seconds it took so far. */
export interface Checkpoint {
  readonly state: AttackState;
  readonly seconds: number;
}

export const CHECKPOINT_FORMAT = "fedleak-checkpoint";
export const CHECKPOINT_VERSION = "1"; // raise it when a state means something else than before

/** The bytes of a checkpoint: a safetensors file of the state's tensors, everything else in its metadata. */
export async function encodeCheckpoint({ state, seconds }: Checkpoint, owner: CheckpointOwner): Promise<Uint8Array> {
  const numbers = {
    iteration: `${state.iteration}`,
    evaluations: `${state.evaluations}`,
    seconds: `${seconds}`,
  };
  return writeSafetensors(state.tensors, {
    format: CHECKPOINT_FORMAT,
    version: CHECKPOINT_VERSION,
    ...numbers,
    ...owner,
    digest: await digestOf(numbers, state.tensors),
  });
}

/**
 * The checkpoint in the bytes of a file; `file` is only named in errors.
 *
 * Throws FedleakError when the bytes are cut short or damaged (every number is covered by a digest), of another version,
 * or of another run than `owner`.
 */
export async function decodeCheckpoint(bytes: Uint8Array, file: string, owner: CheckpointOwner): Promise<Checkpoint> {
  const { tensors, metadata } = readWhole(bytes, file);
  const { format, version, spec, inputs, digest, iteration = "", evaluations = "", seconds = "" } = metadata;
  const must = (holds: boolean, rule: string, got: string, remedy: string, cause?: unknown) => {
    if (!holds) fail({ who: `${CHECKPOINT} ${file}`, must: rule, got, remedy, cause });
  };
  must(format === CHECKPOINT_FORMAT, `its format must be ${CHECKPOINT_FORMAT}`, quote(format), "Pass a run's folder.");
  must(
    version === CHECKPOINT_VERSION,
    `its version must be ${CHECKPOINT_VERSION}`,
    quote(version),
    "Continue the run with the version of fedleak that began it, or start it again.",
  );
  const found = await digestOf({ iteration, evaluations, seconds }, tensors);
  must(found === digest, "its content must match its digest", "other content", "The file is damaged. Start again.");
  must(spec === owner.spec, "it must belong to the spec in the run's record", "another spec", FOREIGN);
  const same = inputs === owner.inputs;
  must(same, "the batch and the weights must be those the run began with", "others", CHANGED, OTHER_INPUTS);
  const state = {
    iteration: Number(iteration),
    evaluations: Number(evaluations),
    tensors: tensors as Tensors<"float32">,
  };
  return { state, seconds: Number(seconds) };
}

/**
 * Whether an error says that a checkpoint is of no use and never will be: damaged, or of another version or spec.
 *
 * Not so where the inputs have changed, which can be restored, or where the file is there and cannot be read just now.
 */
export function isUnusable(error: unknown): error is FedleakError {
  return error instanceof FedleakError && error.who.startsWith(`${CHECKPOINT} `) && error.cause !== OTHER_INPUTS;
}

export const CHECKPOINT = "checkpoint"; // who complains, in all errors about one
const OTHER_INPUTS = "other inputs"; // the cause that tells that error from the others

function readWhole(bytes: Uint8Array, file: string): ReturnType<typeof readSafetensors> {
  try {
    return readSafetensors(bytes, file);
  } catch (cause) {
    return fail({
      who: `${CHECKPOINT} ${file}`,
      must: "it must be a whole safetensors file",
      got: "a damaged one",
      remedy: "Start the run again, or continue it with an undamaged copy of the file.",
      cause,
    });
  }
}

const FOREIGN = "The record or the checkpoint was changed or copied from elsewhere. Start the run again.";
const CHANGED = "Restore the images and the weights file of the run, or start it again.";

function digestOf(numbers: Readonly<Record<"iteration" | "evaluations" | "seconds", string>>, tensors: Tensors) {
  return fingerprint(numbers.iteration, numbers.evaluations, numbers.seconds, tensors);
}

function quote(text: string | undefined): string {
  return text === undefined ? "nothing" : `"${text}"`;
}
