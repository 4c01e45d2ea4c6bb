import type { KnownDefence, Observation } from "../../fl/index.ts";
import type { AttackSettings } from "../settings.ts";

/** How the client is imagined in the end, and why that is not what the settings say. */
export interface LocalChoice {
  readonly localModel: AttackSettings["localModel"];
  /** In words, for the ledger; absent: it is as the settings say. */
  readonly instead?: string;
}

/**
 * The setting `localModel`, or `averaged` where the observed update cannot carry the other.
 *
 * `unrolled` simulates one client: of an update that several share, each from the same weights on images of its own, it
 * would be no model. `surrogate` moves the weights by the observed update: where a known defence leaves lengths or
 * noise that are not the steps', they would be moved to where no client has been. Defences that are not granted are not known.
 * Source: our choice.
 */
export function usableLocalModel(
  { localModel }: Pick<AttackSettings, "localModel">,
  { local, clients = 1, defences = [] }: Pick<Observation, "local" | "clients" | "defences">,
): LocalChoice {
  if (local === undefined) return { localModel };
  if (localModel === "unrolled" && clients > 1) {
    return {
      localModel: "averaged",
      instead: `averaged, not unrolled: ${clients} clients share the update, and unrolled would simulate one`,
    };
  }
  const distorting = localModel === "surrogate" && defences.find((defence) => distorts(defence, clients));
  if (!distorting) return { localModel };
  return {
    localModel: "averaged",
    instead: `averaged, not surrogate: ${distorting.name} leaves lengths that the weights cannot be moved by`,
  };
}

/** Whether an update is no more about as long, entry by entry, as the steps made it. Hidden and rounded entries are as before, or shorter. */
function distorts({ name }: KnownDefence, clients: number): boolean {
  return DISTORTING.has(name) || (name === "zero-sum-noise" && clients === 1); // of several its noise is gone
}

const DISTORTING: ReadonlySet<string> = new Set([
  "sign",
  "guardian-objective",
  "gaussian-dp",
  "dp-sgd",
  "adaptive-dp",
  "outpost",
]);
