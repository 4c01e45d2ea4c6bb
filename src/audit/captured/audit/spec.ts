import { z } from "zod";
import { parseDevice } from "../../../runtime/index.ts";
import { fail } from "../../../util/index.ts";
import { AUTO } from "../../auto.ts";
import { refuse } from "../../schema-error.ts";
import { MOST_THREADS } from "../../spec.ts";
import { isTable } from "./truth.ts";

/** What an audit of a captured update is asked to do, complete. Plain JSON, stored in its record and read again by `resume`. */
export type AuditSpec = z.output<typeof auditSpec>;
/** A spec as a user may write it: whatever is missing takes its default. */
export type AuditRequest = z.input<typeof auditSpec>;

const whole = (least: number) => z.int().min(least).describe(`a whole number ≥ ${least}`);
const path = z.string().min(1).nullable().default(null).describe("a path or null");

export const MOST_SEEDS = 20; // our choice: pictures and rows that a page can show

const attack = z.strictObject({
  name: z.string().min(1).default(AUTO).describe("the name of an attack, or auto"),
  /** Overrides of the preset. */
  settings: z.record(z.string(), z.json()).default({}).describe("settings by name"),
  /** The folder of a trained prior, or an ONNX file of a generator; needs the grant "public-data". */
  prior: path,
});

const auditSpec = z.strictObject({
  /** The folder of the captured update. */
  update: z.string().min(1).describe("the folder of a captured update"),
  attack: attack.prefault({}),
  /** Images to look for; null: as the manifest tells. */
  batchSize: whole(1).nullable().default(null).describe("a whole number ≥ 1 or null"),
  /** What the server knows beside what the manifest tells; the rest follows from the manifest and the files. */
  grants: z
    .array(z.enum(["labels", "public-data"]))
    .default([])
    .describe("a list of labels, public-data"),
  /** How often the search starts anew. */
  seeds: whole(1).max(MOST_SEEDS).default(3).describe(`a whole number from 1 to ${MOST_SEEDS}`), // our choice: pairs to compare
  /** Milliseconds for everything; null: the settings say how long a search is. */
  budgetMs: z.number().positive().nullable().optional().describe("milliseconds > 0 or null"),
  /** A folder of the private images, a truth.safetensors, or a table's rows as CSV, for scoring. */
  truth: path,
  /** Of a truth that is a CSV file: the column with the classes; null: they are not told. */
  target: z.string().min(1).nullable().default(null).describe("the name of a column or null"),
  /** Attack although the files contradict each other. */
  force: z.boolean().default(false).describe("true or false"),
  /** Iterations between checkpoints. */
  checkpointEvery: whole(1).default(50).describe("a whole number ≥ 1"), // as an attack's
  device: z.string().default("cpu").describe("the name of a device"),
  threads: whole(0).max(MOST_THREADS).default(0).describe(`a whole number from 0 to ${MOST_THREADS}`),
  seed: whole(0).default(0).describe("a whole number ≥ 0"),
});

const BUDGET_MS = 600_000; // our choice: about what one waits for, as with fedleak attack

/**
 * The request with every default filled in and checked; without a budget, and without evaluations or iterations, ten minutes.
 *
 * Throws FedleakError at the first entry that is unknown, with a suggestion, or wrong, and where a grant lacks its source.
 */
export function completeAuditSpec(request: AuditRequest): AuditSpec & { readonly budgetMs: number | null } {
  const parsed = auditSpec.safeParse(request);
  if (!parsed.success) return refuse(parsed.error, { schema: auditSpec, request, who: "audit" });
  const spec = parsed.data;
  parseDevice(spec.device);
  checkGrants(spec);
  checkTarget(spec);
  checkAdaptive(spec.attack.settings);
  const counted = ["evaluations", "iterations"].some((name) => spec.attack.settings[name] !== undefined);
  const { budgetMs = counted ? null : BUDGET_MS } = spec;
  return { ...spec, grants: [...new Set(spec.grants)].sort(), budgetMs };
}

/** A captured update holds what a server has; a grant must say where the rest comes from. */
function checkGrants({ grants, truth, attack }: AuditSpec): void {
  if (grants.includes("labels") && truth === null) {
    fail({
      who: "audit grants",
      must: "granted labels must come from somewhere: the truth",
      got: "labels, and no truth",
      remedy: "Pass --truth with the private images and their classes, or do without the grant.",
    });
  }
  if (attack.prior !== null && !grants.includes("public-data")) {
    fail({
      who: "audit attack.prior",
      must: 'a prior needs the grant "public-data"',
      got: grants.join(", ") || "nothing granted",
      remedy: "Pass --grant public-data, or no prior.",
    });
  }
}

/** Classes are a column only where the truth is a table. */
function checkTarget({ target, truth }: AuditSpec): void {
  if (target === null || (truth !== null && isTable(truth))) return;
  fail({
    who: "audit target",
    must: "it names a column of a truth that is a table, as .csv, .tsv or .txt",
    got: truth === null ? "no truth" : `the truth ${truth}`,
    remedy: "Pass --truth rows.csv, or leave --target away.",
  });
}

/** A manifest does not tell of defences, so there is nothing to adapt to. */
function checkAdaptive({ adaptive }: AuditSpec["attack"]["settings"]): void {
  if (adaptive !== true && adaptive !== "true") return;
  fail({
    who: "audit attack.settings.adaptive",
    must: "it must be off: a captured update does not tell which defences the client used",
    got: "on",
    remedy: "Leave --adaptive away; fedleak attack --defence with --grant defence measures such an attacker.",
  });
}
