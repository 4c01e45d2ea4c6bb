import type { KnownDefence } from "../../../fl/index.ts";
import type { Node } from "../../../graph/index.ts";

/** What an attacker who knows the defences compares; lists have one node a tensor, in one order. */
export interface Match {
  /** The gradients of the candidate images as the defences would change them, without what they draw. */
  readonly candidates: readonly Node[];
  /** What was observed, with what can be undone undone. */
  readonly targets: readonly Node[];
  /** 1 where the observed entry tells something, 0 elsewhere; of the tensor's shape. Undefined: 1 everywhere. */
  readonly masks: readonly Node[] | undefined;
  /** How far an entry may lie from its target at no cost; of the tensor's shape. Undefined: 0 everywhere. */
  readonly slack: readonly Node[] | undefined;
  /** The noise's variance, a scalar or of the tensor's shape. Undefined: there is no noise. */
  readonly variances: readonly Node[] | undefined;
  /** Only the signs of the targets tell something: beside them each tensor's mean magnitude, or nothing. */
  readonly signs: "none" | "with-mean" | "alone";
  /** The share of the entries of which little is told, in [0,1]: the larger, the more the images must be known otherwise. */
  readonly untold: number;
  /** Whether the length of the candidates is not known: they are matched up to one factor. */
  readonly freeLength: boolean;
}

/** What a counterpart may look at. */
export interface Scene {
  /** The parameters' names, in the order of the lists of a Match, and their global values. */
  readonly names: readonly string[];
  readonly weights: readonly Node[];
  /** The name of the last layer's weight. */
  readonly head: string;
  readonly batchSize: number;
  /** The defences that act after this one, in their order. */
  readonly later: readonly KnownDefence[];
  /** How many clients' updates are averaged in the end. */
  readonly clients: number;
  /** The gradient of each candidate image alone, where the client changes those: one list of tensors an image. */
  readonly imageGradients: (() => readonly (readonly Node[])[]) | undefined;
}

/** What a counterpart makes of the match so far, and in words what the attacker does; undefined: nothing can be done. */
export interface Adapted {
  readonly match: Match;
  readonly about: string;
}

/** How an attacker re-applies one defence, or takes it into account. */
export type Counterpart = (match: Match, settings: Numbers, scene: Scene) => Adapted | undefined;

/** A known defence's settings. */
export type Numbers = KnownDefence["settings"];
