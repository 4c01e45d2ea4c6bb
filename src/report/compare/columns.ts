import type { TableLine } from "../../audit/index.ts";

/** A column of the comparison's table, for people: the same in the terminal, in Markdown and in the report. */
export interface Column {
  readonly title: string;
  /** What it says, in one line. */
  readonly about: string;
  readonly text: (line: TableLine) => string;
}

/** The columns after the attack's name. */
export const COLUMNS: readonly Column[] = [
  {
    title: "PSNR",
    about: "mean over seeds and images, paired one-to-one, in dB",
    text: ({ psnrDb }) => decibels(psnrDb?.oneToOne),
  },
  {
    title: "95 %",
    about: "bootstrap interval of that mean, over seeds and images",
    text: ({ psnrInterval95Db }) => rangeText(psnrInterval95Db.oneToOne),
  },
  {
    title: "many-to-one",
    about: "PSNR where each image takes its best reconstruction, reuse allowed",
    text: ({ psnrDb }) => decibels(psnrDb?.manyToOne),
  },
  { title: "SSIM", about: "one-to-one", text: ({ ssim }) => (ssim.oneToOne === null ? "–" : fixed(ssim.oneToOne, 3)) },
  {
    title: "floor",
    about: "PSNR of the best picture that shows no single private image",
    text: ({ floorDb }) => decibels(floorDb),
  },
  {
    title: "above it",
    about: "how far the mean lies above that floor: what leaked, in dB",
    text: ({ leakageDb }) => signed(leakageDb),
  },
  {
    title: "labels",
    about: "share of the private labels that the attack had right, counted per class",
    text: ({ labels }) =>
      labels === null ? "–" : labels.granted ? "given" : `${Math.round(labels.countAccuracy * 100)} %`,
  },
  {
    title: "against reference",
    about: "PSNR minus the reference's on the same images, with the bootstrap interval of the difference",
    text: ({ difference }) => (difference === null ? "–" : differenceText(difference)),
  },
  {
    title: "evaluations",
    about: "gradient evaluations that were used, mean over trials",
    text: ({ evaluations }) => (evaluations === null ? "–" : String(Math.round(evaluations))),
  },
  {
    title: "seconds",
    about: "of one trial, mean",
    text: ({ seconds }) => (seconds === null ? "–" : fixed(seconds, 1)),
  },
  {
    title: "trials",
    about: "scored, of those planned; failed ones are told",
    text: ({ trials }) => trialsText(trials),
  },
];

/** `3`, `2 of 3`, `2 of 3, 1 failed` */
function trialsText({ planned, scored, failed }: TableLine["trials"]): string {
  const count = scored === planned ? `${planned}` : `${scored} of ${planned}`;
  return failed > 0 ? `${count}, ${failed} failed` : count;
}

function differenceText({ meanDb, interval95Db }: NonNullable<TableLine["difference"]>): string {
  if (interval95Db === null) return signed(meanDb);
  return `${signed(meanDb)} (${signed(interval95Db[0])} to ${signed(interval95Db[1])})`;
}

function rangeText(range: readonly [number, number] | null): string {
  return range === null ? "–" : `${fixed(range[0], 2)} to ${fixed(range[1], 2)}`;
}

function decibels(value: number | null | undefined): string {
  return value === null || value === undefined ? "–" : fixed(value, 2);
}

function signed(value: number | null): string {
  if (value === null) return "–";
  const text = fixed(value, 2);
  return Number(value.toFixed(2)) > 0 ? `+${text}` : text;
}

function fixed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}
