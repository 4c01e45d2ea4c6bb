import { resolve } from "node:path";
import { Command, type Option } from "commander";
import { type AskedCell, cellsOf, completeTradeoff, STRENGTHS, type TradeoffPlan } from "../audit/index.ts";
import { DEFAULT_GRANTS } from "../fl/index.ts";
import { fail } from "../util/index.ts";
import { parseAttacks } from "./compare-plan.ts";
import { defenceFrom } from "./defence-flag.ts";
import { declareTrainFlags, trainRequest } from "./train-flags.ts";

type Flags = Readonly<Record<string, unknown>>;

/** The flags of `train` that say what is trained, the same for all cells. */
export function trainingOptions(): readonly Option[] {
  return declareTrainFlags(new Command()).options.filter((option) => !OWN.includes(option.attributeName()));
}

const OWN = ["centralised", "steps", "defence", "capture", "localSteps", "localEpochs", "send"]; // per cell, or of no use here

/** The plan that the flags ask for. Throws FedleakError at whatever is wrong before the data is read. */
export function tradeoffPlan(flags: Flags): TradeoffPlan {
  const text = (name: string) => flags[name] as string | undefined;
  const options = trainingOptions().map((option) => option.attributeName());
  const training = trainRequest(Object.fromEntries(options.map((name) => [name, flags[name]])));
  const cells = cellsOf(
    parseDefences(text("defences") ?? ""),
    listOf(text("strengths") ?? STRENGTHS.join(",")),
    stepsOf(text("localSteps") ?? "1"),
  );
  return completeTradeoff({
    train: JSON.parse(JSON.stringify(training)),
    cells: cells as never, // its own schema checks them
    attack: given({
      attacks: parseAttacks(text("attacks") ?? ATTACKS),
      seeds: flags.seeds,
      batchSize: flags.attackBatch,
      evaluations: flags.evaluations,
      at: text("at") && listOf(text("at")!),
      grants: text("grant") && listOf(text("grant")!).filter((name) => !DEFAULT_GRANTS.includes(name as never)),
      data: text("attackData") && resolve(text("attackData")!),
      draw: flags.draw,
      prior: text("prior") && resolve(text("prior")!),
      mismatchedFloor: flags.mismatchedFloor,
    }) as never,
  });
}

export const ATTACKS = "fedleak-release,fedleak-release:adaptive=true"; // `attack`'s default, naive and knowing the defence

/**
 * `dp-sgd,quantise:bits=3,soteria:percentile=50+sparsify`: defences by name, which go up their ladder, or settings of one's own,
 * several in a chain joined by +.
 */
export function parseDefences(text: string): AskedCell[] {
  const entries: string[] = [];
  for (const piece of text.split(",").map((part) => part.trim())) {
    const goesOn = entries.length > 0 && /^[a-z]+=/.test(piece) && entries.at(-1)!.includes(":");
    if (goesOn) entries[entries.length - 1] += `,${piece}`;
    else if (piece !== "") entries.push(piece);
    else if (text.trim() !== "") empty(text);
  }
  return entries.map((entry) => entry.split(/\+(?=[a-z])/).map(defenceFrom));
}

/** `1,4,12` */
function stepsOf(text: string): number[] {
  return listOf(text).map((part) => {
    if (/^[1-9]\d*$/.test(part)) return Number(part);
    return fail({
      who: "--local-steps",
      must: "it must be a list of whole numbers ≥ 1 as 1,4,12",
      got: `"${text}"`,
      remedy: "Change it.",
    });
  });
}

function listOf(text: string): string[] {
  return text
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

function empty(text: string): never {
  return fail({
    who: "--defences",
    must: "it must be a list of defences as dp-sgd,quantise:bits=3",
    got: `an empty entry in "${text}"`,
    remedy: "fedleak list shows all.",
  });
}

function given(entries: Flags): Record<string, unknown> {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}
