import type { SettingValue } from "../../defences/index.ts";

/** How hard a defence works, the mildest first. */
export const STRENGTHS = ["weak", "medium", "strong"] as const;

export type Strength = (typeof STRENGTHS)[number];

type Settings = Readonly<Record<string, SettingValue>>;

/** A defence's settings at each strength, and where the values come from. */
export interface Ladder {
  readonly origin: string;
  /** One entry where a defence has no dial: then it has one strength. */
  readonly settings: Readonly<Record<Strength, Settings>> | { readonly medium: Settings };
}

/**
 * The settings of every defence at three strengths. Ours are spread so that, on small networks, weak should cost little and
 * strong should show; the paper's own values are lost in our sources (METHODS 3) where nothing else is said.
 */
export const LADDERS: Readonly<Record<string, Ladder>> = {
  "gaussian-dp": {
    origin:
      "our choice: the noise in units of a clip of 1, as METHODS 3; the classical bound's own noise leaves nothing to learn",
    settings: { weak: { sigma: 0.001 }, medium: { sigma: 0.01 }, strong: { sigma: 0.1 } },
  },
  "dp-sgd": {
    origin:
      "our choice: epsilons from what is common in practice (8) down to what is called strong (1); clip and delta as METHODS 3",
    settings: { weak: { epsilon: 50 }, medium: { epsilon: 8 }, strong: { epsilon: 1 } },
  },
  "adaptive-dp": {
    origin: "our choice: the first round's noise; its authors' values are lost",
    settings: { weak: { sigma: 0.1 }, medium: { sigma: 0.5 }, strong: { sigma: 2 } },
  },
  quantise: {
    origin: "our choice: bits of a magnitude; the paper's levels are lost",
    settings: { weak: { bits: 8 }, medium: { bits: 4 }, strong: { bits: 1 } },
  },
  sparsify: {
    origin: "our choice, around the 80 % of METHODS 3's usual value",
    settings: { weak: { percent: 50 }, medium: { percent: 80 }, strong: { percent: 99 } },
  },
  sign: { origin: "no dial: signs with the tensor's mean magnitude", settings: { medium: {} } },
  soteria: {
    origin: "our choice around the paper's 50 (Section 5, combined defences); its other values are lost",
    settings: { weak: { percentile: 20 }, medium: { percentile: 50 }, strong: { percentile: 90 } },
  },
  outpost: {
    origin: "medium: Wang et al. 2024 (METHODS 3); weak and strong: our choice",
    settings: {
      weak: { prune: 50, noise: 0.2, fisher: 20 },
      medium: { prune: 80, noise: 0.8, fisher: 40 },
      strong: { prune: 95, noise: 3, fisher: 80 },
    },
  },
  "guardian-objective": {
    origin: "our choice, as the defence itself is ours",
    settings: { weak: { exponent: 0.3 }, medium: { exponent: 0.7 }, strong: { exponent: 1 } },
  },
  "gradient-share": {
    origin: "our choice of the share that is sent, around the paper's Figure 8 (the largest 20 %)",
    settings: { weak: { percent: 50 }, medium: { percent: 20 }, strong: { percent: 1 } },
  },
  "selective-encryption": {
    origin: "strong: FedLeak, Section 7 (the top 80 %); weak and medium: our choice",
    settings: { weak: { percent: 20 }, medium: { percent: 50 }, strong: { percent: 80 } },
  },
  "zero-sum-noise": {
    origin: "our choice: the noise in units of each entry",
    settings: { weak: { strength: 0.1 }, medium: { strength: 1 }, strong: { strength: 10 } },
  },
  "secure-aggregation": {
    origin: "weak: FedLeak, Figure 7 (two clients); medium and strong: our choice, powers of two that divide a batch",
    settings: { weak: { clients: 2 }, medium: { clients: 4 }, strong: { clients: 8 } },
  },
};
