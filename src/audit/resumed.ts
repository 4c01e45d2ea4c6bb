import { fail } from "../util/index.ts";
import { CHECKPOINT } from "./checkpoint.ts";
import type { Assumption, RunRecord } from "./record-schema.ts";
import { NO_CHECKPOINT } from "./run-files.ts";
import { FILES } from "./run-folder.ts";
import { versions } from "./versions.ts";

/** A ledger with the interruption in it: where the work went on, from which checkpoint, and with which versions. */
export function withResumption(
  ledger: readonly Assumption[],
  {
    place,
    began,
    note,
  }: {
    /** `iteration 40` */
    readonly place: string;
    /** What the work began with. */
    readonly began: Readonly<Record<string, string | undefined>>;
    readonly note: string | undefined;
  },
): Assumption[] {
  const before = ledger.find((entry) => entry.assumption === RESUMED);
  const [was, now]: readonly string[] = [began, versions() satisfies RunRecord["versions"]].map((v) =>
    JSON.stringify(v),
  );
  const entry: Assumption = {
    assumption: RESUMED,
    value: [before?.value, `at ${place}`].filter(Boolean).join(", "),
    origin: "measured",
    note: [
      ...(before?.note === undefined ? [] : [before.note]),
      `At ${place}: ${was === now ? "the same versions" : `continued with ${now}`}.`,
      ...(note === undefined ? [] : [note]),
    ].join(" "),
  };
  return [...ledger.filter((other) => other !== before), entry];
}

const RESUMED = "resumed";

/** Refuses to begin anew where there is no checkpoint, unless the work was killed before it wrote the first one. */
export function checkUnbegun(
  folder: string,
  { status, curve }: { readonly status: string; readonly curve: readonly unknown[] },
): void {
  if (status === "running" && curve.length === 0) return;
  fail({
    who: `${CHECKPOINT} of run ${folder}`,
    must: `it must be the folder of a run and hold a readable ${FILES.state}`,
    got: `no readable ${FILES.state}`,
    remedy: NO_CHECKPOINT,
  });
}
