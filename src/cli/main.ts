#!/usr/bin/env node
import { Command, CommanderError } from "commander";
import { versions } from "../audit/index.ts";
import { FedleakError } from "../util/index.ts";
import { declareAdvise } from "./advise.ts";
import { declareAttack } from "./attack.ts";
import { declareAudit } from "./audit.ts";
import { declareCheck } from "./check.ts";
import { declareCompare } from "./compare.ts";
import { USER_ERROR } from "./conduct-run.ts";
import { declareDemo } from "./demo.ts";
import { declareExplain } from "./explain.ts";
import { declareExport } from "./export.ts";
import { declareLabels } from "./labels.ts";
import { declareList } from "./list.ts";
import { declareProfile } from "./profile.ts";
import { declareRate } from "./rate.ts";
import { declareResume } from "./resume.ts";
import { declareSecureRound } from "./secure-round.ts";
import { declareTradeoff } from "./tradeoff.ts";
import { declareTrain } from "./train.ts";
import { declareTrainPrior } from "./train-prior.ts";
import { declareVerify } from "./verify.ts";

/**
 * The command line. Exit status: 0 done, 1 `verify` above its tolerance, or `check` or `audit` found a contradiction, or
 * `advise` had nothing to recommend, 2 a user's error or a failed run, 70 a fault of fedleak, 130 interrupted, 141 its output was cut off.
 */
async function main(): Promise<void> {
  const program = new Command("fedleak")
    .description("Measure how much of a client's private data can be rebuilt from its federated-learning update.")
    .version(versions().fedleak)
    .exitOverride()
    .showSuggestionAfterError()
    .addHelpText("after", EXAMPLES);
  const exit = (status: number) => {
    process.exitCode = status;
  };
  declareDemo(program, exit);
  declareAttack(program, exit);
  declareCompare(program, exit);
  declareTrain(program, exit);
  declareTrainPrior(program, exit);
  declareTradeoff(program, exit);
  declareAdvise(program, exit);
  declareResume(program, exit);
  declareCheck(program, exit);
  declareAudit(program, exit);
  declareLabels(program, exit);
  declareList(program);
  declareVerify(program, exit);
  declareProfile(program);
  declareExplain(program, exit);
  declareRate(program);
  declareExport(program);
  declareSecureRound(program, exit);
  try {
    await program.parseAsync();
  } catch (error) {
    process.exitCode = complain(error);
    if (process.exitCode !== 0 && process.argv.includes("--json")) {
      const message = error instanceof Error ? error.message : String(error);
      process.stdout.write(`${JSON.stringify({ status: "error", message })}\n`);
    }
  }
}

const EXAMPLES = `
Examples:
  See an attack succeed, in about two minutes:
    $ fedleak demo
  Attack your own images and read what leaked:
    $ fedleak attack --images photos --size 32 --activation sigmoid --grant labels
`;

const BROKEN_PIPE = 141; // 128 + SIGPIPE, as shells report it
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
    process.exit(BROKEN_PIPE); // whoever read has left (`| head`); a run's last checkpoint stands
  });
}

const OUR_FAULT = 70; // EX_SOFTWARE of sysexits.h

/** Prints what went wrong, a stack only where it is our fault, and tells the exit status. */
function complain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : USER_ERROR; // commander has printed it
  if (error instanceof FedleakError) {
    process.stderr.write(`error: ${error.message}\n`);
    return USER_ERROR;
  }
  process.stderr.write(
    `This is a fault of fedleak; please report it.\n${error instanceof Error ? error.stack : error}\n`,
  );
  return OUR_FAULT;
}

await main();
