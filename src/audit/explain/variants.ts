import { type AttackSettings, findAttack } from "../../attacks/index.ts";
import type { VariantName } from "./schema.ts";

/** An attack with each of FedLeak's two techniques on or off. */
export interface Variant {
  readonly name: VariantName;
  readonly settings: AttackSettings;
  /** Whether these are the settings the attack came with. */
  readonly asSet: boolean;
}

/**
 * The combinations of partial matching (off: maskRatio 1) and gradient regularisation (off: gamma 0), the fullest last.
 *
 * Where the attack has a technique, it is on with the attack's own values; where it has not, with those of the preset
 * `fedleak`. Everything else stays as it is set, but that a limit on evaluations is lifted: all run the same iterations.
 * Exactly one is the attack as set. An optimiser that steps by itself (l-bfgs, cma-es) has no look-ahead: two are left.
 */
export function variantsOf(settings: AttackSettings): readonly Variant[] {
  const { maskRatio, maskScope, gamma, lookahead, lookaheadStep } = findAttack("fedleak").settings;
  const looks = !stepsAlone(settings);
  const [masked, regularised] = [settings.maskRatio < 1, looks && settings.gamma > 0];
  const mask = {
    off: { maskRatio: 1 },
    on: masked ? {} : { maskRatio: maskRatio.value, maskScope: maskScope.value },
  };
  const regularisation = {
    off: { gamma: 0 },
    on: regularised ? {} : { gamma: gamma.value, lookahead: lookahead.value, lookaheadStep: lookaheadStep.value },
  };
  const made = (name: VariantName, partial: "on" | "off", regular: "on" | "off"): Variant => ({
    name,
    settings: { ...settings, evaluations: 0, ...mask[partial], ...regularisation[regular] },
    asSet: (partial === "on") === masked && (regular === "on") === regularised,
  });
  return [
    made("neither", "off", "off"),
    ...(looks ? [made("regularisation", "off", "on")] : []),
    made("partial-matching", "on", "off"),
    ...(looks ? [made("both", "on", "on")] : []),
  ];
}

/** Whether the optimiser makes its steps by itself, so that a look-ahead has no effect. */
export function stepsAlone({ optimiser }: Pick<AttackSettings, "optimiser">): boolean {
  return optimiser === "l-bfgs" || optimiser === "cma-es";
}
