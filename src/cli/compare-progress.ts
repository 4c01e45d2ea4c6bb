import type { CompareEvent, IterationEvent, TrialPlan, TrialRow } from "../audit/index.ts";
import { liveLine, type Progress } from "./live-line.ts";
import { clock, measured } from "./progress-text.ts";

/** Shows how a comparison gets on, on stderr: a bar over all trials with the running ones, or a line a trial. */
export function showCompareProgress(out: NodeJS.WriteStream = process.stderr): Progress<CompareEvent> {
  const tally = tallyOf();
  const line = liveLine(out);
  let told = performance.now(); // when something was printed last
  const note = (text: string) => {
    told = performance.now();
    line.note(text);
  };
  const draw = () => {
    if (line.isLive) line.show(tally.share(), BAR_STEPS, [tally.text(), ...tally.running()].join("  "));
  };
  return {
    note,
    end: line.end,
    onEvent: (event) => {
      tally.hear(event);
      if (event.kind === "stage") note(`${event.text} …`);
      else if (event.kind === "folder") note(`${event.trials.length} trials in ${event.folder}`);
      else if (event.kind === "ended") note(`${tally.text()}  ${endText(event.row)}`);
      else if (event.kind === "trial" && event.event.kind === "stage") {
        if (event.event.text.startsWith("beginning anew")) note(`${nameOf(event.trial)}: ${event.event.text}`);
      } else if (!line.isLive && performance.now() - told > QUIET_MS)
        note([tally.text(), ...tally.running()].join("  "));
      draw();
    },
  };
}

const QUIET_MS = 30_000; // our choice: where there is no terminal, a line at least every half minute
const BAR_STEPS = 1000; // finer than a terminal can show

/** Counts trials by what they cost: images × evaluations. */
function tallyOf() {
  const began = performance.now();
  const last = new Map<string, { readonly trial: TrialPlan; readonly event: IterationEvent | undefined }>();
  let trials: readonly TrialPlan[] = [];
  const ended = new Set<string>();
  let given = 0; // the cost of what had been done before
  const cost = ({ batchSize, evaluations }: TrialPlan) => batchSize * evaluations;
  const total = () => trials.reduce((sum, trial) => sum + cost(trial), 0);
  const done = () => {
    const over = trials.filter(({ id }) => ended.has(id)).reduce((sum, trial) => sum + cost(trial), 0);
    const part = [...last.values()].reduce(
      (sum, { trial, event }) => sum + (event ? (cost(trial) * event.iteration) / event.iterations : 0),
      0,
    );
    return over + part;
  };
  return {
    hear: (event: CompareEvent) => {
      if (event.kind === "folder") {
        trials = event.trials;
        for (const id of event.done) ended.add(id);
        given = done();
      }
      if (event.kind === "began") last.set(event.trial.id, { trial: event.trial, event: undefined });
      if (event.kind === "trial" && event.event.kind === "iteration" && event.event.part === "attack") {
        last.set(event.trial.id, { trial: event.trial, event: event.event });
      }
      if (event.kind === "ended") {
        last.delete(event.trial.id);
        if (event.row.status !== "interrupted") ended.add(event.trial.id);
      }
    },
    share: () => (total() === 0 ? 0 : (BAR_STEPS * done()) / total()),
    /** `trial 3/24  ETA 12:03` */
    text: () => {
      const spent = (performance.now() - began) / 1000;
      const [now, all] = [done(), total()];
      const left = now > given ? (spent * (all - now)) / (now - given) : Number.NaN;
      return `${ended.size}/${trials.length} trials  ETA ${clock(left)}`;
    },
    running: () =>
      [...last.values()].map(({ trial, event }) =>
        event === undefined ? `${nameOf(trial)} …` : `${nameOf(trial)} ${measured(event, undefined)}`,
      ),
  };
}

function nameOf({ setting, attack, batchSize, seed }: Pick<TrialPlan, "setting" | "attack" | "batchSize" | "seed">) {
  return `${attack} on ${setting}, batch ${batchSize}, seed ${seed}`;
}

function endText({ status, failure, result, ...row }: TrialRow): string {
  const db = result && mean(result.psnrDb.oneToOne);
  const words = {
    finished: db === undefined ? "finished" : `${db.toFixed(2)} dB, ${result!.seconds.toFixed(1)} s`,
    failed: `failed: ${failure}`,
    interrupted: "interrupted",
    pending: "waiting",
    running: "running",
  };
  return `${nameOf(row)}: ${words[status]}`;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
