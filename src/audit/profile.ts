import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttackRun, AttackState } from "../attacks/index.ts";
import type { Node } from "../graph/index.ts";
import { type CompileOptions, type ProfileRow, profile } from "../runtime/index.ts";
import type { Tensors } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import { compileAttack } from "./run.ts";
import type { RunSpec } from "./spec.ts";
import { prepareTrial } from "./trial.ts";

/** One iteration as a graph, how it is compiled, and what it is fed. */
export interface StepProgram {
  readonly outputs: Readonly<Record<string, Node>>;
  readonly options: CompileOptions;
  readonly feeds: Tensors;
}

/** An attack that shows the graph of its step. The attacks' layer does not promise `program` yet. */
type Profilable = AttackRun & { program?(state: AttackState): StepProgram };

/**
 * Time by kind of op of one step of a spec's attack, averaged over `runs` steps after one that warms up.
 *
 * Nothing is kept: no run folder is made. Throws FedleakError as `runAttack` does, and for an attack whose step cannot
 * be looked into.
 */
export async function profileAttack(spec: RunSpec, runs: number): Promise<readonly ProfileRow[]> {
  const trial = await prepareTrial(spec);
  const attack: Profilable = await compileAttack(trial);
  const step = attack.program?.(attack.initial);
  await attack.release();
  if (!step) {
    return fail({
      who: "profile",
      must: "the attack must show the graph of its step",
      got: `${trial.preset.name}, which does not`,
      remedy: "Use npm run bench for the time of a whole step.",
    });
  }
  return profileStep(step, runs);
}

/** Time by kind of op of one run of a step, averaged over `runs` after one that warms up. */
export async function profileStep(
  { outputs, options, feeds }: StepProgram,
  runs: number,
): Promise<readonly ProfileRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "fedleak-profile-"));
  try {
    const { rows } = await profile(outputs, options, { feeds, runs, prefix: join(folder, "trace") });
    const [trace] = await readdir(folder); // the runtime adds the time to the name
    return rows(await readFile(join(folder, trace!), "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
