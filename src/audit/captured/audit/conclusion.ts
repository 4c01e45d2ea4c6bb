import type { AuditScores, Conclusion, Confidence } from "./record.ts";

const CLEAR_DB = 3; // dB of an image above its own floor, half its squared error; our choice

/**
 * What an audit comes to: what the searches tell among themselves, set right by the private images where there are some.
 *
 * Image by image: one leaks where its picture lies 3 dB or more above the highest of its own floors, however the others do; the
 * update leaks unless none does. Headline, meaning and advice all follow from this.
 */
export function conclusionOf({ outcome }: Pick<Confidence, "outcome">, scores: AuditScores | undefined): Conclusion {
  const told = TELL_OF_A_LEAK.includes(outcome);
  if (!scores) return { leaks: told, contradicted: false, images: null };
  const { pairs, floors } = scores;
  const list = Object.values(floors).filter((floor) => floor !== undefined);
  const clear = pairs.oneToOne.filter(({ trueIndex, psnrDb }) => {
    const own = Math.max(...list.map((floor) => floor.perImagePsnrDb?.[trueIndex] ?? floor.psnrDb));
    return psnrDb - own >= CLEAR_DB;
  }).length;
  return { leaks: clear > 0, contradicted: clear > 0 !== told, images: { clear, of: pairs.oneToOne.length } };
}

const TELL_OF_A_LEAK: readonly Confidence["outcome"][] = ["exact", "agree-and-fit", "agree-in-part"];
