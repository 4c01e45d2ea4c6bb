import type { Observation } from "../../fl/index.ts";
import type { Shape } from "../../tensor/index.ts";
import { sameShape, shapeText } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import type { Prior } from "./types.ts";

/** The prior, or, where an attack's `setting` needs one and has none, an error that says how to get one. */
export function needPrior(prior: Prior | undefined, setting: string): Prior {
  return (
    prior ??
    fail({
      who: `attack setting ${setting}`,
      must: "it needs a prior: a decoder and a restorer trained on public images",
      got: "none",
      remedy: "Train one with fedleak train-prior and pass its folder with --prior.",
    })
  );
}

/** The restorer of a prior that has one, or an error. */
export function needRestorer(prior: Prior | undefined, setting: string): NonNullable<Prior["restore"]> {
  const { name, restore } = needPrior(prior, setting);
  return (
    restore ??
    fail({
      who: `attack setting ${setting}`,
      must: "the prior must have a restorer",
      got: `prior ${name}, a decoder only`,
      remedy: "Train a prior with fedleak train-prior: it has both.",
    })
  );
}

/**
 * Throws FedleakError unless a prior may be used on an observation and fits what is attacked: "public-data" must be
 * granted, and its images and classes must be those of the model.
 */
export function checkPrior(
  prior: Prior,
  target: {
    readonly granted: Observation["granted"];
    /** [C,H,W] */
    readonly inputShape: Shape;
    readonly classes: number;
  },
): void {
  const who = `prior ${prior.name}`;
  if (!target.granted.includes("public-data")) {
    fail({
      who,
      must: 'the threat model must grant "public-data" when a prior is used',
      got: target.granted.join(", ") || "nothing granted",
      remedy: "Pass --grant public-data, or leave --prior away.",
    });
  }
  if (!sameShape(prior.imageShape, target.inputShape)) {
    fail({
      who,
      must: `its images must be those of the attacked model, ${shapeText(target.inputShape)}`,
      got: shapeText(prior.imageShape),
      remedy: "Train a prior at that size with fedleak train-prior --size, or attack images of the prior's size.",
    });
  }
  if (prior.classes !== 0 && prior.classes !== target.classes) {
    fail({
      who,
      must: `a class-conditional prior must have the ${target.classes} classes of the attacked model`,
      got: `${prior.classes}`,
      remedy: "Train one without --class-conditional, or on images of the same classes.",
    });
  }
}
