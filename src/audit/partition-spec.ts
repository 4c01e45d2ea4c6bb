import { z } from "zod";
import { PARTITIONS, type PartitionName } from "../data/index.ts";
import { fail } from "../util/index.ts";

/** U of a federation; McMahan et al. 2017. */
export const USUAL_CLIENTS = 100;

const whole = (least: number) => z.int().min(least).describe(`a whole number ≥ ${least}`);

/** How images are spread over clients, as a user may write it. */
export const partitionRule = z.strictObject({
  name: z
    .enum(Object.keys(PARTITIONS) as [PartitionName, ...PartitionName[]])
    .default("iid")
    .describe(Object.keys(PARTITIONS).join(" or ")),
  /** Classes a client has, for label-skew. */
  classesPerClient: whole(1).default(2), // McMahan et al. 2017
  /** Concentration, for dirichlet and quantity-skew: the smaller, the more uneven. */
  alpha: z.number().gt(0).nullable().default(null).describe("a number > 0 or null"),
});

export type PartitionRule = z.output<typeof partitionRule>;

/** A rule, over how many clients, and which of them is attacked. */
export const partitionedClient = partitionRule.extend({
  /** U */
  clients: whole(1).default(USUAL_CLIENTS),
  /** Counted from 0; null: drawn from the seed, among those that have enough images. */
  client: whole(0).nullable().default(null).describe("a whole number ≥ 0 or null"),
});

export type PartitionedClient = z.output<typeof partitionedClient>;

const ALPHA = 0.5; // Li et al. 2022, for Dirichlet shares of the classes
const QUANTITY_ALPHA = 2; // our choice: of 100 clients with some hundred images each nearly never leaves one empty

/** The rule with its concentration: where none is given, the usual one of its kind. */
export function withAlpha<Rule extends PartitionRule>(rule: Rule): Rule {
  if (rule.alpha !== null) return rule;
  return { ...rule, alpha: rule.name === "quantity-skew" ? QUANTITY_ALPHA : ALPHA };
}

/** A complete rule in words: `label-skew, 2 classes a client`. */
export function ruleText({ name, alpha, classesPerClient }: PartitionRule): string {
  if (name === "label-skew")
    return `${name}, ${classesPerClient} ${classesPerClient === 1 ? "class" : "classes"} a client`;
  return name === "dirichlet" || name === "quantity-skew" ? `${name}, α = ${alpha}` : name;
}

/**
 * The draw of a batch: what was asked for, else "one-per-class" from all images and "uniform" from one client's.
 *
 * Throws FedleakError where a client of a partition is asked for one image a class, or its number is not of the federation.
 */
export function drawFor<Draw extends string>(
  asked: Draw | undefined,
  partitioned: PartitionedClient | null,
): Draw | "one-per-class" | "uniform" {
  if (partitioned === null) return asked ?? "one-per-class";
  const { name, client, clients } = partitioned;
  if (asked === "one-per-class") {
    fail({
      who: "spec data.draw",
      must: "the batch of one client is drawn from whatever classes it has, which may be one",
      got: `one-per-class beside the partition ${name}`,
      remedy: "Use uniform (--draw uniform), or leave --partition away.",
    });
  }
  if (client !== null && client >= clients) {
    fail({
      who: "spec data.partition.client",
      must: `client must be 0 to ${clients - 1}`,
      got: `${client}`,
      remedy: "Change --client or --clients.",
    });
  }
  return asked ?? "uniform";
}
