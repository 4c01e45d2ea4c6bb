import { fail, unknownName } from "../util/index.ts";

/** What a number may be; bounds that are absent do not bind. */
export interface Range {
  readonly above?: number;
  readonly from?: number;
  readonly below?: number;
  readonly to?: number;
  readonly whole?: true;
}

/** Who chose the usual value. */
export type Origin = "paper" | "source" | "our-choice";

/** One setting of a defence; `about` finishes the sentence "the setting is …". */
export type SettingSpec =
  | {
      readonly kind: "number";
      readonly usual: number;
      readonly range: Range;
      readonly about: string;
      readonly origin: Origin;
    }
  | {
      readonly kind: "choice";
      readonly usual: string;
      readonly choices: readonly string[];
      readonly about: string;
      readonly origin: Origin;
    };

export type SettingSpecs = Readonly<Record<string, SettingSpec>>;
export type SettingValue = number | string;

/** A value for each setting. */
export type SettingsOf<S extends SettingSpecs> = {
  readonly [K in keyof S]: S[K] extends { readonly choices: readonly (infer V)[] }
    ? V
    : S[K] extends { readonly kind: "number" }
      ? number
      : SettingValue;
};

export const ABOVE_ZERO: Range = { above: 0 };
export const FROM_ZERO: Range = { from: 0 };
export const OPEN_UNIT: Range = { above: 0, below: 1 };
export const SHARE: Range = { above: 0, to: 1 };
export const PERCENT: Range = { from: 0, to: 100 };
export const COUNT: Range = { from: 1, whole: true };

/** A number whose usual value is our choice unless said otherwise. */
export function number(usual: number, range: Range, about: string, origin: Origin = "our-choice") {
  return { kind: "number", usual, range, about, origin } as const;
}

/** One of `choices`, the first being the usual one. */
export function choice<const C extends readonly [string, ...string[]]>(
  choices: C,
  about: string,
  origin: Origin = "our-choice",
) {
  return { kind: "choice", usual: choices[0], choices, about, origin } as const;
}

/** What a setting accepts, in words. */
export function rangeText(spec: SettingSpec): string {
  if (spec.kind === "choice") return `one of ${spec.choices.join(", ")}`;
  const { above, from, below, to, whole } = spec.range;
  const bounds = [
    above !== undefined && `above ${above}`,
    from !== undefined && `of at least ${from}`,
    below !== undefined && `below ${below}`,
    to !== undefined && `of at most ${to}`,
  ].filter((text) => text !== false);
  return [whole ? "a whole number" : "a number", bounds.join(" and ")].join(" ").trim();
}

/**
 * A value for every setting: those given, read as the setting's type (`"0.1"`), and the usual ones.
 *
 * Throws FedleakError at an unknown name, with a suggestion, and at a value out of range.
 */
export function completeValues(
  who: string,
  specs: SettingSpecs,
  given: Readonly<Record<string, unknown>>,
): Record<string, SettingValue> {
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(specs, name)) unknownName(who, "setting", name, Object.keys(specs));
  }
  return Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, read(`${who} ${name}`, spec, given[name] ?? spec.usual)]),
  );
}

function read(who: string, spec: SettingSpec, raw: unknown): SettingValue {
  const value = convert(spec, raw);
  if (value !== undefined) return value;
  return fail({
    who,
    must: `it must be ${rangeText(spec)}`,
    got: typeof raw === "string" ? `"${raw}"` : String(raw),
    remedy: `It is ${spec.about}.`,
  });
}

function convert(spec: SettingSpec, raw: unknown): SettingValue | undefined {
  if (spec.kind === "choice") return spec.choices.find((name) => name === raw);
  const value = typeof raw === "string" && raw.trim() !== "" ? Number(raw) : raw;
  return typeof value === "number" && Number.isFinite(value) && within(value, spec.range) ? value : undefined;
}

function within(value: number, { above, from, below, to, whole }: Range): boolean {
  return (
    (above === undefined || value > above) &&
    (from === undefined || value >= from) &&
    (below === undefined || value < below) &&
    (to === undefined || value <= to) &&
    (!whole || Number.isInteger(value))
  );
}
