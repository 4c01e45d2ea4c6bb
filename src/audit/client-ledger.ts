import { clientFacts } from "./clients.ts";
import type { Assumption } from "./record-schema.ts";
import type { Trial } from "./trial.ts";

/** Whose images the batch is drawn from, where the data are partitioned: the partition, and the client with what it has. */
export function clientEntries({ spec, source, holder }: Pick<Trial, "spec" | "source" | "holder">): Assumption[] {
  const asked = spec.data.partition;
  if (asked === null || holder === undefined) return [];
  const { partition, clients, number, images, labelCounts } = clientFacts(asked, holder, source);
  const { among } = holder;
  const noun = source.table ? "row" : "image";
  return [
    {
      assumption: "partition",
      value: `${partition}, ${clients} clients`,
      origin: "user",
      note:
        asked.name === "feature-skew"
          ? `over all ${noun}s of the data; client 0 has the smoothest images, client ${clients - 1} the busiest`
          : `over all ${noun}s of the data, drawn from the seed`,
    },
    {
      assumption: "client",
      value: `number ${number} (of 0 to ${clients - 1}), ${images} ${noun}${images === 1 ? "" : "s"} (${countsText(labelCounts, source.classNames)})`,
      origin: among === null ? "user" : "our-choice",
      note:
        among === null
          ? "named by the user"
          : `drawn from the seed among the ${among} clients that have enough ${noun}s for the batch`,
    },
  ];
}

const SHOWN = 10; // classes named; our choice: a line or two

/** `lungn 40, lungscc 20` */
function countsText(counts: readonly number[], names: readonly string[]): string {
  const held = counts.flatMap((count, label) => (count > 0 ? [`${names[label]} ${count}`] : []));
  const rest = held.length - SHOWN;
  return [...held.slice(0, SHOWN), ...(rest > 0 ? [`${rest} more classes`] : [])].join(", ");
}
