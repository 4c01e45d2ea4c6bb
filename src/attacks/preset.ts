import type { Capability } from "../fl/index.ts";
import { type AttackSettings, SETTINGS, type SettingName } from "./settings.ts";

/** Where a value comes from: the attack's paper, its authors' released program, another source, or nowhere but us. */
export type Origin = "paper" | "release" | "source" | "our-choice";

/** A value, where it comes from, and the place or the reason. */
export interface Sourced<T> {
  readonly value: T;
  readonly origin: Origin;
  readonly note: string;
}

export type PresetSettings = { readonly [K in SettingName]: Sourced<AttackSettings[K]> };

/** A published attack as a file of settings. */
export interface Preset {
  /** In kebab-case, as people ask for it. */
  readonly name: string;
  /** What it is, in one line. */
  readonly about: string;
  readonly source: string;
  /** What it cannot do without. */
  readonly requires: readonly Capability[];
  readonly settings: PresetSettings;
}

export const paper = <T>(value: T, note: string): Sourced<T> => ({ value, origin: "paper", note });
export const release = <T>(value: T, note: string): Sourced<T> => ({ value, origin: "release", note });
export const source = <T>(value: T, note: string): Sourced<T> => ({ value, origin: "source", note });
export const ours = <T>(value: T, note: string): Sourced<T> => ({ value, origin: "our-choice", note });

/** A preset from the settings its attack has; the others take their neutral values. */
export function definePreset(about: Omit<Preset, "settings"> & { readonly settings: Partial<PresetSettings> }): Preset {
  const neutral = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, spec]) => [name, ours(spec.neutral, "not part of this attack")]),
  );
  return { ...about, settings: { ...neutral, ...about.settings } as PresetSettings };
}
