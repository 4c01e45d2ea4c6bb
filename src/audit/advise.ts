import { fail } from "../util/index.ts";
import {
  assumptionsOf,
  attackersOf,
  type Cell,
  isAdaptive,
  notTestedOf,
  type Tradeoff,
  type TradeoffLine,
} from "./tradeoff/index.ts";

export interface AdviceOptions {
  /** The least share of the undefended accuracy that a setting must keep, in (0,1]; null: any. */
  readonly keepAccuracy: number | null;
  /** How far, in dB, the upper end of a leakage interval may lie above the floor. */
  readonly marginDb: number;
}

/** One setting, judged. */
export interface Judged {
  readonly cell: Cell;
  readonly accuracy: number | null;
  /** Of the highest undefended accuracy. */
  readonly kept: number | null;
  /** The attacker that came furthest above the floor, by the upper end of its interval; null: none was scored. */
  readonly worst: Leak | null;
  /**
   * "not-measured": of a planned attacker a score is missing. "untold": at no place do the attacks find anything without a defence at
   * as many local steps, or there is no defence and they found nothing, which says nothing of a better attack.
   */
  readonly verdict: "holds" | "leaks" | "costs-too-much" | "not-measured" | "untold";
  /** Places at which the attacks found nothing without a defence at as many local steps either. */
  readonly untoldAt: readonly TradeoffLine["place"][];
  /** Attackers with fewer scored batches than planned, in words. */
  readonly missing: readonly string[];
  /** Whether one of its attackers knows the defence and allows for it. */
  readonly adaptive: boolean;
  /** What its defences promise over the whole training, in words. */
  readonly privacy: readonly string[];
}

/** What one attacker got at one place. */
export interface Leak {
  readonly attack: string;
  readonly place: TradeoffLine["place"];
  readonly psnrDb: number;
  readonly floorDb: number;
  /** Above the floor of the same batch: mean and 95 % interval. */
  readonly leakageDb: number;
  readonly interval95Db: readonly [low: number, high: number] | null;
}

/** What a trade-off says to do. */
export interface Advice extends AdviceOptions {
  /**
   * "blind": the attacks found nothing without a defence either, so that no defence can be judged; "untrained": no undefended accuracy is
   * told from naming one class, so that no cost can be.
   */
  readonly outcome: "recommended" | "none-holds" | "blind" | "untrained" | "not-measured";
  readonly recommended: Judged | null;
  /** Every cell: what holds first, then the most accurate. */
  readonly judged: readonly Judged[];
  /** What leaked without a defence, where most did. */
  readonly undefended: Leak | null;
  /** What naming the commonest class scores, where no undefended accuracy is told from it; else null. */
  readonly untrained: number | null;
  readonly assumptions: readonly string[];
  readonly notTested: readonly string[];
}

export const MARGIN_DB = 1; // our choice, as a run's verdict: under it we do not speak of a difference

/**
 * The cheapest setting of a trade-off whose leakage is not told from the floor: of highest accuracy among those where, for every
 * attacker at every place, the upper end of the 95 % interval of the leakage (PSNR less the batch's highest floor) is at most `marginDb`.
 *
 * A place counts only where the attacks see something: where of the cell without a defence, at as many local steps, the lower end of some
 * attacker's interval is above 0. Nothing is recommended where no setting holds, where no accuracy was learnt, or without a
 * defence: that a naive attack found nothing is no proof (our choice). Throws FedleakError when an option is out of range.
 */
export function advise(tradeoff: Tradeoff, options: AdviceOptions): Advice {
  checkOptions(options);
  const { plan, table } = tradeoff;
  const linesOf = ({ name }: Cell) => table.filter(({ cell }) => cell === name);
  const undefended = plan.cells.filter(({ defences }) => defences.length === 0);
  const best = Math.max(...undefended.flatMap((cell) => linesOf(cell).flatMap(({ accuracy }) => accuracy ?? [])));
  const leaks = undefended.flatMap((cell) => leaksOf(linesOf(cell))).sort((a, b) => excess(b) - excess(a));
  const open = undefended.flatMap((cell) => linesOf(cell).filter((line) => leaksOf([line]).some(isAboveFloor)));
  const judged = plan.cells.map((cell) => judge(tradeoff, cell, { best, open, ...options })).sort(byWorth);
  const untrained = untrainedAt(undefended.flatMap((cell) => linesOf(cell).slice(0, 1)));
  const [first] = judged;
  const outcome =
    leaks.length === 0
      ? "not-measured"
      : open.length === 0
        ? "blind"
        : untrained !== null
          ? "untrained"
          : first?.verdict === "holds"
            ? "recommended"
            : "none-holds";
  return {
    keepAccuracy: options.keepAccuracy,
    marginDb: options.marginDb,
    ...{ outcome, recommended: outcome === "recommended" ? first! : null, judged },
    ...{ undefended: leaks[0] ?? null, untrained },
    ...{ assumptions: assumptionsOf(tradeoff), notTested: notTestedOf(tradeoff) },
  };
}

