import { countOf, largest } from "./magnitude.ts";
import { number, PERCENT } from "./settings.ts";
import { defineDefence } from "./types.ts";
import { mapTensors } from "./update-arithmetic.ts";

/**
 * Zeroes the `percent` % of smallest magnitude in each tensor, rounded to whole entries; the others stay as they are.
 *
 * Source: METHODS 3; as a defence in Zhu et al., DLG, NeurIPS 2019 (gradient compression). Differs: no residual is kept for later rounds.
 */
export const sparsify = defineDefence({
  name: "sparsify",
  about: "zeroes the smallest entries of each tensor",
  source: "Zhu et al., Deep leakage from gradients, NeurIPS 2019, Section 5.2; Lin et al., ICLR 2018",
  claim: "in each tensor exactly percent % of the entries, the smallest, are zeroed, the others unchanged",
  stage: "update",
  settings: { percent: number(80, PERCENT, "the share of entries, in %, that is zeroed in each tensor") },
  apply: (update, { settings: { percent } }) =>
    mapTensors(update, (data, name) => {
      const kept = data.length - countOf(percent, data.length);
      const marks = largest({ [name]: update[name]! }, kept)[name]!;
      return data.map((value, i) => (marks[i] ? value : 0));
    }),
});
