import type { SchemeName } from "./spec.ts";
import type { LocalTraining } from "./updates.ts";

/** What one round of secure aggregation cost, and how exact its sum is. Plain JSON; seconds are of computing alone. */
export interface SecureRoundResult {
  readonly scheme: SchemeName;
  /** U */
  readonly clients: number;
  /** Clients whose updates are in the sum. */
  readonly survivors: number;
  /** Of `masks`. */
  readonly threshold: number | null;
  /** d, the numbers of one update. */
  readonly numbers: number;
  /** Where the updates come from, in words. */
  readonly about: string;
  /** null: the updates were given. */
  readonly training: LocalTraining | null;
  readonly range: number;
  /** Of `ckks`: what is encrypted, and how much of each client's own top share that covers, on average. */
  readonly encrypted: { readonly share: number; readonly numbers: number; readonly ownTopShare: number } | null;
  /** Of the surviving clients. */
  readonly client: {
    readonly seconds: number;
    readonly slowestSeconds: number;
    /** Opening the sum, which each client of `ckks` does; part of neither number above. */
    readonly openSeconds: number;
    readonly sentBytes: number;
    readonly receivedBytes: number;
  };
  readonly server: { readonly seconds: number; readonly sentBytes: number; readonly receivedBytes: number };
  /** The same round without protection: float32 updates, added by the server. */
  readonly plain: { readonly serverSeconds: number; readonly bytes: number };
  /** Of `masks`: whether all integers of the opened sum are those of the plain sum of the quantised updates. */
  readonly exact: boolean | null;
  /** Of the opened mean, against the mean of the unprotected updates in float64. */
  readonly error: {
    readonly largest: number;
    /** What it is proved to be at most; null: `ckks` has noise that is measured only. */
    readonly bound: number | null;
    /** ‖error‖ / ‖mean‖; null where the mean is zero. */
    readonly relative: number | null;
  };
}
