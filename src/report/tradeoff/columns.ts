import type { Tradeoff, TradeoffLine } from "../../audit/index.ts";
import { plural } from "../format.ts";
import { worstOf } from "./lines.ts";

/** A column of the table of a trade-off, for people: the same in the terminal, in Markdown and in the report. */
export interface TradeoffColumn {
  readonly title: string;
  /** What it says, in one line. */
  readonly about: string;
  readonly text: (line: TradeoffLine) => string;
}

/** The columns after the setting's name. */
export const TRADEOFF_COLUMNS: readonly TradeoffColumn[] = [
  {
    title: "accuracy",
    about: "share of images classified rightly that nobody trained on",
    text: ({ accuracy }) => (accuracy === null ? "–" : percent(accuracy)),
  },
  {
    title: "95 %",
    about: "Wilson's interval of the accuracy over those images",
    text: ({ accuracyInterval95: range }) => (range === null ? "–" : `${percent(range[0])} to ${percent(range[1])}`),
  },
  {
    title: "PSNR",
    about: "of the worst attacker: mean over seeds and images, one-to-one, in dB",
    text: (line) => worstOf(line)?.psnrDb.toFixed(2) ?? "–",
  },
  {
    title: "95 % of it",
    about: "bootstrap interval of that mean, over seeds and images",
    text: (line) => {
      const range = worstOf(line)?.interval95Db;
      return range ? `${range[0].toFixed(2)} to ${range[1].toFixed(2)}` : "–";
    },
  },
  {
    title: "floor",
    about: "PSNR of the best picture that shows no single private image",
    text: ({ floorDb }) => floorDb?.toFixed(2) ?? "–",
  },
  {
    title: "above it",
    about: "how far the mean lies above that floor: what leaked, in dB",
    text: (line) => signed(worstOf(line)?.leakageDb),
  },
  {
    title: "95 % above",
    about: "bootstrap interval of each image's PSNR less the floor of its own batch",
    text: (line) => {
      const range = worstOf(line)?.leakageInterval95Db;
      return range ? `${signed(range[0])} to ${signed(range[1])}` : "–";
    },
  },
  {
    title: "to",
    about: "the attacker that came closest",
    text: (line) => worstOf(line)?.attack ?? "–",
  },
  {
    title: "others",
    about: "PSNR of the other attackers",
    text: ({ attackers }) =>
      attackers
        .slice(1)
        .map(({ attack, psnrDb }) => `${attack} ${psnrDb?.toFixed(2) ?? "–"}`)
        .join(", ") || "–",
  },
  {
    title: "trials",
    about: "scored, of those planned; failed ones are told",
    text: ({ attackers }) => {
      const sum = (count: (trials: TradeoffLine["attackers"][number]["trials"]) => number) =>
        attackers.reduce((total, { trials }) => total + count(trials), 0);
      const [planned, scored, failed] = [sum((t) => t.planned), sum((t) => t.scored), sum((t) => t.failed)];
      const told = scored === planned ? `${planned}` : `${scored} of ${planned}`;
      return failed > 0 ? `${told}, ${failed} failed` : told;
    },
  },
];

/** How the table is to be read, in a few sentences: what was trained, who attacked, and what the intervals leave out. */
export function tradeoffNote({ plan, cells }: Pick<Tradeoff, "plan" | "cells">): string {
  const { train, attack } = plan;
  const measured = cells.find(({ training }) => training?.images !== undefined)?.training;
  const on = measured ? `${measured.images} ${measured.accuracyOn} images` : "images that nobody trained on";
  const { clients, share, partition } = train.federation;
  const adapts = attack.attacks.some(({ settings }) => String(settings.adaptive) === "true");
  return (
    `${train.model.name}, ${train.length} rounds of ${train.training}, ${clients} clients (${partition.name}), a share of ${share} a round, ` +
    `batches of ${train.batchSize}; accuracy on ${on}, one training a setting (seed ${train.seed}), so that its interval is over images only. ` +
    `Attacked: updates of batches of ${attack.batchSize}, ${plural(attack.seeds.length, "seed")}, ${attack.evaluations} gradient evaluations each; ` +
    `granted: batch size${attack.grants.map((name) => `, ${name}`).join("")}${adapts ? "; to those that adapt, the defence" : ""}. ${rateText(plan)}The worst attacker counts. ` +
    "Intervals of PSNR are by the bootstrap and too short over few values."
  );
}

/** What several local steps are taken with at trained weights: the schedule may have left little of the learning rate. */
function rateText({ train, cells, attack }: Tradeoff["plan"]): string {
  const several = cells.some(({ localSteps }) => (localSteps ?? train.federation.localSteps ?? 1) > 1);
  if (!several || train.training === "fedsgd" || !attack.at.includes("trained")) return "";
  const { learningRate, schedule } = train.optimiser;
  return `Several local steps at trained weights are at the learning rate of the last round, by the schedule (${schedule} from ${learningRate}). `;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function signed(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}
