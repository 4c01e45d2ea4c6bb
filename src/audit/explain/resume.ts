import { fail } from "../../util/index.ts";
import { completeSpec, type RunRequest } from "../spec.ts";
import { type ExplainPlan, explainAttack } from "./explain.ts";
import { readExplanation } from "./files.ts";
import type { Explanation, PartName } from "./schema.ts";

/**
 * Goes on with an explanation that was stopped or killed, with the options it was last asked with.
 *
 * Parts that are finished are kept; one that failed is tried again. Throws FedleakError when every part that was asked for is
 * finished, or the folder holds no explanation, or one of an older version that did not say what was asked.
 */
export async function resumeExplanation(
  folder: string,
  plan: Pick<ExplainPlan, "render" | "onEvent" | "signal">,
): Promise<{ folder: string; found: Explanation }> {
  const who = `resume ${folder}`;
  const stored = await readExplanation(folder);
  if (stored?.asked === undefined) {
    return fail({
      who,
      must: "it must be an explanation that says what it was asked for",
      got: stored === undefined ? "no explain.json" : "one of an older version",
      remedy: `Repeat the command that began it, with --out ${folder}.`,
    });
  }
  const { only, options } = stored.asked;
  const left = only.filter((part: PartName) => stored.parts[part]?.status !== "finished");
  if (left.length === 0) {
    fail({
      who,
      must: "a part must be left to compute",
      got: `${only.join(", ")}, all finished`,
      remedy: "Look at its explain.html, or ask for another part: fedleak explain … --only PART --out DIR.",
    });
  }
  const spec = completeSpec(stored.spec as RunRequest);
  return explainAttack(spec, { ...plan, options, only: left, out: folder, command: stored.command });
}
