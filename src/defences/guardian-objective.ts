import { number, SHARE } from "./settings.ts";
import { defineDefence } from "./types.ts";
import { mapTensors } from "./update-arithmetic.ts";

/**
 * The update that leaks least at a given use, for a leakage that we assume: derived by us, not a reproduction of Guardian.
 *
 * Use is first-order descent, ⟨t, g⟩ = u‖g‖²; leakage is Σ_j |g_j|^p t_j², since large entries tell most (FedLeak, Section 7).
 * By Lagrange's condition |g_j|^p t_j ∝ g_j, so t_j = u‖g‖² · sign(g_j) |g_j|^(1−p) / Σ_k |g_k|^(2−p), over all entries together.
 * p = 0 scales the update by u, p = 1 sends signs. Source: ours; the idea of trading leakage for use: Fan et al., Guardian,
 * WSDM 2024, whose formulas are not public.
 */
export const guardianObjective = defineDefence({
  name: "guardian-objective",
  about: "of all updates of one use sends that of least assumed leakage (derived by us; not Guardian itself)",
  source: "derived by us, after the aim of Fan et al., Guardian, WSDM 2024; not a reproduction",
  claim: "⟨t, g⟩ = utility × ‖g‖², and no other such t has a smaller Σ |g|^exponent t²",
  stage: "update",
  settings: {
    utility: number(1, SHARE, "u, the share of the first-order descent that is kept"),
    exponent: number(1, { from: 0, to: 1 }, "p, how much more a large entry is assumed to tell than a small one"),
  },
  apply(update, { settings: { utility, exponent } }) {
    let [squares, weighted] = [0, 0];
    for (const { data } of Object.values(update)) {
      for (const value of data) {
        squares += value * value;
        weighted += Math.abs(value) ** (2 - exponent);
      }
    }
    if (weighted === 0) return update; // all zeros
    const factor = (utility * squares) / weighted;
    return mapTensors(update, (data) =>
      data.map((value) => factor * Math.sign(value) * Math.abs(value) ** (1 - exponent)),
    );
  },
});
