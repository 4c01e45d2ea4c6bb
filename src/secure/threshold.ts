import { fail } from "../util/index.ts";

/**
 * The usual threshold of U clients, ⌈2U/3⌉: as many as a third may drop out.
 *
 * Our choice; Bonawitz et al. 2017 take the next above 2U/3 against a server that cheats.
 */
export function usualThreshold(clients: number): number {
  return Math.ceil((2 * clients) / 3);
}

/**
 * Throws FedleakError unless U ≥ 2 and U/2 < t ≤ U.
 *
 * More than half: then no two disjoint groups of t clients exist, so both secrets of one client cannot be got by asking two
 * groups of honest clients differently. Stricter than what an honest server needs, t ≥ 2; our choice.
 */
export function checkThreshold(threshold: number, clients: number): void {
  if (clients < 2) complain("at least two clients must take part", `${clients}`, "A sum of one update hides nothing.");
  if (!Number.isInteger(threshold) || threshold <= clients / 2 || threshold > clients) {
    const least = Math.floor(clients / 2) + 1;
    complain(
      `the threshold of ${clients} clients must be a whole number from ${least} to ${clients}`,
      `${threshold}`,
      "Change it.",
    );
  }
}

/** Throws FedleakError when fewer than the threshold are left. */
export function checkEnough(left: number, threshold: number, what: string): void {
  if (left < threshold) {
    const remedy = "Begin a new round with those who are there; nothing of this one can be opened.";
    complain(`at least ${threshold} clients must ${what}`, `${left}`, remedy);
  }
}

function complain(must: string, got: string, remedy: string): never {
  return fail({ who: "secure round", must, got, remedy });
}
