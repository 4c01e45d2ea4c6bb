import type { Command } from "commander";
import { completeSpec, profileAttack } from "../audit/index.ts";
import { declareAttackFlags, requestOf } from "./attack-flags.ts";
import { wholeFrom } from "./flag-values.ts";
import { table } from "./text-layout.ts";

/** `fedleak profile`: where the time of one attack step goes. */
export function declareProfile(program: Command): void {
  const command = program
    .command("profile")
    .description("Time one step of an attack by kind of op; takes the flags of attack.");
  declareAttackFlags(command)
    .option("--runs <n>", "steps to average over", wholeFrom(1), STEPS)
    .option("--out <dir>", "taken as in attack and passed over: nothing is kept")
    .option("--json", "print the rows as one JSON object")
    .addHelpText("after", "\nExample:\n  $ fedleak profile --model resnet10 --batch 16 --attack inverting-gradients\n")
    .action(async (flags: Readonly<Record<string, unknown>> & Flags) => {
      const rows = await profileAttack(completeSpec(requestOf(flags)), flags.runs);
      const msPerStep = rows.reduce((sum, { ms }) => sum + ms, 0);
      const text = flags.json ? JSON.stringify({ msPerStep, rows }) : profileText(rows, msPerStep);
      process.stdout.write(`${text}\n`);
    });
}

interface Flags {
  readonly runs: number;
  readonly json?: boolean;
}

const STEPS = 5; // our choice: steady to a few per cent

function profileText(rows: Awaited<ReturnType<typeof profileAttack>>, msPerStep: number): string {
  const told = rows.map(({ op, kernel, ms, share, calls }) => [
    op,
    kernel,
    ms.toFixed(2),
    (share * 100).toFixed(1),
    calls.toFixed(0),
  ]);
  return [
    ...table([["op", "kernel", "ms", "%", "calls"], ...told]),
    "",
    `${msPerStep.toFixed(1)} ms a step in kernels; profiling itself slows them a little.`,
  ].join("\n");
}
