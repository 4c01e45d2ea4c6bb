/** Options of models: each schema's description finishes the sentence "option X must be …". */
import { z } from "zod";
import { ACTIVATIONS, type ActivationName } from "../nn/index.ts";
import { fail, unknownName } from "../util/index.ts";

/** An integer ≥ `least`. */
export function atLeast(least: number) {
  return z.int().min(least).describe(`an integer ≥ ${least}`);
}

/** An integer ≥ `least`, `value` when not given. */
export function atLeastOr(least: number, value: number) {
  return atLeast(least).default(value).describe(`an integer ≥ ${least}`);
}

/** [C,H,W], each an integer ≥ 1. */
export const imageShape = z
  .tuple([z.int().min(1), z.int().min(1), z.int().min(1)])
  .readonly()
  .describe("[channels, height, width], each an integer ≥ 1");

/** What every classifier must be told. */
export const classifier = { inputShape: imageShape, classes: atLeast(2) };

/** The nonlinearity of the whole net, relu when not given. */
export const activation = z
  .enum(Object.keys(ACTIVATIONS) as ActivationName[])
  .default("relu")
  .describe(Object.keys(ACTIVATIONS).join(" or "));

/** The options completed with their defaults; throws FedleakError at the first that is unknown, missing or wrong. */
export function completeOptions<S extends z.ZodObject>(
  who: string,
  schema: S,
  given: Readonly<Record<string, unknown>>,
): z.output<S> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const known = Object.keys(schema.shape);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) return unknownName(who, "option", unknown, known);
  const name = String(parsed.error.issues[0]!.path[0]);
  return fail({
    who,
    must: `option ${name} must be ${schema.shape[name]!.description}`,
    got: JSON.stringify(given[name]) ?? "nothing",
    remedy: name in given ? "Change it." : "Give it.",
  });
}

/** Complains when images are smaller than the factor a net shrinks them by (our choice: beyond it padding outweighs them). */
export function needSize(who: string, [, height, width]: readonly [number, number, number], least: number): void {
  if (Math.min(height, width) < least) {
    fail({
      who,
      must: `images must be at least ${least}×${least}, since the net shrinks them ${least}-fold`,
      got: `${height}×${width}`,
      remedy: "Use larger images or another model.",
    });
  }
}
