import { Command, CommanderError, type Option } from "commander";
import type { SettingValue } from "../attacks/index.ts";
import { type ComparePlan, completePlan } from "../audit/index.ts";
import { fail } from "../util/index.ts";
import { DATA_FLAGS, declareAttackFlags, requestOf } from "./attack-flags.ts";
import { readPlan } from "./plan-file.ts";

type Flags = Readonly<Record<string, unknown>>;

/** The flags of `attack` that say what is attacked: data, model, client, what is granted, the prior of that data. */
export function subjectOptions(): readonly Option[] {
  return declareAttackFlags(new Command()).options.filter(
    (option) =>
      option.attributeName() !== "batch" && // the plan's batches
      (/^(Data|Client)\b/.test(option.helpGroupHeading ?? "") || SERVER.includes(option.attributeName())),
  );
}

const SERVER = ["grant", "prior"]; // of the group about the attack: what the server knows, the same for all attacks

/**
 * The plan that the flags ask for, or that of a plan file with what the flags say for all trials in its place.
 *
 * threads: those of a trial where neither a flag nor the plan says so.
 */
export async function planOf(flags: Flags, threads?: number): Promise<ComparePlan> {
  const {
    plan: file,
    attacks,
    seeds,
    seed,
    batches,
    setting,
  } = flags as {
    readonly [name: string]: string | undefined;
  } & { readonly seeds?: number; readonly seed?: number; readonly setting?: readonly string[] };
  const options = subjectOptions();
  const subject = Object.fromEntries(options.map((o) => [o.attributeName(), flags[o.attributeName()]]));
  const overrides = given({
    attacks: attacks && parseAttacks(attacks),
    seeds: seed === undefined ? seeds : undefined,
    batches: batches && parseBatches(batches),
    evaluations: flags.evaluations,
    reference: flags.reference,
    mismatchedFloor: flags.mismatchedFloor,
    checkpointEvery: flags.checkpointEvery,
    device: flags.device,
    threads: flags.threads,
  });
  if (file !== undefined) {
    checkNoSubject(given(subject), setting);
    const read = { ...given({ threads }), ...(await readPlan(file)), ...overrides };
    return completePlan({ ...read, ...(seed !== undefined && { seeds: seedsFrom(seed, seeds ?? read.seeds) }) });
  }
  if (attacks === undefined) {
    fail({
      who: "compare",
      must: "it must know which attacks to compare",
      got: "neither --attacks nor --plan",
      remedy: "Pass --attacks fedleak-release,inverting-gradients for two of fedleak list.",
    });
  }
  const settings = (setting ?? ["default"]).map((text) => parseSetting(text, given(subject), options));
  const from = seed === undefined ? {} : { seeds: seedsFrom(seed, seeds) };
  return completePlan({ ...given({ threads }), ...overrides, ...from, settings });
}

/** As many seeds as were asked for or the plan has, counted from the first one. */
function seedsFrom(first: number, asked: unknown = completePlan({ attacks: [{ name: "dlg" }] }).seeds): unknown {
  const count = Array.isArray(asked) ? asked.length : asked;
  return typeof count === "number" ? Array.from({ length: count }, (_, i) => first + i) : asked; // completePlan complains
}

/** `a,b:restarts=2,tv=0.1,c`: an attack, one with two settings of its own, an attack. Names of settings in kebab-case. */
export function parseAttacks(text: string): { name: string; settings: Record<string, SettingValue> }[] {
  const attacks: { name: string; settings: Record<string, SettingValue> }[] = [];
  for (const piece of text.split(",").map((part) => part.trim())) {
    const [, name, override] = /^(?:([^:=]+)(?::|$))?(.*)$/.exec(piece)!;
    if (name !== undefined) attacks.push({ name, settings: {} });
    if (override === "" && name !== undefined) continue;
    const [, setting, value] = /^([^=]+)=(.+)$/.exec(override!) ?? [];
    const last = attacks.at(-1);
    if (setting === undefined || value === undefined || last === undefined) {
      return fail({
        who: "--attacks",
        must: "it must be a list as fedleak,fedleak-release:gamma=0.3,tv=0",
        got: `"${piece}"`,
        remedy: "Put a colon after the attack, then its settings, separated by commas.",
      });
    }
    last.settings[camel(setting)] = value;
  }
  return attacks;
}

