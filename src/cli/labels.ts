import { Command, InvalidArgumentError } from "commander";
import { LABEL_RULES, type LabelRule, parseLabelRule } from "../attacks/index.ts";
import { completeSpec, type LabelRow, type LabelStudy, studyLabels } from "../audit/index.ts";
import { FedleakError } from "../util/index.ts";
import { declareAttackFlags, requestOf } from "./attack-flags.ts";
import { wholeFrom } from "./flag-values.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { showCount } from "./labels-progress.ts";
import { PARTITION_FLAGS } from "./partition-flags.ts";
import { table } from "./text-layout.ts";

/** `fedleak labels`: label inference alone, by every rule, for several batch sizes. */
export function declareLabels(program: Command, exit: (status: number) => void): void {
  const command = program
    .command("labels")
    .description("Infer the labels of a client's batch from its update, by every rule, and count how many are right.");
  const shared = declareAttackFlags(new Command()).options.filter((option) => SHARED.has(option.attributeName()));
  for (const option of shared) command.addOption(option);
  command
    .option("--draw <how>", "uniform or one-per-class: may labels repeat?", "uniform")
    .option("--batches <list>", "batch sizes, separated by commas", sizesOf, BATCHES)
    .option("--trials <n>", "batches drawn of each size", wholeFrom(1, MOST_TRIALS), TRIALS)
    .option("--rules <list>", `rules, separated by commas: ${LABEL_RULES.join(", ")} (default: all)`, rulesOf)
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", HELP)
    .action(async (flags: Readonly<Record<string, unknown>> & Flags) => exit(await labels(flags)));
}

interface Flags {
  readonly batches: readonly number[];
  readonly trials: number;
  readonly rules?: readonly LabelRule[];
  readonly json?: boolean;
}

/** The flags of `attack` that label inference has a use for. */
const SHARED: ReadonlySet<string> = new Set([
  ...PARTITION_FLAGS,
  ..."images mnist cifar10 cifar100 table target columns size model weights width widthMultiplier patch hidden classes activation weightInit bnMode seed device threads".split(
    " ",
  ),
]);

const BATCHES: readonly number[] = [1, 4, 16, 40]; // from one image to four times the classes of CIFAR-10; our choice
const TRIALS = 20; // our choice
const MOST_TRIALS = 100_000; // our choice

const HELP = `
count is the mean share of labels found, counted per class, with its 95 % interval; exact is the share of batches whose
labels were all found. The floors are guesses without the update: drawn uniformly, the data's most frequent class for all,
every class as often. auto chooses among the rules without the truth.

Examples:
  The embedded photographs, an untrained network:
    $ fedleak labels --batches 1,4,8
  A network after training, BatchNorm by its running statistics, two rules:
    $ fedleak labels --cifar10 test.bin --weights round-300.safetensors --bn-mode eval --rules auto,ilrg
`;

async function labels({ batches, trials, rules = LABEL_RULES, json, ...flags }: Flags & Record<string, unknown>) {
  const progress = showCount();
  using interrupt = listenForInterrupt(() => progress.note("Stopping after this batch. Ctrl-C again stops at once."));
  let study: LabelStudy;
  try {
    const { signal } = interrupt;
    study = await studyLabels(completeSpec(requestOf(flags)), {
      batches,
      trials,
      rules,
      onTrial: progress.onCount,
      signal,
    });
  } finally {
    progress.end();
  }
  process.stdout.write(json ? `${JSON.stringify(study)}\n` : `${studyText(study)}\n`);
  return study.status === "finished" ? 0 : INTERRUPTED;
}

function studyText({ model, data, client, weights, batchNorm, draw, seed, rows }: LabelStudy): string {
  const about = [
    ["model", `${model}, weights ${weights}, BatchNorm in ${batchNorm} mode`],
    ["data", `${data}, labels drawn ${draw}, seed ${seed}`],
    ...(client === undefined ? [] : [["client", client]]),
  ];
  const sizes = [...new Set(rows.map(({ batchSize }) => batchSize))];
  const parts = sizes.flatMap((size) => {
    const own = rows.filter(({ batchSize }) => batchSize === size);
    const head = [`B = ${size}`, "count %", "95 %", "exact %", "95 %", ""];
    return ["", ...table([head, ...own.map(lineOf)])];
  });
  return [...table(about), ...parts].join("\n");
}

function lineOf({ kind, name, countAccuracy, countInterval95, exact, exactInterval95, chose, failure }: LabelRow) {
  const chosen = chose && Object.entries(chose).map(([rule, n]) => `${rule} ×${n}`);
  const note = kind === "floor" ? "floor" : (failure ?? (chosen ? `chose ${chosen.join(", ")}` : ""));
  return [name, percent(countAccuracy), range(countInterval95), percent(exact), range(exactInterval95), note];
}

const percent = (share: number | null) => (share === null ? "–" : (share * 100).toFixed(1));
const range = (ends: readonly [number, number] | null) =>
  ends === null ? "–" : `${percent(ends[0])} to ${percent(ends[1])}`;

function sizesOf(text: string): readonly number[] {
  const sizes = text.split(",").map((part) => part.trim());
  const wrong = sizes.find((size) => !/^[1-9]\d{0,8}$/.test(size));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`"${wrong}" is no batch size; write whole numbers, as 1,4,16.`);
  return [...new Set(sizes.map(Number))];
}

function rulesOf(text: string): readonly LabelRule[] {
  try {
    return [...new Set(text.split(",").map((name) => parseLabelRule(name.trim())))];
  } catch (error) {
    if (error instanceof FedleakError) throw new InvalidArgumentError(error.message);
    throw error;
  }
}
