import type { Observation } from "../../fl/index.ts";
import type { Model } from "../../nn/index.ts";
import type { Shape } from "../../tensor/index.ts";
import { fail } from "../../util/index.ts";
import { firstLinear, layersOf } from "./layers.ts";
import type { Leak } from "./leak.ts";
import { linearLeak } from "./linear-leak.ts";
import { recursiveInversion } from "./recursive.ts";
import { type ClosedForm, whyNot } from "./why-not.ts";

/** The closed form of an observation, ready to be computed. Throws FedleakError, with the reason, where it does not apply. */
export function solverOf(method: ClosedForm, model: Model, observation: Observation, shape: Shape): () => Leak {
  const reason = whyNot(method, model, observation);
  if (reason !== undefined) return inapplicable(method, reason);
  const { update, global } = observation;
  if (method === "linear-leak") {
    const { weight, bias } = firstLinear(model)!;
    return () => linearLeak(update[weight]!, update[bias!]!, shape);
  }
  const read = layersOf(model);
  if ("obstacle" in read) return inapplicable(method, read.obstacle);
  return () => recursiveInversion(read.layers, { params: global.params, update }, shape);
}

function inapplicable(method: ClosedForm, reason: string): never {
  return fail({
    who: `attack ${method}`,
    must: "the network and the batch must let it be solved",
    got: reason,
    remedy: "Use --attack auto, or an attack that searches.",
  });
}
