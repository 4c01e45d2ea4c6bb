import { afterAll, expect, test } from "vitest";
import { chain, DEFENCES, link } from "../../src/defences/index.ts";
import { programCache } from "../../src/runtime/index.ts";
import { key } from "../../src/util/index.ts";
import { flat, norm, tinyStep } from "./tiny.ts";

/** For each setting two values, beside what it needs to act, between which the server sees another update. */
const CASES: Readonly<
  Record<string, Readonly<Record<string, readonly [unknown, unknown, Readonly<Record<string, unknown>>?]>>>
> = {
  "gaussian-dp": { epsilon: [0.5, 0.4], delta: [1e-5, 1e-4], clip: [1, 2], sigma: [0, 1] },
  "dp-sgd": {
    epsilon: [5, 4],
    delta: [1e-5, 1e-4],
    clip: [1, 2],
    rounds: [1, 2],
    rate: [1, 0.5],
    sigma: [0, 1],
  },
  "adaptive-dp": {
    sigma: [1, 2],
    clip: [1, 2],
    factor: [1, 2, { norm: 1 }],
    norm: [0, 0.5],
    decay: [0.9, 0.8, { decays: 1 }],
    decays: [0, 1],
  },
  quantise: { bits: [4, 3] },
  sparsify: { percent: [80, 50] },
  sign: { scale: ["mean", "one"] },
  soteria: { percentile: [75, 100] },
  outpost: {
    beta: [0, 1e9, { iteration: 1 }],
    iteration: [0, 1_000_000],
    fisher: [40, 10],
    prune: [80, 20],
    noise: [0.8, 0.4],
  },
  "guardian-objective": { utility: [1, 0.5], exponent: [1, 0.5] },
  "gradient-share": { percent: [20, 40], side: ["top", "bottom"] },
  "selective-encryption": { percent: [80, 40] },
  "zero-sum-noise": { strength: [1, 2] },
};

const programs = programCache(); // all defences share the client's programs
afterAll(() => programs.release());
const step = { ...tinyStep(), compile: programs.compile };

test("every defence changes what the server sees, and so does each of its settings", async () => {
  const seenOf = async (name: string, settings: Readonly<Record<string, unknown>>) =>
    flat((await chain(link(name, settings))(step, key(1))).update);
  const plain = flat((await chain()(step, key(1))).update);
  for (const [name, { settings }] of Object.entries(DEFENCES)) {
    if (name === "secure-aggregation") continue; // without BatchNorm a mean of gradients is a gradient: its own test
    expect([name, Object.keys(CASES[name] ?? {}).sort()]).toEqual([name, Object.keys(settings).sort()]);
    for (const [setting, [one, other, beside]] of Object.entries(CASES[name]!)) {
      const first = await seenOf(name, { ...beside, [setting]: one });
      const second = await seenOf(name, { ...beside, [setting]: other });
      expect([name, differ(first, plain)]).toEqual([name, true]);
      expect([name, setting, differ(first, second)]).toEqual([name, setting, true]);
    }
  }
});

/** Whether they are apart by more than a thousandth of their length: more than rounding. */
function differ(a: readonly number[], b: readonly number[]): boolean {
  return norm(a.map((value, i) => value - b[i]!)) > 1e-3 * norm(b);
}

test("every defence names itself, its source, its claim, and settings whose usual values are in range", () => {
  for (const [name, defence] of Object.entries(DEFENCES)) {
    expect(name).toMatch(/^[a-z]+(-[a-z]+)*$/);
    for (const text of [defence.about, defence.source, defence.claim]) expect(text.length).toBeGreaterThan(15);
    const { settings } = link(name);
    expect(link(name, settings).settings).toEqual(settings); // completing again changes nothing
  }
});
