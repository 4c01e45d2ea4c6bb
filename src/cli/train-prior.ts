import { join } from "node:path";
import { type Command, Option } from "commander";
import {
  completePriorSpec,
  MOST_THREADS,
  PRIOR_FILES,
  type PriorOutcome,
  type PriorRequest,
  type PriorWatcher,
  trainPrior,
} from "../audit/index.ts";
import { fail } from "../util/index.ts";
import { commandLine } from "./command-line.ts";
import { USER_ERROR } from "./conduct-run.ts";
import { notNegative, wholeFrom } from "./flag-values.ts";
import { INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { pathList } from "./path-list.ts";
import { showPriorProgress } from "./prior-progress.ts";
import { table } from "./text-layout.ts";

/** `fedleak train-prior`: what a server could learn from public images, for attacks that need it. */
export function declareTrainPrior(program: Command, exit: (status: number) => void): void {
  const command = program
    .command("train-prior")
    .description("Train a decoder and a restorer on public images: the prior that the attacks ggl and rog need.");
  const usual = completePriorSpec({ data: { name: "embedded" } }); // for the defaults that help shows
  const declare =
    (group: string) =>
    (flags: string, about: string, shape: (option: Option) => Option = (o) => o) =>
      command.addOption(shape(new Option(flags, about).helpGroup(`${group}:`)));
  const oneOf = (name: string) => (option: Option) => option.conflicts(SETS.filter((other) => other !== name));
  const whole = (least: number, most?: number) => (option: Option) => option.argParser(wholeFrom(least, most));
  const number = (option: Option) => option.argParser(notNegative);

  const data = declare("Public images (one of these)");
  data("--images <dirs>", "folders with DIR/<class>/<image>, separated by commas", oneOf("images"));
  data("--mnist <paths>", "idx images files with their labels files beside them, or their folders", oneOf("mnist"));
  data("--cifar10 <files>", "CIFAR-10 binary files, separated by commas", oneOf("cifar10"));
  data("--cifar100 <files>", "CIFAR-100 binary files, separated by commas", oneOf("cifar100"));
  data("--size <pixels>", "scale images to a square of this side: that of the images to be attacked", whole(1));

  const network = declare("Networks");
  network("--class-conditional", "tell the decoder the class; it then fits only models of these classes");
  network("--latent <n>", `numbers that the decoder makes an image of (default: ${usual.latent})`, whole(1));
  network("--channels <n>", `the decoder's width (default: ${usual.channels})`, whole(1));
  network("--downscale <n>", `how much smaller the restorer's images were (default: ${usual.downscale})`, whole(1));
  network("--noise <x>", `the most noise that it learns to remove (default: ${usual.noise})`, number);

  const training = declare("Training");
  training("--steps <n>", `steps of training (default: ${usual.steps})`, whole(1));
  training("--batch <n>", `images a step (default: ${usual.batch})`, whole(1));
  training("--learning-rate <x>", `step size, falling to 0 (default: ${usual.learningRate})`, number);
  training("--kl-weight <x>", `how strongly codes are kept near N(0,1) (default: ${usual.klWeight})`, number);
  training("--checkpoint-every <n>", `steps between checkpoints (default: ${usual.checkpointEvery})`, whole(1));
  training("--seed <n>", `seed of every random draw (default: ${usual.seed})`, whole(0));
  training("--threads <n>", "processor threads (default: one a core)", whole(0, MOST_THREADS));
  command
    .requiredOption("--out <dir>", "folder of the prior, new or empty")
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", EXAMPLES)
    .action(async (flags: Readonly<Record<string, unknown>> & { readonly out: string; readonly json?: boolean }) => {
      const spec = completePriorSpec(requestOf(flags));
      const about = { out: flags.out, command: commandLine(process.argv.slice(2)) };
      exit(await conductPriorTraining((watcher) => trainPrior(spec, { ...about, ...watcher }), flags));
    });
}

/** Watches a training to its summary; returns the exit status: 0 finished, 2 failed, 130 interrupted. */
export async function conductPriorTraining(
  start: (watcher: PriorWatcher) => Promise<PriorOutcome>,
  { json = false }: { readonly json?: boolean | undefined },
): Promise<number> {
  const progress = showPriorProgress();
  using interrupt = listenForInterrupt(() =>
    progress.note("Stopping after this step, with a checkpoint. Ctrl-C again stops at once."),
  );
  const outcome = await start({ onEvent: progress.onEvent, signal: interrupt.signal }).finally(progress.end);
  const { record, folder } = outcome;
  process.stdout.write(`${json ? JSON.stringify({ folder, ...record }) : priorSummary(outcome)}\n`);
  if (record.status === "interrupted") process.stderr.write(`\nContinue it with: fedleak resume ${folder}\n`);
  return record.status === "finished" ? 0 : record.status === "interrupted" ? INTERRUPTED : USER_ERROR;
}

/** What a training came to, for a person at a terminal. */
export function priorSummary({ folder, record }: PriorOutcome): string {
  const { trainedOn, stepsDone, seconds, heldOut, failure } = record;
  const db = (value: number) => `${value.toFixed(2)} dB`;
  const measured = heldOut && [
    ["decoder", `${db(heldOut.decoderPsnrDb)} on ${trainedOn.heldOut} held-out images`],
    ["", `the mean image: ${db(heldOut.meanImagePsnrDb)}`],
    ["restorer", `${db(heldOut.restoredPsnrDb)} on the same, degraded`],
    ["", `what it was given: ${db(heldOut.degradedPsnrDb)}`],
  ];
  return [
    "",
    ...(failure === undefined ? [] : [`Failed: ${failure}`, ""]),
    ...table([
      ["trained", `${stepsDone} steps on ${trainedOn.images} images, ${trainedOn.source}, ${seconds.toFixed(1)} s`],
      ...(measured ?? []),
      ["samples", join(folder, PRIOR_FILES.samples)],
      ["use it", `fedleak attack --attack ggl --grant public-data --prior ${folder}`],
    ]),
  ].join("\n");
}

const DATA_FLAGS = { images: "image-folder", mnist: "mnist", cifar10: "cifar10", cifar100: "cifar100" } as const;
const SETS = Object.keys(DATA_FLAGS);

/** Paths are made absolute, so that a training can be continued from anywhere. */
function requestOf(flags: Readonly<Record<string, unknown>>): PriorRequest {
  const set = Object.entries(DATA_FLAGS).find(([name]) => flags[name] !== undefined);
  if (set === undefined) {
    return fail({
      who: "train-prior",
      must: "it needs public images",
      got: "none",
      remedy: `Name them with one of --${SETS.join(", --")}.`,
    });
  }
  const paths = pathList(String(flags[set[0]]), `--${set[0]}`);
  const names = [
    ...["classConditional", "latent", "channels", "downscale", "noise", "steps", "batch"],
    ...["learningRate", "klWeight", "checkpointEvery", "seed", "threads"],
  ];
  const given = Object.fromEntries(
    names.filter((name) => flags[name] !== undefined).map((name) => [name, flags[name]]),
  );
  return { data: { name: set[1], paths, size: (flags.size as number | undefined) ?? null }, ...given };
}

const EXAMPLES = `
The images must be public: what a server may know without its clients. The ledger of an attack names them.

Examples:
  A prior for attacks on 32×32 photographs, in some minutes:
    $ fedleak train-prior --cifar10 data_batch_1.bin --out priors/cifar
  From your own public images, for models of 64×64:
    $ fedleak train-prior --images public-scans --size 64 --steps 5000 --out priors/scans
  Then:
    $ fedleak attack --attack rog --grant public-data --prior priors/cifar --cifar10 test_batch.bin
`;