/** The floor of the accuracy, where every interval reaches down to it. */
function untrainedAt(lines: readonly TradeoffLine[]): number | null {
  const low = lines.every(
    ({ accuracyInterval95: range, accuracyFloor }) =>
      range !== null && accuracyFloor !== null && range[0] <= accuracyFloor,
  );
  return low ? (lines[0]?.accuracyFloor ?? null) : null;
}

interface Measure extends AdviceOptions {
  /** The highest undefended accuracy. */
  readonly best: number;
  /** Lines without a defence in which something leaked. */
  readonly open: readonly TradeoffLine[];
}

function judge(tradeoff: Tradeoff, cell: Cell, { best, open, keepAccuracy, marginDb }: Measure): Judged {
  const lines = tradeoff.table.filter((line) => line.cell === cell.name);
  const accuracy = lines[0]?.accuracy ?? null;
  const leaks = leaksOf(lines).sort((a, b) => excess(b) - excess(a));
  const worst = leaks[0] ?? null;
  const kept = accuracy === null || !(best > 0) ? null : accuracy / best;
  const attackers = attackersOf(tradeoff.plan, cell);
  const missing = missingOf(tradeoff, cell, lines);
  const seen = open.filter(({ localSteps }) => localSteps === cell.localSteps).map(({ place }) => place);
  const untoldAt = tradeoff.plan.attack.at.filter((place) => !seen.includes(place));
  const defended = cell.defences.length > 0;
  const told = {
    ...{ cell, accuracy, kept, worst, untoldAt, missing, adaptive: defended && attackers.some(isAdaptive) },
    privacy: tradeoff.cells.find(({ name }) => name === cell.name)?.training?.privacy ?? [],
  };
  if (worst === null || accuracy === null || missing.length > 0) return { ...told, verdict: "not-measured" };
  if (leaks.some(({ interval95Db }) => interval95Db === null)) return { ...told, verdict: "not-measured" };
  if (excess(worst) > marginDb) return { ...told, verdict: seen.length > 0 ? "leaks" : "untold" };
  if (seen.length === 0 || !defended) return { ...told, verdict: "untold" };
  const dear = keepAccuracy !== null && !(kept !== null && kept >= keepAccuracy);
  return { ...told, verdict: dear ? "costs-too-much" : "holds" };
}

/** `fedleak-release at trained weights (1 of 3)` */
function missingOf({ plan }: Tradeoff, cell: Cell, lines: readonly TradeoffLine[]): string[] {
  const planned = plan.attack.seeds.length;
  return plan.attack.at.flatMap((place) => {
    const found = lines.find((line) => line.place === place)?.attackers ?? [];
    return attackersOf(plan, cell).flatMap(({ as }) => {
      const scored = found.find(({ attack }) => attack === as)?.trials.scored ?? 0;
      return scored < planned ? [`${as} at ${place} weights (${scored} of ${planned})`] : [];
    });
  });
}

function isAboveFloor({ interval95Db }: Leak): boolean {
  return interval95Db !== null && interval95Db[0] > 0;
}

function leaksOf(lines: readonly TradeoffLine[]): Leak[] {
  return lines.flatMap(({ place, floorDb, attackers }) =>
    attackers.flatMap(({ attack, psnrDb, leakageDb, leakageInterval95Db: interval95Db }) =>
      psnrDb === null || leakageDb === null || floorDb === null
        ? []
        : [{ attack, place, psnrDb, floorDb, leakageDb, interval95Db }],
    ),
  );
}

/** The upper end of the leakage; its mean where there is no interval. */
function excess({ leakageDb, interval95Db }: Leak): number {
  return interval95Db?.[1] ?? leakageDb;
}

const ORDER: readonly Judged["verdict"][] = ["holds", "costs-too-much", "leaks", "untold", "not-measured"];

function byWorth(a: Judged, b: Judged): number {
  return ORDER.indexOf(a.verdict) - ORDER.indexOf(b.verdict) || (b.accuracy ?? -1) - (a.accuracy ?? -1);
}

function checkOptions({ keepAccuracy, marginDb }: AdviceOptions): void {
  const complain = (who: string, must: string, got: number) => fail({ who, must, got: `${got}`, remedy: "Change it." });
  if (keepAccuracy !== null && !(keepAccuracy > 0 && keepAccuracy <= 1)) {
    complain("--keep-accuracy", "it must be a share above 0 and of at most 1", keepAccuracy);
  }
  if (!(marginDb >= 0)) complain("--margin", "it must be a number of dB from 0 on", marginDb);
}
