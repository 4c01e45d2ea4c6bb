import { resolve } from "node:path";

/** A path made absolute, so that a run can be continued from anywhere; a place on the hub as it is. */
export function placeOf(text: string): string {
  return text.startsWith("hub:") ? text : resolve(text);
}
