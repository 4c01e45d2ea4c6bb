import { fail } from "../util/index.ts";

/**
 * Throws FedleakError unless what lies in `folder` was stopped before its end, so that it can be gone on with.
 *
 * what: "run", "training", … remedy: what to do with one that has ended.
 */
export function mustBeStopped(
  folder: string,
  { status, failure }: { readonly status: string; readonly failure?: string | undefined },
  { what, got = "one", remedy }: { readonly what: string; readonly got?: string; readonly remedy: string },
): void {
  if (status !== "finished" && status !== "failed") return;
  fail({
    who: `resume ${folder}`,
    must: `the ${what} must have been stopped before its end`,
    got: status === "failed" ? `a failed ${got} (${failure})` : `a finished ${got}`,
    remedy,
  });
}
