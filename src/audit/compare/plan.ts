import { z } from "zod";
import type { SettingValue } from "../../attacks/index.ts";
import { fail, unknownName } from "../../util/index.ts";
import { namedAttack } from "../named-attack.ts";
import { refuse } from "../schema-error.ts";
import { MOST_THREADS } from "../spec.ts";

/**
 * What a comparison is asked to do, complete: every attack on every batch of every setting, with one budget for all.
 *
 * Plain JSON, stored in the comparison's file and read again by `resume`; completing it again changes nothing.
 */
export interface ComparePlan extends Omit<z.output<typeof plan>, Rewritten> {
  readonly settings: readonly CompareSetting[];
  readonly attacks: readonly CompareAttack[];
  /** A seed draws another batch, other weights and another start of every attack. */
  readonly seeds: readonly number[];
  readonly batches: readonly CompareBatch[];
  /** The label of the attack that the others are held against. */
  readonly reference: string;
}
/** A plan as a user may write it: whatever is missing takes its default. */
export type CompareRequest = z.input<typeof plan>;

/** A model, a client and data under attack: beside the name, entries of a run's spec. */
export interface CompareSetting extends Entries {
  readonly name: string;
  readonly about?: string | undefined;
  /** The prior of the attacks that use one: it belongs to the data. */
  readonly prior?: string | null | undefined;
}

/** An attack, the settings that differ from its preset, and the label that tells it from the others. */
export interface CompareAttack extends Entries {
  readonly name: string;
  readonly as: string;
  readonly settings: Readonly<Record<string, SettingValue>>;
}

export interface CompareBatch {
  readonly size: number;
  /** The most gradient evaluations of the audited model in one trial. */
  readonly evaluations: number;
}

type Entries = Readonly<Record<string, unknown>>; // checked by the run's own spec
type Rewritten = "settings" | "attacks" | "seeds" | "batches" | "reference";

export const EVALUATIONS = 300; // of one trial; our choice: minutes for a small network, past the steep part of every curve

const whole = (least: number) => z.int().min(least).describe(`a whole number ≥ ${least}`);
const kebab = z
  .string()
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/)
  .describe("a name in kebab-case");
const some = <T extends z.ZodType>(item: T, about: string) => z.array(item).min(1).describe(`a list of ${about}`);

const setting = z
  .object({
    name: kebab,
    about: z.string().min(1).optional().describe("a text"),
    /** Of this data, for the attacks that use one. */
    prior: z.string().min(1).nullable().optional().describe("a path or null"),
  })
  .catchall(z.json()) // the run's own spec checks them
  .describe("an object with a name");

const attack = z
  .object({
    name: z.string().min(1).describe("the name of an attack"),
    as: z
      .string()
      .regex(/^[\p{L}\p{N}][^\p{Cc}]{0,59}$/u)
      .optional()
      .describe("a label of up to 60 characters"), // 60: our choice, fits a table
    settings: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .default({})
      .describe("settings by name"),
  })
  .catchall(z.json())
  .describe("an object with a name");

const batch = z
  .union([whole(1), z.strictObject({ size: whole(1), evaluations: whole(1).optional() })])
  .describe("a whole number ≥ 1, or { size, evaluations }");

const plan = z.strictObject({
  settings: some(setting, "settings").default([{ name: "default" }]),
  attacks: some(attack, "attacks"),
  /** How many, counted from 0, or which. */
  seeds: z
    .union([whole(1), some(whole(0), "seeds")])
    .default(3)
    .describe("a whole number ≥ 1, or a list of seeds"), // our choice: the fewest that show a spread
  batches: some(batch, "batch sizes").default([4]), // as a run's
  evaluations: whole(1).default(EVALUATIONS),
  reference: z.string().optional().describe("the label of one of the attacks"),
  mismatchedFloor: z.boolean().default(false).describe("true or false"),
  checkpointEvery: whole(1).default(50), // as a run's
  device: z.string().default("cpu").describe("the name of a device"),
  threads: whole(0).max(MOST_THREADS).default(0).describe(`a whole number from 0 to ${MOST_THREADS}`),
});

/**
 * The request with every default filled in and checked, but for what the spec of each trial checks.
 *
 * Throws FedleakError at the first entry that is unknown, with a suggestion, wrong, or there twice.
 */
export function completePlan(request: unknown): ComparePlan {
  const parsed = plan.safeParse(request);
  if (!parsed.success) return refuse(parsed.error, { schema: plan, request, who: "plan" });
  const { seeds, batches, reference, ...rest } = parsed.data;
  const attacks: readonly CompareAttack[] = parsed.data.attacks.map(labelled);
  for (const { name } of attacks) namedAttack(name, { who: `plan attack ${name}`, must: SAME });
  for (const { name, ...entries } of rest.settings) checkOwn(name, entries);
  const labels = attacks.map(({ as }) => as);
  distinct(
    "settings",
    rest.settings.map(({ name }) => name),
  );
  distinct("attacks", labels, 'Give one of them another label with "as".');
  const completed = {
    ...rest,
    attacks,
    seeds: typeof seeds === "number" ? Array.from({ length: seeds }, (_, i) => i) : seeds,
    batches: batches.map((entry) =>
      typeof entry === "number"
        ? { size: entry, evaluations: rest.evaluations }
        : { size: entry.size, evaluations: entry.evaluations ?? rest.evaluations },
    ),
    reference: reference ?? labels[0]!,
  };
  distinct("seeds", completed.seeds.map(String));
  distinct(
    "batches",
    completed.batches.map(({ size }) => `${size}`),
  );
  if (!labels.includes(completed.reference)) unknownName("plan", "reference", completed.reference, labels);
  return completed;
}

const SAME = "a line of the table must be one attack, on every batch and with the budget of the others";

/** `fedleak-plus` or, with overrides, `fedleak-plus:restarts=2,tv=0.1`, unless the user names it. */
function labelled({ as, name, settings, ...rest }: z.output<typeof attack>): CompareAttack {
  const overrides = Object.entries(settings).map(([setting, value]) => `${setting}=${value}`);
  return { ...rest, name, settings, as: as ?? [name, overrides.join(",")].filter(Boolean).join(":") };
}

/** What the plan itself says for all trials must not stand in a setting, where it would be passed over. */
function checkOwn(name: string, entries: Readonly<Record<string, unknown>>): void {
  const taken = TAKEN.find((entry) => Object.hasOwn(entries, entry));
  const client = entries.client as { readonly batchSize?: unknown } | undefined;
  const found = taken ?? (client?.batchSize === undefined ? undefined : "client.batchSize");
  if (found === undefined) return;
  fail({
    who: `plan setting ${name}`,
    must: "a setting tells model, client and data; the plan tells the rest, the same for all attacks",
    got: found,
    remedy:
      "Put it at the top of the plan: attacks, seeds, batches, mismatchedFloor, checkpointEvery, device, threads.",
  });
}

const TAKEN = ["attack", "seed", "measure", "checkpointEvery", "device", "threads"];

function distinct(what: string, names: readonly string[], remedy = "Name each of them once."): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined)
    fail({ who: `plan ${what}`, must: "each must be there once", got: `"${twice}" twice`, remedy });
}
