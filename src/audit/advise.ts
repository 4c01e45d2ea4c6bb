import { fail } from "../util/index.ts";
import { type Cell, isAdaptive, PLACES, type Tradeoff, type TradeoffLine } from "./tradeoff/index.ts";

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
  /** "untold": the attacks found nothing without a defence either, so that it cannot be judged. */
  readonly verdict: "holds" | "leaks" | "costs-too-much" | "not-measured" | "untold";
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
  /** "blind": the attacks found nothing without a defence either, so that no defence can be judged. */
  readonly outcome: "recommended" | "none-holds" | "blind" | "not-measured";
  readonly recommended: Judged | null;
  /** Every cell: what holds first, then the most accurate. */
  readonly judged: readonly Judged[];
  /** What leaked without a defence, where most did. */
  readonly undefended: Leak | null;
  /** What naming the commonest class scores, where no undefended accuracy is told from it: then accuracies say nothing; else null. */
  readonly untrained: number | null;
  readonly assumptions: readonly string[];
  readonly notTested: readonly string[];
}

export const MARGIN_DB = 1; // our choice, as a run's verdict: under it we do not speak of a difference

/**
 * The cheapest setting of a trade-off whose leakage is not told from the floor: of highest accuracy among those where, for every
 * attacker at every place, the upper end of the 95 % interval of the leakage (PSNR less the batch's highest floor) is at most `marginDb`.
 *
 * Nothing is recommended where no setting holds, nor where the attacks got nothing even without a defence.
 * Throws FedleakError when an option is out of range.
 */
export function advise(tradeoff: Tradeoff, options: AdviceOptions): Advice {
  checkOptions(options);
  const { plan, table } = tradeoff;
  const linesOf = ({ name }: Cell) => table.filter(({ cell }) => cell === name);
  const undefended = plan.cells.filter(({ defences }) => defences.length === 0);
  const best = Math.max(...undefended.flatMap((cell) => linesOf(cell).flatMap(({ accuracy }) => accuracy ?? [])));
  const leaks = undefended.flatMap((cell) => leaksOf(linesOf(cell))).sort((a, b) => excess(b) - excess(a));
  const open = leaks.some(({ interval95Db }) => interval95Db !== null && interval95Db[0] > 0);
  const judged = plan.cells
    .map((cell) => judge(cell, linesOf(cell), best, options))
    .map((one): Judged => (open || one.verdict === "not-measured" ? one : { ...one, verdict: "untold" }))
    .sort(byWorth);
  const [first] = judged;
  const outcome =
    leaks.length === 0 ? "not-measured" : !open ? "blind" : first?.verdict === "holds" ? "recommended" : "none-holds";
  return {
    ...options,
    ...{ outcome, recommended: outcome === "recommended" ? first! : null, judged, undefended: leaks[0] ?? null },
    untrained: untrainedAt(undefended.flatMap((cell) => linesOf(cell).slice(0, 1))),
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

function judge(cell: Cell, lines: readonly TradeoffLine[], best: number, options: AdviceOptions): Judged {
  const accuracy = lines[0]?.accuracy ?? null;
  const leaks = leaksOf(lines);
  const worst = leaks.sort((a, b) => excess(b) - excess(a))[0] ?? null;
  const kept = accuracy === null || !(best > 0) ? null : accuracy / best;
  const told = { cell, accuracy, kept, worst };
  const places = new Set(leaks.map(({ place }) => place));
  if (worst === null || accuracy === null || places.size < lines.length) return { ...told, verdict: "not-measured" };
  if (leaks.some(({ interval95Db }) => interval95Db === null)) return { ...told, verdict: "not-measured" };
  if (excess(worst) > options.marginDb) return { ...told, verdict: "leaks" };
  const dear = options.keepAccuracy !== null && !(kept !== null && kept >= options.keepAccuracy);
  return { ...told, verdict: dear ? "costs-too-much" : "holds" };
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

function assumptionsOf({ plan }: Tradeoff): string[] {
  const { train, attack } = plan;
  const { federation } = train;
  const names = attack.attacks.map(({ as }) => as).join(", ");
  const adapts = attack.attacks.some(isAdaptive) ? "; those that adapt also know the defence and its settings" : "";
  const grants =
    attack.grants.length === 0 ? "its batch size and nothing else" : `the batch size, ${attack.grants.join(", ")}`;
  return [
    `${train.model.name} on ${train.data.name}, ${train.length} rounds of ${train.training} with ${federation.clients} clients, one training a setting: the interval of an accuracy is over images, not over trainings.`,
    `The attacker sees one update of one client, of a batch of ${attack.batchSize}, at ${attack.at.map((place) => PLACES[place]).join(" and at ")}; it knows the model, the weights handed out, and ${grants}${adapts}.`,
    `Attackers: ${names}, ${attack.evaluations} gradient evaluations each, over ${attack.seeds.length} batches; the worst of them counts.`,
    "Intervals are by the bootstrap over batches and images: over few values they are too short.",
    attack.mismatchedFloor
      ? "The floor is the highest of a blank picture, average pictures and the attack on another batch's update."
      : "The floor is the higher of a blank picture and average pictures; the attack on another batch's update was not measured.",
  ];
}

function notTestedOf({ plan, table }: Tradeoff): string[] {
  const { train, attack, cells } = plan;
  const missing = (Object.keys(PLACES) as (keyof typeof PLACES)[]).filter((place) => !attack.at.includes(place));
  const adaptive = attack.attacks.filter(isAdaptive).map(({ as }) => as);
  const unscored = table.flatMap(({ cell, place, attackers }) =>
    attackers.filter(({ psnrDb }) => psnrDb === null).map((one) => `${one.attack} on ${cell} at ${PLACES[place]}`),
  );
  return [
    ...(adaptive.length === 0
      ? ["An attacker that knows the defence and re-applies it: every attacker here is a naive one."]
      : []),
    "Attackers with more evaluations, other attacks, or images like the private ones to learn from.",
    "Several updates of one client put together, and a server that deviates from the protocol.",
    `Other batch sizes than ${attack.batchSize}: smaller ones leak more.`,
    ...missing.map((place) => `Updates at ${PLACES[place]}.`),
    ...(new Set(cells.map(({ localSteps }) => localSteps)).size === 1 ? ["Other numbers of local steps."] : []),
    `Other data, models and partitions than ${train.federation.partition.name}.`,
    "What leaks beside pictures: labels, membership, properties of the data.",
    ...(unscored.length > 0 ? [`Without a score: ${unscored.join("; ")}.`] : []),
  ];
}

function checkOptions({ keepAccuracy, marginDb }: AdviceOptions): void {
  const complain = (who: string, must: string, got: number) => fail({ who, must, got: `${got}`, remedy: "Change it." });
  if (keepAccuracy !== null && !(keepAccuracy > 0 && keepAccuracy <= 1)) {
    complain("--keep-accuracy", "it must be a share above 0 and of at most 1", keepAccuracy);
  }
  if (!(marginDb >= 0)) complain("--margin", "it must be a number of dB from 0 on", marginDb);
}
