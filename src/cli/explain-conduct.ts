import { join } from "node:path";
import { EXPLAIN_FILES, type ExplainPlan, type Explanation, PARTS } from "../audit/index.ts";
import { findings, renderExplanation } from "../report/index.ts";
import { USER_ERROR } from "./conduct-run.ts";
import { showExplainProgress } from "./explain-progress.ts";
import { endStopped, INTERRUPTED, listenForInterrupt } from "./interrupt.ts";
import { table, wrapped } from "./text-layout.ts";

type ExplainWatcher = Pick<ExplainPlan, "render" | "onEvent" | "signal">;

/**
 * Watches an explanation from its start to its summary: progress on stderr, the result on stdout, Ctrl-C in order.
 *
 * Returns the exit status: 0 finished, 2 when a part failed, 130 interrupted.
 */
export async function conductExplanation(
  start: (watcher: ExplainWatcher) => Promise<{ readonly folder: string; readonly found: Explanation }>,
  { json = false }: { readonly json?: boolean | undefined },
): Promise<number> {
  const progress = showExplainProgress();
  using interrupt = listenForInterrupt(() =>
    progress.note("Stopping in order: what is there is kept. Ctrl-C again stops at once."),
  );
  let outcome: Awaited<ReturnType<typeof start>>;
  try {
    outcome = await start({ render: renderExplanation, onEvent: progress.onEvent, signal: interrupt.signal });
  } catch (error) {
    progress.end();
    return endStopped(error, interrupt.signal, json);
  }
  progress.end();
  const { folder, found } = outcome;
  process.stdout.write(`${json ? JSON.stringify(summaryJson(found, folder)) : summaryText(found, folder)}\n`);
  if (found.status === "interrupted") process.stderr.write(`\nContinue it with: fedleak resume ${folder}\n`);
  if (found.status === "interrupted") return INTERRUPTED;
  return found.status === "finished" ? 0 : USER_ERROR;
}

const WIDTH = 96; // columns of text; our choice

function summaryText(found: Explanation, folder: string): string {
  const told = findings(found);
  return [
    "",
    ...PARTS.flatMap((part) => {
      const [text, state] = [told[part], found.parts[part]?.status];
      if (text === undefined) return [];
      return [
        `${part}${state === "finished" ? "" : ` (${state})`}`,
        ...wrapped([text.sentence, text.more ?? ""].join(" ").trim(), WIDTH - 2).map((line) => `  ${line}`),
        "",
      ];
    }),
    ...wrapped("These numbers need the private images: the audit has them, the attack was never given them.", WIDTH),
    "",
    ...table([
      ["report", join(folder, EXPLAIN_FILES.report)],
      ["numbers", join(folder, EXPLAIN_FILES.json)],
    ]),
  ].join("\n");
}

/** For a program: what was found, without the points and entries, which are in explain.json. */
function summaryJson(found: Explanation, folder: string): Record<string, unknown> {
  const { status, spec, seed, parts } = { ...found, seed: found.spec.seed };
  return {
    status,
    attack: spec.attack.name,
    model: spec.model.name,
    seed,
    out: folder,
    report: join(folder, EXPLAIN_FILES.report),
    numbers: join(folder, EXPLAIN_FILES.json),
    parts: Object.fromEntries(
      PARTS.flatMap((part) => {
        const made = parts[part];
        if (made === undefined) return [];
        const { status: state, seconds, versions } = made;
        return [[part, { status: state, seconds, versions, finding: findings(found)[part]?.sentence }]];
      }),
    ),
    ...(parts.sensitivity && {
      correlations: Object.fromEntries(
        parts.sensitivity.scopes.map(({ name, pearson, spearman, sampled, entries }) => [
          name,
          { pearson, spearman, sampled, entries },
        ]),
      ),
    }),
    assumptions: Object.fromEntries(found.ledger.map(({ assumption, value }) => [assumption, value])),
  };
}
