import type { Attacker, Tradeoff, TradeoffLine } from "../../audit/index.ts";

/** One place at one number of local steps: what is drawn in one panel. */
export interface Panel {
  readonly place: TradeoffLine["place"];
  readonly localSteps: number | null;
  readonly title: string;
  readonly lines: readonly TradeoffLine[];
}

/** The panels of a trade-off, in the plan's order. */
export function panelsOf({ plan, table }: Tradeoff): Panel[] {
  const steps = [...new Set(plan.cells.map(({ localSteps }) => localSteps))];
  return plan.attack.at.flatMap((place) =>
    steps.map((localSteps) => ({
      ...{ place, localSteps },
      title: [PLACE_TITLES[place], ...(steps.length > 1 ? [stepsText(localSteps)] : [])].join(", "),
      lines: table.filter((line) => line.place === place && line.localSteps === localSteps),
    })),
  );
}

const PLACE_TITLES: Readonly<Record<TradeoffLine["place"], string>> = {
  initial: "Updates at initial weights",
  trained: "Updates at trained weights",
};

function stepsText(steps: number | null): string {
  return steps === null ? "one epoch a round" : `${steps} local ${steps === 1 ? "step" : "steps"}`;
}

/** The attacker that counts: the one of the highest mean; undefined where none was scored. */
export function worstOf({ attackers }: TradeoffLine): (Attacker & { readonly psnrDb: number }) | undefined {
  const [first] = attackers;
  return first?.psnrDb == null ? undefined : { ...first, psnrDb: first.psnrDb };
}

/** The defences that the cells name, in the plan's order: each has its colour by its place. */
export function defencesOf({ plan }: Pick<Tradeoff, "plan">): string[] {
  return [...new Set(plan.cells.map(({ defence }) => defence))];
}
