import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { ATTACKS } from "../attacks/index.ts";
import { AUTO, type AuditRequest, completeAuditSpec, MOST_SEEDS, MOST_THREADS, runAudit } from "../audit/index.ts";
import { renderAudit } from "../report/index.ts";
import { DEVICES } from "../runtime/index.ts";
import { declareSettings, settingsOf } from "./attack-flags.ts";
import { commandLine } from "./command-line.ts";
import { conductAudit } from "./conduct-audit.ts";
import { duration, wholeFrom } from "./flag-values.ts";

/** `fedleak audit`: what a captured update gives away, with a confidence that needs no private image. */
export function declareAudit(program: Command, exit: (status: number) => void): void {
  const command = program
    .command("audit")
    .description("Attack a captured update of your own federation and say what it gives away, and how sure that is.")
    .argument("<update>", "the update's folder, with manifest.json (docs/captured-update.md)")
    .addOption(new Option("--budget <time>", "time for everything: 90s, 10m, 2h (default: 10m)").argParser(duration))
    .option(
      "--attack <name>",
      `${AUTO}: closed forms, else the best search; or one of ${Object.keys(ATTACKS).join(", ")}`,
      AUTO,
    )
    .option("--batch <n>", "images to look for (default: as the manifest tells)", wholeFrom(1))
    .option(
      "--seeds <n>",
      "searches from different starts, whose agreement is the confidence",
      wholeFrom(1, MOST_SEEDS),
      3,
    )
    .option("--grant <list>", "what the server knows beside the manifest: labels (needs --truth), public-data")
    .option("--prior <path>", "folder of a trained prior, or an ONNX file of a generator; needs --grant public-data")
    .option(
      "--truth <path>",
      "the private images, for scoring only: a folder, the truth.safetensors of train --capture, or a table's rows as CSV",
    )
    .option("--target <column>", "of a truth in CSV: the column with the classes")
    .option("--force", "attack although the files contradict each other")
    .option("--seed <n>", "seed of every random draw", wholeFrom(0), 0)
    .option("--device <name>", Object.keys(DEVICES).join(", "), "cpu")
    .option("--threads <n>", "processor threads (default: one a core)", wholeFrom(0, MOST_THREADS))
    .option("--checkpoint-every <n>", "iterations between checkpoints (default: 50)", wholeFrom(1))
    .option("--out <dir>", "folder of the audit, new or empty (default: a fresh one under runs)")
    .option("--json", "print the result as one JSON object");
  declareSettings(command)
    .addHelpText("after", EXAMPLES)
    .action(async (update: string, flags: Readonly<Record<string, unknown>> & Shared) => {
      const spec = completeAuditSpec(requestOf(update, flags));
      const about = { out: flags.out, command: commandLine(process.argv.slice(2)), render: renderAudit };
      exit(await conductAudit((watcher) => runAudit(spec, { ...about, ...watcher }), flags));
    });
}

interface Shared {
  readonly out?: string;
  readonly json?: boolean;
}

/** What the flags ask for. Paths are made absolute, so that an audit can be continued from anywhere. */
function requestOf(update: string, flags: Readonly<Record<string, unknown>>): AuditRequest {
  const path = (name: string) => (flags[name] === undefined ? undefined : resolve(String(flags[name])));
  const request = {
    update: resolve(update),
    attack: given({ name: flags.attack, settings: settingsOf(flags), prior: path("prior") }),
    batchSize: flags.batch,
    grants: (flags.grant as string | undefined)?.split(",").map((name) => name.trim()),
    seeds: flags.seeds,
    budgetMs: flags.budget,
    truth: path("truth"),
    target: flags.target,
    force: flags.force,
    checkpointEvery: flags.checkpointEvery,
    device: flags.device,
    threads: flags.threads,
    seed: flags.seed,
  };
  return given(request) as AuditRequest; // completeAuditSpec checks every entry
}

function given(entries: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

const EXAMPLES = `
First the files are checked; where they contradict each other nothing is attacked (exit status 1). Then labels are inferred, closed
forms are tried, and the best search runs from several starts and once on an update of nobody, as a control. The verdict needs no private
image: do the searches find the same pictures, and do these explain the update better than the control explains its own?

Examples:
  What one update of your own model gives away, in a quarter of an hour:
    $ fedleak audit my-update --budget 15m
  One that fedleak train captured, scored against the client's images:
    $ fedleak audit runs/train/captured/client-3-round-19 --truth runs/train/truth/client-3-round-19
  The same work on every machine, and a server that knows the labels:
    $ fedleak audit my-update --evaluations 500 --seeds 5 --truth private-images --grant labels
`;
