import type { Batch, GradientStep } from "../fl/index.ts";
import type { Tensors } from "../tensor/index.ts";
import type { Key } from "../util/index.ts";
import type { SettingSpecs, SettingsOf, SettingValue } from "./settings.ts";

/** What a client sends, by parameter name. */
export type Update = Tensors<"float32">;

/** What a defence is given beside what it changes. */
export interface Scene<T> {
  readonly settings: T;
  /** What it draws from: the same key gives the same draws. Every defence of a chain and every client has its own. */
  readonly key: Key;
  /** What the client computes: its model, weights and images. */
  readonly step: GradientStep;
}

/** Where between a client's images and what the server sees a defence acts, in this order. */
export const STAGES = {
  batch: "changes the images before the gradient",
  "example-gradient": "changes the gradient of each image before their mean, and the mean",
  update: "changes what one client sends",
  clients: "acts on what all clients of the round send",
} as const;

export type Stage = keyof typeof STAGES;

/** What a defence does; each function is pure: it returns new tensors. */
export type Acts<T> =
  | { readonly stage: "batch"; apply(batch: Batch, scene: Scene<T>): Batch | Promise<Batch> }
  | {
      readonly stage: "example-gradient";
      /** To the gradient of one image's cross-entropy. */
      each(gradient: Update, settings: T): Update;
      /** To the mean of those. */
      apply(mean: Update, scene: Scene<T>): Update | Promise<Update>;
    }
  | { readonly stage: "update"; apply(update: Update, scene: Scene<T>): Update | Promise<Update> }
  | {
      readonly stage: "clients";
      /** How many clients the batch is shared among. */
      clients(settings: T): number;
      /** What the server sees of the clients' updates; several of one update each, or one of them all. */
      apply(updates: readonly Update[], scene: Scene<T>): readonly Update[];
    };

export type DefenceOf<S extends SettingSpecs> = Acts<SettingsOf<S>> & {
  /** In kebab-case: its name in flags, specs and records. */
  readonly name: string;
  readonly about: string;
  readonly source: string;
  /** What holds for whatever update, and is tested. */
  readonly claim: string;
  readonly settings: S;
  /** Throws where values that are each in range contradict each other. */
  check?(settings: SettingsOf<S>): void;
  /** The settings with what follows from them in place of what was left open: what a server that dictates them knows. */
  known?(settings: SettingsOf<S>): Readonly<Record<string, SettingValue>>;
  /** Whether it goes by the images themselves when it changes what is sent: noise of a defence before it does not cover that. */
  readonly readsImages?: true;
  /** What follows from the settings, for the ledger. */
  tells?(settings: SettingsOf<S>): string;
};

export type Defence = DefenceOf<SettingSpecs>;

/** A defence of named settings as one among others. */
export function defineDefence<const S extends SettingSpecs>(defence: DefenceOf<S>): Defence {
  return defence as unknown as Defence; // `complete` gives it the settings that it declares, and no others
}
