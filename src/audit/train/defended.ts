import { chain, type Link, linkText } from "../../defences/index.ts";
import type { GradientStep, LocalGradient, Weights } from "../../fl/index.ts";
import { float32, type Tensors } from "../../tensor/index.ts";
import { fail, type Key, split } from "../../util/index.ts";
import type { Assumption } from "../record-schema.ts";
import type { Training } from "./prepare.ts";
import { type Exposure, exposureOf, type Participation, plannedLink, privacyText } from "./privacy.ts";

/** What the clients of a federation do to what they send, planned for the whole training. */
export interface PlannedDefences {
  readonly links: readonly Link[];
  readonly assumptions: readonly Assumption[];
}

/** The defences of a training whose clients take part as told. Throws FedleakError where one cannot act there. */
export function planDefences(
  { spec, model }: Pick<Training, "spec" | "model">,
  clients: readonly Participation[],
): PlannedDefences {
  const asked = spec.federation.defences;
  if (asked.length === 0) return { links: [], assumptions: [] };
  const exposure = exposureOf(clients);
  const links = asked.map((defence) => plannedLink(defence, exposure));
  const each = links.find(({ defence }) => defence.stage === "example-gradient");
  if (each !== undefined && spec.batchNorm === "train" && model.buffers.length > 0) {
    fail({
      who: `train --defence ${each.defence.name}`,
      must: "a defence of each image's gradient needs images that do not act on each other",
      got: `${model.name} with BatchNorm in train mode`,
      remedy: "Pass --bn-mode eval, or take a model without BatchNorm.",
    });
  }
  const sendsStatistics =
    spec.batchNorm === "train" && model.buffers.length > 0 && spec.federation.bnBuffers === "averaged";
  return { links, assumptions: assumptionsOf(spec.training === "fedsgd", links, { exposure, sendsStatistics }) };
}

/**
 * How a client computes a batch's gradient under the defences; undefined: plainly.
 *
 * A client that sends this gradient applies all of them; one that trains applies those of batches and images to each local
 * step's gradient, and `defendedWeights` does the rest. Step s of a turn draws from split(key, s).
 */
export function localGradient(links: readonly Link[], key: Key, sends: boolean): LocalGradient | undefined {
  const own = sends ? links : links.filter(({ defence }) => defence.stage !== "update");
  if (own.length === 0) return undefined;
  const defended = chain(...own);
  return (step, number) => defended(step, split(key, number));
}

export interface Sending {
  readonly links: readonly Link[];
  readonly key: Key;
  /** What the client was handed out and, of its images, those of its first batch: what a defence that asks for them sees. */
  readonly step: GradientStep;
  /** After local training. */
  readonly after: Weights;
  /** Learning rate × local steps: what a mean gradient is multiplied by to move weights. */
  readonly scale: number;
  /** Names of what the client keeps for itself: no part of what it sends. */
  readonly kept: readonly string[];
}

/**
 * The weights that a client sends: those it was handed out, moved by its defended change.
 *
 * The change is defended as the mean gradient that it amounts to, g = (before − after) / scale, so that a clip or a deviation means the
 * same for one local step and for many: after′ = before − scale · defended(g). With one step of plain SGD it is FedSGD's
 * defended gradient. Without a defence of updates: `after`. Source: FedLeak, Section 2.1, for g; the units are our choice.
 */
export async function defendedWeights({ links, key, step, after, scale, kept }: Sending): Promise<Weights> {
  if (!links.some(({ defence }) => defence.stage === "update")) return after;
  const before = step.weights.params;
  const sent = Object.keys(before).filter((name) => !kept.includes(name));
  const moved = (from: Tensors<"float32">, to: (name: string, i: number) => number) =>
    Object.fromEntries(
      sent.map((name) => [
        name,
        float32(
          from[name]!.shape,
          from[name]!.data.map((value, i) => value - to(name, i)),
        ),
      ]),
    );
  let update = mapped(
    moved(before, (name, i) => after.params[name]!.data[i]!),
    (value) => value / scale,
  );
  const own = split(split(key, 0), 0); // as `chain` splits it for its only client, from step 0
  for (const [i, { defence, settings }] of links.entries()) {
    if (defence.stage !== "update") continue;
    update = await defence.apply(update, { settings, step, key: split(own, i) });
  }
  const params = moved(before, (name, i) => scale * update[name]!.data[i]!);
  return { params: { ...after.params, ...params }, buffers: after.buffers };
}

function mapped(tensors: Tensors<"float32">, change: (value: number) => number): Tensors<"float32"> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [name, float32(shape, data.map(change))]),
  );
}

function assumptionsOf(
  sendsGradients: boolean,
  links: readonly Link[],
  sending: { readonly exposure: Exposure; readonly sendsStatistics: boolean },
): Assumption[] {
  const claims = links.map(({ defence: { name, claim } }) => `${name}: ${claim}`);
  const acts = sendsGradients
    ? "On the gradient that a client sends."
    : "Those of images in each local step; those of updates on the change of the weights as the mean gradient that it amounts to.";
  const promises = links.flatMap((link, i) => privacyText(link, { ...sending, later: links.slice(i + 1) }) ?? []);
  return [
    {
      assumption: "defence",
      value: links.map(linkText).join(", then "),
      origin: "user",
      note: [acts, ...claims].join(" "),
    },
    ...promises.map(
      (value): Assumption => ({
        assumption: "privacy",
        value,
        origin: "measured",
        note: "Batches are cut from shuffled epochs, so that no amplification by sampling is counted. Loss and numbers of images are not protected.",
      }),
    ),
  ];
}
