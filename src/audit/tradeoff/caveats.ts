import { isAdaptive } from "./cell-trials.ts";
import { PLACES } from "./plan.ts";
import type { Tradeoff } from "./record.ts";

/** What the numbers of a trade-off assume, a sentence each. */
export function assumptionsOf({ plan }: Tradeoff): string[] {
  const { train, attack } = plan;
  const { federation } = train;
  const names = attack.attacks.map(({ as }) => as).join(", ");
  const adapts = attack.attacks.some(isAdaptive) ? "; those that adapt also know the defence and its settings" : "";
  const grants =
    attack.grants.length === 0 ? "its batch size and nothing else" : `the batch size, ${attack.grants.join(", ")}`;
  return [
    `${train.model.name} on ${train.data.name}, ${train.length} rounds of ${train.training} with ${federation.clients} clients, one training a setting: the interval of an accuracy is over images, not over trainings.`,
    `The attacker sees one update of one client, of a batch of ${attack.batchSize}, at ${attack.at.map((place) => PLACES[place]).join(" and at ")}; it knows the model, the weights handed out, and ${grants}${adapts}.`,
    `Attackers: ${names}, ${attack.evaluations} gradient evaluations each, over ${attack.seeds.length} batches; the worst of them counts.`,
    "Intervals are by the bootstrap over batches and images: over few values they are too short.",
    attack.mismatchedFloor
      ? "The floor is the highest of a blank picture, average pictures and the attack on another batch's update."
      : "The floor is the higher of a blank picture and average pictures; the attack on another batch's update was not measured.",
  ];
}

/** What a trade-off has not tried, a sentence each. */
export function notTestedOf({ plan, table }: Tradeoff): string[] {
  const { train, attack, cells } = plan;
  const missing = (Object.keys(PLACES) as (keyof typeof PLACES)[]).filter((place) => !attack.at.includes(place));
  const adaptive = attack.attacks.filter(isAdaptive).map(({ as }) => as);
  const unscored = table.flatMap(({ cell, place, attackers }) =>
    attackers.filter(({ psnrDb }) => psnrDb === null).map((one) => `${one.attack} on ${cell} at ${PLACES[place]}`),
  );
  return [
    ...(adaptive.length === 0
      ? ["An attacker that knows the defence and re-applies it: every attacker here is a naive one."]
      : []),
    "Attackers with more evaluations, other attacks, or images like the private ones to learn from.",
    "Several updates of one client put together, and a server that deviates from the protocol.",
    `Other batch sizes than ${attack.batchSize}${attack.batchSize > 1 ? ": smaller ones leak more" : ""}.`,
    ...missing.map((place) => `Updates at ${PLACES[place]}.`),
    ...(new Set(cells.map(({ localSteps }) => localSteps)).size === 1 ? ["Other numbers of local steps."] : []),
    `Other data, models and partitions than ${train.federation.partition.name}.`,
    "What leaks beside pictures: labels, membership, properties of the data.",
    ...(unscored.length > 0 ? [`Without a score: ${unscored.join("; ")}.`] : []),
  ];
}
