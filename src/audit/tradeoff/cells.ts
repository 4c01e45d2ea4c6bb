import { DEFENCES, type SettingValue } from "../../defences/index.ts";
import { fail, unknownName } from "../../util/index.ts";
import { LADDERS, STRENGTHS, type Strength } from "./strengths.ts";

/** One model to be trained and attacked: a chain of defences at one number of local steps. */
export interface Cell {
  /** In kebab-case: the name of its folder. */
  readonly name: string;
  /** What it is compared within: the defence's name, its chain, or "none". */
  readonly defence: string;
  /** A rung of the defence's ladder; null: settings of the user's own. */
  readonly strength: Strength | null;
  readonly defences: readonly CellDefence[];
  /** A client's steps a round; null: as the training says. */
  readonly localSteps: number | null;
}

export interface CellDefence {
  readonly name: string;
  readonly settings: Readonly<Record<string, SettingValue>>;
}

/** What a user asks for: a defence by name, which is put on its ladder, or a chain with settings of its own. */
export type AskedCell = readonly { readonly name: string; readonly settings: Readonly<Record<string, string>> }[];

/**
 * Every cell, at each number of local steps: first that without a defence, then each defence from weak to strong.
 *
 * Throws FedleakError at an unknown defence or strength, when there is none of either, and at two cells of one name.
 */
export function cellsOf(
  asked: readonly AskedCell[],
  strengths: readonly string[],
  localSteps: readonly (number | null)[],
): Cell[] {
  if (asked.length === 0) nothing("--defences", "it must name at least one defence", "--defences dp-sgd,quantise");
  if (strengths.length === 0) nothing("--strengths", "it must name at least one strength", "--strengths weak,strong");
  if (localSteps.length === 0) nothing("--local-steps", "it must name at least one number", "--local-steps 1,4");
  for (const name of strengths) if (!isStrength(name)) unknownName("--strengths", "strength", name, STRENGTHS);
  const chosen = STRENGTHS.filter((strength) => strengths.includes(strength));
  const rows = asked.flatMap((chain) => rungsOf(chain, chosen));
  const none = { name: "none", defence: "none", strength: null, defences: [] };
  const several = localSteps.length > 1;
  const cells = localSteps.flatMap((steps) =>
    [none, ...rows].map((row) => ({ ...row, name: several ? `${row.name}-s${steps}` : row.name, localSteps: steps })),
  );
  const names = cells.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) {
    fail({ who: "--defences", must: "each cell must be there once", got: `${twice} twice`, remedy: "Name it once." });
  }
  return cells;
}

type Row = Omit<Cell, "localSteps">;

function rungsOf(chain: AskedCell, strengths: readonly Strength[]): Row[] {
  for (const { name } of chain) {
    if (!Object.hasOwn(DEFENCES, name)) unknownName("--defences", "name", name, Object.keys(DEFENCES));
  }
  const [only] = chain;
  if (chain.length === 1 && Object.keys(only!.settings).length === 0) return ladderOf(only!.name, strengths);
  const label = chain.map(({ name, settings }) => [name, ...Object.entries(settings).flat()].join("-")).join("-and-");
  return [{ name: slug(label), defence: chain.map(({ name }) => name).join("+"), strength: null, defences: chain }];
}

function ladderOf(name: string, strengths: readonly Strength[]): Row[] {
  const ladder = LADDERS[name]!.settings;
  const rungs = "weak" in ladder ? strengths : (["medium"] as const);
  return rungs.map((strength) => ({
    name: "weak" in ladder ? `${name}-${strength}` : name,
    ...{ defence: name, strength },
    defences: [{ name, settings: ladder[strength as keyof typeof ladder] }],
  }));
}

function isStrength(name: string): name is Strength {
  return (STRENGTHS as readonly string[]).includes(name);
}

/** `dp-sgd-epsilon-0.5` → `dp-sgd-epsilon-0-5` */
function slug(label: string): string {
  return label
    .toLowerCase()
    .match(/[a-z0-9]+/g)!
    .join("-");
}

function nothing(who: string, must: string, example: string): never {
  return fail({ who, must, got: "none", remedy: `For example ${example}.` });
}
