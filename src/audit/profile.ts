import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StepProgram } from "../attacks/index.ts";
import { type ProfileRow, profile } from "../runtime/index.ts";
import type { RunSpec } from "./spec.ts";
import { compileAttack, prepareTrial } from "./trial.ts";

/**
 * Time by kind of op of one step of a spec's attack, averaged over `runs` steps after one that warms up.
 *
 * Nothing is kept: no run folder is made. Throws FedleakError as `runAttack` does.
 */
export async function profileAttack(spec: RunSpec, runs: number): Promise<readonly ProfileRow[]> {
  const trial = await prepareTrial(spec);
  const attack = await compileAttack(trial);
  const step = attack.program(attack.initial);
  await attack.release();
  return profileStep(step, runs);
}

/** Time by kind of op of one run of a step, averaged over `runs` after one that warms up. */
async function profileStep({ outputs, options, feeds }: StepProgram, runs: number): Promise<readonly ProfileRow[]> {
  const folder = await mkdtemp(join(tmpdir(), "fedleak-profile-"));
  try {
    const { rows } = await profile(outputs, options, { feeds, runs, prefix: join(folder, "trace") });
    const [trace] = await readdir(folder); // the runtime adds the time to the name
    return rows(await readFile(join(folder, trace!), "utf8"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
