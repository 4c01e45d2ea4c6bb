import { type Complaint, fail, unknownName } from "../util/index.ts";
import { affordable, evaluationsPerIteration } from "./budget.ts";
import { whyIdle } from "./idle-settings.ts";
import type { Origin, Preset } from "./preset.ts";
import {
  type AttackSettings,
  rangeOf,
  SETTINGS,
  type SettingName,
  type SettingSpec,
  type SettingValue,
} from "./settings.ts";

const NAMES = Object.keys(SETTINGS) as SettingName[];

/**
 * A preset's settings with some of them replaced; texts are read as the setting's type (`"0.1"`, `"true"`).
 *
 * Throws FedleakError at an unknown name (with a suggestion), a value out of range, or values that contradict each other.
 */
export function completeSettings(
  preset: Preset,
  overrides: Readonly<Record<string, SettingValue>> = {},
): AttackSettings {
  for (const name of Object.keys(overrides)) {
    if (!Object.hasOwn(SETTINGS, name)) unknownName(`attack ${preset.name}`, "setting", name, NAMES);
  }
  const settings = Object.fromEntries(
    NAMES.map((name) => [name, read(name, overrides[name] ?? preset.settings[name].value)]),
  ) as AttackSettings;
  checkTogether(preset.name, settings);
  return { ...settings, iterations: affordable(settings) };
}

/** One setting of a run and where its value comes from. */
export interface SettingRow {
  readonly name: SettingName;
  readonly value: SettingValue;
  readonly origin: Origin | "user";
  readonly note: string;
}

/**
 * Every setting that acts in a run, with its origin, for the ledger; "user" where the value is not the preset's. One that
 * the user changed is told even where it has no effect.
 */
export function settingsLedger(preset: Preset, settings: AttackSettings): SettingRow[] {
  return NAMES.flatMap((name): SettingRow[] => {
    const { value, origin, note } = preset.settings[name];
    const idle = whyIdle(name, settings);
    if (settings[name] === value) return idle ? [] : [{ name, value, origin, note }];
    const about = `the preset's value is ${value} (${origin})${idle ? `; no effect here: ${idle}` : ""}`;
    return [{ name, value: settings[name], origin: "user", note: about }];
  });
}

function read(name: SettingName, raw: SettingValue): SettingValue {
  const spec: SettingSpec = SETTINGS[name];
  const value = convert(spec, raw);
  if (value === undefined) {
    fail({
      who: `setting ${name}`,
      must: `value must be ${spec.kind === "choice" ? "one of " : ""}${rangeOf(spec)}`,
      got: typeof raw === "string" ? `"${raw}"` : String(raw),
      remedy: `It is ${spec.about}.`,
    });
  }
  return value;
}

/** The value as the setting's type, or undefined when it is out of range. */
function convert(spec: SettingSpec, raw: SettingValue): SettingValue | undefined {
  if (spec.kind === "choice") return spec.values.includes(String(raw)) ? String(raw) : undefined;
  if (spec.kind === "flag") return ({ true: true, false: false } as Record<string, boolean>)[String(raw)];
  const value = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
  if (typeof value !== "number" || !(value >= spec.min && value <= spec.max)) return undefined;
  if (spec.kind !== "number" && !Number.isInteger(value)) return undefined;
  return spec.kind === "odd" && value !== spec.min && value % 2 === 0 ? undefined : value;
}

function checkTogether(preset: string, settings: AttackSettings): void {
  const { l1Weight, cosineWeight, l2Weight, maskRatio, maskScope, method } = settings;
  if (method !== "optimise") return;
  if (l1Weight + cosineWeight + l2Weight === 0) {
    fail({
      who: `attack ${preset}`,
      must: "one of l1Weight, cosineWeight, l2Weight must be above 0",
      got: "0 for all",
      remedy: "Without a distance between gradients nothing is matched.",
    });
  }
  if (maskRatio < 1 && maskScope === "none") {
    fail({
      who: `attack ${preset}`,
      must: "a maskRatio below 1 needs a maskScope",
      got: `maskRatio ${maskRatio} and maskScope none`,
      remedy: 'Set maskScope to "global" or "per-tensor".',
    });
  }
  const clash = contradiction(settings);
  if (clash) fail({ who: `attack ${preset}`, ...clash });
  if (affordable(settings) === 0) {
    fail({
      who: `attack ${preset}`,
      must: "evaluations must allow at least one iteration",
      got: `${settings.evaluations}, where an iteration takes ${evaluationsPerIteration(settings)}`,
      remedy: "Allow more, or lower restarts or population.",
    });
  }
}

/** Settings that cannot be had together. */
function contradiction(settings: AttackSettings): Omit<Complaint, "who"> | undefined {
  const { optimiser, polish, averageFrom, groupConsistency, restarts, labels } = settings;
  if (optimiser === "l-bfgs" && (polish > 0 || averageFrom < 1)) {
    return {
      must: "polish and averageFrom need an optimiser whose iterations cost the same",
      got: `l-bfgs with polish ${polish} and averageFrom ${averageFrom}`,
      remedy: "Leave them away, or choose another optimiser.",
    };
  }
  if (optimiser === "l-bfgs" && restarts > 1 && groupConsistency > 0) {
    return {
      must: "groupConsistency needs an optimiser that evaluates each point afresh",
      got: "l-bfgs, which remembers losses under an earlier mean",
      remedy: "Set groupConsistency to 0, or choose another optimiser.",
    };
  }
  if (optimiser === "cma-es" && labels === "joint") {
    return {
      must: "labels are optimised by gradient",
      got: "cma-es, which has none",
      remedy: "Set labels to inferred, or choose another optimiser.",
    };
  }
  return undefined;
}
