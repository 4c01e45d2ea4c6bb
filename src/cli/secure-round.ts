import { resolve } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  completeSecureRound,
  runSecureRound,
  SCHEMES,
  type SecureRoundRequest,
  type SecureRoundResult,
} from "../audit/index.ts";
import { wholeFrom } from "./flag-values.ts";
import { showWork } from "./secure-round-progress.ts";
import { secureRoundText } from "./secure-round-text.ts";
import { declareTrainFlags, trainRequest } from "./train-flags.ts";

/** `fedleak secure-round`: one round of secure aggregation, for its cost and its exactness. */
export function declareSecureRound(program: Command, exit: (status: number) => void): void {
  const usual = completeSecureRound({});
  const command = program
    .command("secure-round")
    .description("Run one round of real secure aggregation over simulated clients, and measure its cost and exactness.")
    .argument("[updates...]", "captured updates or files of tensors, one a client (default: train the clients)")
    .option("--scheme <name>", schemes(), usual.scheme)
    .option("--clients <n>", `clients to train (default: ${usual.clients})`, wholeFrom(2))
    .option("--drop <n>", "clients that are gone after they shared their keys", wholeFrom(0), usual.drop)
    .option("--threshold <n>", "clients that must be left, with masks (default: two thirds)", wholeFrom(2))
    .option("--encrypt-share <x>", `largest entries that ckks encrypts (default: ${usual.encryptShare})`, shareOf)
    .option("--range <x>", "largest magnitude of an entry (default: the least power of two that holds all)", positive);
  const shared = declareTrainFlags(new Command()).options.filter((option) => SHARED.has(option.attributeName()));
  for (const option of shared) command.addOption(option);
  const { batchSize, federation } = usual.training;
  const group = (flags: string, about: string) => new Option(flags, about).helpGroup("Training:");
  command
    .addOption(group("--batch <n>", `images a step (default: ${batchSize})`).argParser(wholeFrom(1)))
    .addOption(
      group("--local-steps <n>", `steps of a client (default: ${federation.localSteps})`).argParser(wholeFrom(1)),
    )
    .option("--json", "print the result as one JSON object")
    .addHelpText("after", HELP)
    .action(async (updates: readonly string[], flags: Flags) => exit(await secureRound(updates, flags)));
}

type Flags = Readonly<Record<string, unknown>> & {
  readonly json?: boolean;
};

/** The flags of `train` that say how a client makes its update. */
const SHARED = new Set(
  "images mnist cifar10 cifar100 size model weights width widthMultiplier patch hidden classes activation bnMode lr seed device threads".split(
    " ",
  ),
);

const HELP = `
All parties run in this process, one after the other; seconds are of computing, nothing is sent. Secrets come from the
platform's generator, whatever the seed. docs/secure-aggregation.md says what each scheme protects against, and against what not.

Examples:
  Four clients train a small ResNet, one drops out, and the server learns the sum of the others:
    $ fedleak secure-round --model resnet10 --width 16 --clients 4 --drop 1
  The same by homomorphic encryption, of the largest tenth of the entries:
    $ fedleak secure-round --model resnet10 --width 16 --scheme ckks --encrypt-share 0.1
  Updates that clients sent:
    $ fedleak secure-round runs/train/captured/client-1-round-0 runs/train/captured/client-2-round-0
`;

async function secureRound(updates: readonly string[], { json, ...flags }: Flags): Promise<number> {
  const spec = completeSecureRound(requestOf(updates, flags));
  const progress = showWork();
  let result: SecureRoundResult;
  try {
    result = await runSecureRound(spec, progress);
  } finally {
    progress.end();
  }
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `${secureRoundText(result)}\n`);
  return 0;
}

function requestOf(updates: readonly string[], flags: Flags): SecureRoundRequest {
  const { scheme, clients, drop, threshold, encryptShare, range, ...training } = flags;
  const own = { scheme, clients, drop, threshold, encryptShare, range };
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(given),
    updates: updates.map((path) => resolve(path)),
    training: trainRequest(training),
  } as SecureRoundRequest; // completeSecureRound checks every entry
}

function schemes(): string {
  return Object.entries(SCHEMES).map(([name, about]) => `${name}: ${about}`).join("; "); // biome-ignore format: one line
}

function shareOf(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && value <= 1) return value;
  throw new InvalidArgumentError("It must be a share over 0, at most 1.");
}

function positive(text: string): number {
  const value = Number(text);
  if (text.trim() !== "" && value > 0 && Number.isFinite(value)) return value;
  throw new InvalidArgumentError("It must be a number over 0.");
}
