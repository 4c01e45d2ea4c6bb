import { programStore } from "../src/audit/program-store.ts";
import { compile } from "../src/runtime/index.ts";
import { attackStep } from "./attack-step.ts";
import { modelOf, type StepOptions } from "./step.ts";

/** One compilation in a process of its own: the step's options and the store's folder as JSON; prints wall and processor time. */
const { folder, ...options } = JSON.parse(process.argv[2]!) as StepOptions & { readonly folder: string };
const { step, bake } = attackStep(modelOf(options), options.batch, options.mode);
const known = { bake: bake(), threads: options.threads ?? 0, store: programStore({ folder }) };
const [start, before] = [performance.now(), process.cpuUsage()];
const program = await compile(step, known);
const { user, system } = process.cpuUsage(before);
const times = { ms: Math.round(performance.now() - start), cpu_ms: Math.round((user + system) / 1000) };
await program.release();
console.log(JSON.stringify(times));