/** `4,8:600`: batches of 4, and of 8 with 600 evaluations a trial. */
function parseBatches(text: string): (number | { size: number; evaluations: number })[] {
  return text.split(",").map((part) => {
    const [, size, evaluations] = /^\s*(\d+)(?::(\d+))?\s*$/.exec(part) ?? [];
    if (size === undefined) {
      return fail({
        who: "--batches",
        must: "it must be a list of batch sizes as 4,8, or with their evaluations as 4:300,8:600",
        got: `"${text}"`,
        remedy: "Use whole numbers.",
      });
    }
    return evaluations === undefined ? Number(size) : { size: Number(size), evaluations: Number(evaluations) };
  });
}

/** `name=flag:value,flag:value`: a setting by the flags of `attack`, over those given for all settings. */
function parseSetting(text: string, shared: Flags, options: readonly Option[]): Record<string, unknown> {
  const [, name, rest = ""] = /^([^=]*)(?:=(.*))?$/s.exec(text)!;
  const words = rest === "" ? [] : rest.split(",").flatMap((pair) => flagOf(pair, `--setting ${name}`));
  const own = parseFlags(words, `--setting ${name}`, options);
  const sets = options.filter((o) => DATA.includes(o.attributeName())).map((o) => o.attributeName());
  const other = sets.some((set) => own[set] !== undefined);
  const base = Object.fromEntries(Object.entries(shared).filter(([flag]) => !(other && sets.includes(flag))));
  const { model, data, client, attack } = requestOf({ ...base, ...own });
  const entries = Object.entries(given({ model, data, client, prior: attack?.prior })).filter(
    ([, value]) => typeof value !== "object" || Object.keys(value as object).length > 0,
  );
  return { name, ...Object.fromEntries(entries) };
}

const DATA = [...Object.keys(DATA_FLAGS), "target", "columns"]; // flags that name the data

/** `grant:labels+bn-statistics` → `--grant labels,bn-statistics` */
function flagOf(pair: string, who: string): [string, string] {
  const [, key, value] = /^\s*([^:]+):(.+)$/s.exec(pair) ?? [];
  if (key === undefined || value === undefined) {
    return fail({
      who,
      must: "it must be a list as model:resnet10,activation:relu",
      got: `"${pair}"`,
      remedy: "The names are those of attack's flags; join several grants with +.",
    });
  }
  return [`--${key}`, key === "grant" ? value.replaceAll("+", ",") : value];
}

/** Reads words as flags; commander's complaint becomes ours. */
function parseFlags(words: readonly string[], who: string, options: readonly Option[]): Flags {
  const command = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  for (const option of options) command.addOption(option);
  try {
    return command.parse([...words], { from: "user" }).opts();
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const got = error.message.replace(/^error: /, "").replaceAll("\n", " ");
    return fail({ who, must: "its entries must be flags of attack about data, model and client", got, remedy: HELP });
  }
}

const HELP = "fedleak attack --help tells them.";

function checkNoSubject(subject: Flags, settings: readonly string[] | undefined): void {
  const [flag] = settings === undefined ? Object.keys(subject) : ["setting"];
  if (flag === undefined) return;
  fail({
    who: "compare",
    must: "with --plan the settings are those of the plan file",
    got: `the flag ${flag} too`,
    remedy: "Write it into the plan's settings, or leave --plan away.",
  });
}

function given(entries: Flags): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

/** `label-learning-rate` → `labelLearningRate` */
function camel(name: string): string {
  return name.trim().replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
