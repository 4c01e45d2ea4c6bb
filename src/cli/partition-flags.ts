import type { Option } from "commander";
import { completeTrainSpec } from "../audit/index.ts";
import { PARTITIONS } from "../data/index.ts";
import { fail, kebab } from "../util/index.ts";
import { notNegative, wholeFrom } from "./flag-values.ts";

type Declare = (flags: string, about: string, shape?: (option: Option) => Option) => unknown;

/** Declares the flags that draw the batch from one client of a federation; `partitionOf` reads them back. */
export function declarePartition(declare: Declare): void {
  const { clients, partition } = completeTrainSpec({}).federation; // for the defaults that help shows
  const whole = (least: number) => (option: Option) => option.argParser(wholeFrom(least));
  declare("--partition <name>", `${Object.keys(PARTITIONS).join(", ")} (default: all images are one client's)`);
  declare("--clients <n>", `clients of the partition (default: ${clients})`, whole(1));
  declare("--classes-per-client <n>", `of label-skew (default: ${partition.classesPerClient})`, whole(1));
  declare("--alpha <x>", "of dirichlet (default: 0.5) and quantity-skew (default: 2)", (o) => o.argParser(notNegative));
  declare(
    "--client <n>",
    "which of them, from 0; of feature-skew, 0 has the smoothest images (default: drawn from the seed)",
    whole(0),
  );
}

/** The names of those flags as commander has them. */
export const PARTITION_FLAGS = ["partition", "clients", "classesPerClient", "alpha", "client"] as const;

/** The partitions that a flag is of. */
const OF: { readonly [flag: string]: readonly string[] } = {
  classesPerClient: ["label-skew"],
  alpha: ["dirichlet", "quantity-skew"],
};

/**
 * What the flags ask for; undefined: no partition.
 *
 * Throws FedleakError where one of the others stands without `--partition`, or with one that it has no effect on.
 */
export function partitionOf(flags: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const given = PARTITION_FLAGS.filter((name) => flags[name] !== undefined);
  if (given.length === 0) return undefined;
  if (flags.partition === undefined) {
    const flag = flagOf(given[0]!);
    fail({
      who: flag,
      must: "it must be known how the images are spread over clients",
      got: "no --partition",
      remedy: `Add --partition with ${Object.keys(PARTITIONS).join(", ")}, or leave ${flag} away.`,
    });
  }
  const idle = given.find((name) => name in OF && !OF[name]!.includes(String(flags.partition)));
  if (idle !== undefined && Object.hasOwn(PARTITIONS, String(flags.partition))) {
    fail({
      who: flagOf(idle),
      must: `it is of ${OF[idle]!.join(" and ")}`,
      got: `--partition ${flags.partition}, which it has no effect on`,
      remedy: "Leave it away, or choose another --partition.",
    });
  }
  return Object.fromEntries(given.map((flag) => [flag === "partition" ? "name" : flag, flags[flag]]));
}

/** `classesPerClient` → `--classes-per-client` */
function flagOf(name: string): string {
  return `--${kebab(name)}`;
}
