import type { RunRecord } from "../record-schema.ts";
import type { CellAssumptions, TrialRow } from "./comparison.ts";
import type { ComparePlan } from "./plan.ts";

/**
 * What the numbers of each setting and batch size assume: what holds for all of its rows, and what does not, with whose it is.
 *
 * Made from the ledgers of the trials that have a record, in the order of the plan; nothing of a cell where none has.
 */
export function assumptionsOf(
  plan: Pick<ComparePlan, "settings" | "batches" | "mismatchedFloor">,
  rows: readonly TrialRow[],
): CellAssumptions[] {
  return plan.settings.flatMap(({ name: setting }) =>
    plan.batches.flatMap(({ size: batchSize, evaluations }) => {
      const told = rows.filter((row): row is ToldRow => here(row, setting, batchSize) && row.assumptions !== undefined);
      if (told.length === 0) return [];
      const names = NAMES.filter((name) => told.some(({ assumptions }) => assumptions[name] !== undefined));
      const found = names.map((name) => ({ name, groups: groupsOf(told, name) }));
      const shared = found.flatMap(({ name, groups }) => {
        const value = groups.length === 1 ? groups[0]!.value : bySeed(told, name);
        return value === undefined ? [] : [[name, value] as const];
      });
      const differing = found.flatMap(({ name, groups }) =>
        shared.some(([known]) => known === name) ? [] : [{ assumption: name, groups }],
      );
      const plans = { budget: budgetText(evaluations), floor: floorText(plan.mismatchedFloor) };
      return [{ setting, batchSize, shared: { ...Object.fromEntries(shared), ...plans }, differing }];
    }),
  );
}

/** What a trial's numbers assume, as far as another trial of the same comparison could differ in it. */
export function assumptionsIn({ ledger }: Pick<RunRecord, "ledger">): Record<string, string> {
  const entries = NAMES.flatMap((name): (readonly [string, string])[] => {
    const entry = ledger.find(({ assumption }) => assumption === (name === "draw" ? "batch" : name));
    if (entry === undefined) return [];
    if (name === "draw") return entry.note === undefined ? [] : [[name, entry.note]]; // its value differs from seed to seed
    return [[name, name === "bn-mode" && entry.note ? `${entry.value}; ${entry.note}` : entry.value]];
  });
  return Object.fromEntries(entries);
}

/** Entries of a run's ledger, in the order in which they are told; "draw" is the note of its "batch". */
const NAMES = [
  "model",
  "activation",
  "weights",
  "data",
  "partition",
  "client",
  "draw",
  "granted",
  "labels",
  "batch-size",
  "bn-mode",
  "buffers",
  "local-steps",
  "defence",
  "prior",
  "contrast",
  "scoring",
  "versions",
] as const;

const OF_THE_SEED: readonly string[] = ["client"]; // drawn from it: another at each is no difference between attacks

/** `seed 0: …; seed 1: …` for what is drawn from the seed, where all attacks of a seed say the same. */
function bySeed(rows: readonly ToldRow[], name: string): string | undefined {
  if (!OF_THE_SEED.includes(name)) return undefined;
  const texts = [...new Set(rows.map(({ seed }) => seed))].map((seed) => {
    const own = new Set(rows.filter((row) => row.seed === seed).map(({ assumptions }) => assumptions[name]));
    return own.size === 1 ? `seed ${seed}: ${[...own][0] ?? "not told"}` : undefined;
  });
  return texts.includes(undefined) ? undefined : texts.join("; ");
}

type ToldRow = TrialRow & { readonly assumptions: Readonly<Record<string, string>> };

function here(row: TrialRow, setting: string, batchSize: number): boolean {
  return row.setting === setting && row.batchSize === batchSize;
}

/** The values of an assumption, each with the attacks that have it in all their rows, or else with their seeds. */
function groupsOf(rows: readonly ToldRow[], name: string): CellAssumptions["differing"][number]["groups"] {
  const values = [...new Set(rows.map(({ assumptions }) => assumptions[name]))];
  return values.map((value) => {
    const own = rows.filter(({ assumptions }) => assumptions[name] === value);
    const attacks = [...new Set(own.map(({ attack }) => attack))];
    return { value: value ?? "not told", rows: attacks.map((attack) => nameOf(attack, own, rows)) };
  });
}

/** `dlg`, or `dlg (seeds 1, 2)` where its other rows are in another group. */
function nameOf(attack: string, own: readonly ToldRow[], all: readonly ToldRow[]): string {
  const [mine, its] = [own, all].map((rows) => rows.filter((row) => row.attack === attack));
  if (mine!.length === its!.length) return attack;
  return `${attack} (${mine!.length === 1 ? "seed" : "seeds"} ${mine!.map(({ seed }) => seed).join(", ")})`;
}

function budgetText(evaluations: number): string {
  return `at most ${evaluations} gradient evaluations a trial`;
}

function floorText(mismatched: boolean): string {
  const flat = "the highest of a blank picture and average pictures";
  return mismatched
    ? `${flat}, and the same attack on another batch's update`
    : `${flat}; the attack on another batch's update was not measured`;
}
