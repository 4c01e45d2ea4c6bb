/** What one test of a captured update says. */
export interface Finding {
  /** In kebab-case. */
  readonly test: string;
  /** broken: the files contradict themselves or each other; doubt: unusual; note: to be known; passed: tested, and in order. */
  readonly level: "broken" | "doubt" | "note" | "passed";
  /** One sentence. */
  readonly text: string;
}

export const found = (test: string, level: Finding["level"], text: string): Finding => ({ test, level, text });

/** A number for people: three digits. */
export function short(value: number): string {
  return Number(value.toPrecision(3)).toString();
}

/** The first few names, and how many more there are. */
export function someOf(names: readonly string[]): string {
  return names.slice(0, SHOWN).join(", ") + (names.length > SHOWN ? ` and ${names.length - SHOWN} more` : "");
}

const SHOWN = 4; // our choice
