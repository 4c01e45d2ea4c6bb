import { key, split, uniform } from "../src/util/index.ts";

/** Categories of the made-up people, with how often each occurs. */
const SHARES = {
  education: { primary: 10, secondary: 34, vocational: 22, bachelor: 20, master: 11, doctorate: 3 },
  job: { office: 22, sales: 16, craft: 14, care: 13, transport: 9, teaching: 9, technical: 11, management: 6 },
  household: { single: 33, couple: 46, separated: 14, widowed: 7 },
  region: { north: 28, east: 17, south: 31, west: 24 },
  insured: { yes: 88, no: 12 },
} as const;

export const PEOPLE_HEADER = ["age", "hours", "gain", ...Object.keys(SHARES), "income"];

/**
 * People who do not exist, as the text of a CSV file: numbers, categories, and an income that depends on some of them.
 *
 * Three numeric columns (one of them mostly 0), five categorical ones with 24 categories in all, and the target "income".
 */
export function people(count: number, seed = 1): string {
  const rows = Array.from({ length: count }, (_, i) => {
    const [a, b, c, d, e, ...rest] = uniform(split(key(seed), i), 10) as unknown as number[];
    const age = 17 + Math.floor(70 * (a! + b!) * 0.5);
    const hours = Math.round(5 + 55 * Math.sqrt(c!));
    const gain = d! < 0.8 ? 0 : Math.round(20_000 * (d! - 0.8) * 5);
    const categories = Object.values(SHARES).map((shares, k) => pick(shares, rest[k]!));
    const degree = Object.keys(SHARES.education).indexOf(categories[0]!);
    const rich = (age - 40) / 15 + (hours - 38) / 12 + degree - 2 + gain / 8000 + 4 * (e! - 0.5) > 3;
    return [age, hours, gain, ...categories, rich ? "high" : "low"].join(",");
  });
  return `${[PEOPLE_HEADER.join(","), ...rows].join("\n")}\n`;
}

function pick(shares: Readonly<Record<string, number>>, draw: number): string {
  let left = draw * Object.values(shares).reduce((sum, share) => sum + share, 0);
  for (const [name, share] of Object.entries(shares)) {
    left -= share;
    if (left < 0) return name;
  }
  return Object.keys(shares).at(-1)!;
}
