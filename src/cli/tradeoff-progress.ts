import { SingleBar } from "cli-progress";
import type { CellPlan, TradeoffEvent } from "../audit/index.ts";
import type { Progress } from "./live-line.ts";
import { clock, measured } from "./progress-text.ts";
import { advanceText } from "./train-progress.ts";

/** Shows how a trade-off gets on, on stderr: a bar over all cells with what is running, or a line a part. */
export function showTradeoffProgress(out: NodeJS.WriteStream = process.stderr): Progress<TradeoffEvent> {
  const tally = tallyOf();
  let bar: SingleBar | undefined;
  let told = performance.now(); // when something was printed last
  const leave = () => {
    bar?.stop();
    bar = undefined;
  };
  const note = (text: string) => {
    leave();
    told = performance.now();
    out.write(`${text}\n`);
  };
  return {
    note,
    end: leave,
    onEvent: (event) => {
      tally.hear(event);
      const text = lineOf(event);
      if (text !== undefined) note([...(event.kind === "stage" ? [] : [tally.text()]), text].join("  "));
      const running = runningText(event);
      if (running === undefined) return;
      if (out.isTTY) {
        bar ??= startBar(out);
        bar.update(BAR_STEPS * tally.share(), { text: `${tally.text()}  ${running}` });
      } else if (performance.now() - told > QUIET_MS) note(`${tally.text()}  ${running}`);
    },
  };
}

const QUIET_MS = 30_000; // our choice: where there is no terminal, a line at least every half minute
const BAR_STEPS = 1000; // finer than a terminal can show

function startBar(out: NodeJS.WriteStream): SingleBar {
  const bar = new SingleBar({
    ...{ stream: out, format: "{bar} {text}", barsize: 16, barCompleteChar: "█", barIncompleteChar: "░" },
    ...{ hideCursor: true, linewrap: false, fps: 10 },
  });
  bar.start(BAR_STEPS, 0, { text: "" });
  return bar;
}

/** What an event is told by in a line of its own. */
function lineOf(event: TradeoffEvent): string | undefined {
  switch (event.kind) {
    case "stage":
      return `${event.text} …`;
    case "folder":
      return `${event.cells.length} settings to do in ${event.folder}`;
    case "trained": {
      const { accuracy, accuracyOn } = event.row.training ?? {};
      return `${event.cell.name}: trained${accuracy === undefined ? "" : `, ${(100 * accuracy).toFixed(1)} % of ${accuracyOn} images`}`;
    }
    case "attacked": {
      const { status, failure, result, attack, setting, seed } = event.row;
      const db =
        result && result.psnrDb.oneToOne.reduce((sum, value) => sum + value, 0) / result.psnrDb.oneToOne.length;
      const told = failure ?? (db === undefined ? status : `${db.toFixed(2)} dB`);
      return `${event.cell.name}: ${attack} at ${setting} weights, seed ${seed}: ${told}`;
    }
    case "ended":
      return event.row.failure === undefined ? undefined : `${event.cell.name}: ${event.row.failure}`;
    default:
      return undefined;
  }
}

/** What is going on right now. */
function runningText(event: TradeoffEvent): string | undefined {
  if (event.kind === "training" && event.event.kind === "advance") {
    return `training ${event.cell.name}  ${advanceText(event.event)}`;
  }
  if (event.kind === "trial" && event.event.kind === "iteration") {
    return `attacking ${event.cell.name}  ${event.trial.attack}  ${measured(event.event, undefined)}`;
  }
  return undefined;
}

/** Counts trainings and trials apart, as they take unlike times: what is left of each, times what one took so far. */
function tallyOf() {
  const cells = new Map<string, CellPlan>();
  const done = { training: 0, trials: 0 };
  const spent = { training: 0, trials: 0 }; // seconds of parts that are done, by this process
  let part = 0; // of the part under way, in [0,1]
  let kind: keyof typeof done = "training";
  let began = performance.now();
  const planned = (of: keyof typeof done) =>
    [...cells.values()].reduce((sum, { training, trials }) => sum + (of === "training" ? Number(training) : trials), 0);
  const finish = (of: keyof typeof done) => {
    done[of] += 1;
    spent[of] += (performance.now() - began) / 1000;
    began = performance.now();
    part = 0;
  };
  const each = (of: keyof typeof done): number => {
    const running = kind === of ? part : 0;
    const seconds = spent[of] + (running > 0 ? (performance.now() - began) / 1000 : 0);
    return seconds / (done[of] + running);
  };
  return {
    hear: (event: TradeoffEvent) => {
      if (event.kind === "folder") for (const plan of event.cells) cells.set(plan.cell.name, plan);
      if (event.kind === "training" && event.event.kind === "advance") {
        kind = "training";
        part = event.event.done / event.event.total;
      }
      if (event.kind === "trial" && event.event.kind === "iteration") {
        kind = "trials";
        part = event.event.iteration / event.event.iterations;
      }
      if (event.kind === "trained" && cells.get(event.cell.name)?.training) finish("training");
      if (event.kind === "attacked") finish("trials");
    },
    share: () => (done.training + done.trials + part) / Math.max(1, planned("training") + planned("trials")),
    /** `3/19 models, 20/114 attacks  ETA 1:02:03`; a dash until one of each is done. */
    text: () => {
      const left = (of: keyof typeof done) => {
        const count = planned(of) - done[of] - (kind === of ? part : 0);
        return count <= 0 ? 0 : count * each(of);
      };
      const told = `${done.training}/${planned("training")} models, ${done.trials}/${planned("trials")} attacks`;
      return `${told}  ETA ${clock(left("training") + left("trials"))}`;
    },
  };
}
