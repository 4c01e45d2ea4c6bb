import type { KnownDefence } from "../../../fl/index.ts";
import { COUNTERPARTS } from "./counterparts.ts";
import type { Match, Scene } from "./types.ts";

/** What is known whatever the defences are. */
export type Known = Pick<Scene, "names" | "weights" | "head" | "batchSize" | "imageGradients">;

/** What is compared after all defences, and what was done about each, in words. */
export interface Adaptation {
  readonly match: Match;
  /** One line a defence, in their order. */
  readonly about: readonly string[];
}

/**
 * The match of candidate and observed gradients after the counterparts of all known defences, in the order in which they act.
 *
 * A defence without a counterpart, or whose counterpart can do nothing where it stands, leaves the match as it is and says so.
 */
export function adapt(
  candidates: Match["candidates"],
  targets: Match["targets"],
  defences: readonly KnownDefence[],
  known: Known,
): Adaptation {
  const clients = clientsOf(defences);
  const plain: Match = {
    candidates,
    targets,
    masks: undefined,
    slack: undefined,
    variances: undefined,
    signs: "none",
    untold: 0,
    freeLength: false,
  };
  return defences.reduce<Adaptation>(
    ({ match, about }, { name, settings }, i) => {
      const scene = { ...known, clients, later: defences.slice(i + 1) };
      const adapted = COUNTERPARTS[name]?.(match, settings, scene);
      return {
        match: adapted?.match ?? match,
        about: [...about, `${name}: ${adapted?.about ?? "no adaptive counterpart here: naive"}`],
      };
    },
    { match: plain, about: [] },
  );
}

/** How many clients' updates are averaged before the server sees them. */
function clientsOf(defences: readonly KnownDefence[]): number {
  const counts = defences.map(({ name, settings }) => (name === "secure-aggregation" ? Number(settings.clients) : 1));
  return Math.max(1, ...counts);
}
