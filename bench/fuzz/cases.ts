import { key, split } from "../../src/util/index.ts";
import { DAMAGES } from "./damage.ts";
import { drawsOf } from "./draws.ts";
import { edited } from "./edited.ts";
import { hostileFiles } from "./hostile.ts";
import { MADE } from "./made.ts";
import { FORMATS, type Format, subjects } from "./subjects.ts";

export interface Case {
  readonly format: Format;
  /** How it came to be. */
  readonly kind: string;
  readonly bytes: Uint8Array;
}

/** The cases by their number: the same for the same seed, whatever was asked before. */
export async function casesOf(seed: number): Promise<(index: number) => Promise<Case>> {
  const [sound, hostile] = [await subjects(), await hostileFiles()];
  const kinds = [...Object.keys(DAMAGES), "made", "edited"]; // what is of the right form gets deepest
  return async (index) => {
    const crafted = hostile[index];
    if (crafted) return { ...crafted, kind: "hostile" };
    const d = drawsOf(split(split(key(seed), "fuzz"), index));
    const format = FORMATS[index % FORMATS.length]!;
    const kind = kinds[Math.floor(index / FORMATS.length) % kinds.length]!;
    if (kind === "made") return { format, kind, bytes: await MADE[format](d) };
    if (kind === "edited" && format === "onnx") return { format, kind, bytes: edited(d.of(sound.onnx), d) };
    if (kind === "edited") return { format, kind: "made", bytes: await MADE[format](d) };
    return { format, kind, bytes: DAMAGES[kind as keyof typeof DAMAGES](d.of(sound[format]), d) };
  };
}
