import { countOf, largest } from "./magnitude.ts";
import { choice, number, PERCENT } from "./settings.ts";
import { defineDefence, type Update } from "./types.ts";
import { mapTensors } from "./update-arithmetic.ts";

/**
 * The server sees only the `percent` % of largest, or of smallest, magnitude over all entries; the others are 0 to it.
 *
 * An experiment on what leaks rather than a defence. Source: FedLeak, Figure 8. Differs: that the share is taken over all
 * tensors together is our choice.
 */
export const gradientShare = defineDefence({
  name: "gradient-share",
  about: "shows the server only the largest or the smallest entries",
  source: "FedLeak, Figure 8",
  claim: "exactly percent % of all entries, of largest or smallest magnitude, are seen unchanged; the others are 0",
  stage: "update",
  settings: {
    percent: number(20, PERCENT, "the share of all entries, in %, that the server sees", "paper"),
    side: choice(["top", "bottom"], "which: those of largest or of smallest magnitude", "paper"),
  },
  apply: (update, { settings: { percent, side } }) => {
    const total = sizeOf(update);
    const seen = countOf(percent, total);
    return side === "top" ? split(update, seen).top : split(update, total - seen).rest;
  },
});

/**
 * The `percent` % of largest magnitude over all entries are encrypted: 0 to the server, which sees the others and knows which.
 *
 * The aggregate is as without it: decryption happens on the sum. Source: FedLeak, Section 7 (the top 80 %). Differs: nothing is encrypted
 * here; what a zero stands for, the server can tell, since a gradient has next to no zeros of its own at these places.
 */
export const selectiveEncryption = defineDefence({
  name: "selective-encryption",
  about: "hides the largest entries from the server, as if they were encrypted",
  source: "FedLeak, Section 7",
  claim: "exactly percent % of all entries, the largest, are hidden (0 to the server); the others are unchanged",
  stage: "update",
  settings: { percent: number(80, PERCENT, "the share of all entries, in %, that is encrypted", "paper") },
  apply: (update, { settings: { percent } }) => split(update, countOf(percent, sizeOf(update))).rest,
});

/** The `count` largest entries, and the rest, each with 0 in the place of the others. */
function split(update: Update, count: number): { readonly top: Update; readonly rest: Update } {
  const marks = largest(update, count);
  const keep = (mark: number) =>
    mapTensors(update, (data, name) => data.map((value, i) => (marks[name]![i] === mark ? value : 0)));
  return { top: keep(1), rest: keep(0) };
}

function sizeOf(update: Update): number {
  return Object.values(update).reduce((total, { data }) => total + data.length, 0);
}
