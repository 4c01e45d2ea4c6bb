import { describe, expect, it } from "vitest";
import { advance, completeSettings, findAttack, prepareAttack, type SettingValue } from "../../src/attacks/index.ts";
import { chain, link } from "../../src/defences/index.ts";
import { type Capability, observe } from "../../src/fl/index.ts";
import { key } from "../../src/util/index.ts";
import { differing, mlpCase, mse, scrambled } from "./tiny.ts";

const CASE = mlpCase([3]);
const GRANTS: readonly Capability[] = ["batch-size", "labels", "defence"];

async function observedThrough(defence: string | undefined, settings: object = {}, grants = GRANTS) {
  const links = defence === undefined ? [] : [link(defence, { ...settings })];
  return observe(await chain(...links)({ ...CASE, threads: 1 }, key(2)), grants);
}

type Seen = Awaited<ReturnType<typeof observedThrough>>;

async function attacked(observation: Seen, adaptive: boolean, overrides: Readonly<Record<string, SettingValue>> = {}) {
  const attack = findAttack("inverting-gradients");
  const settings = completeSettings(attack, { iterations: 80, ...overrides, adaptive });
  const run = await prepareAttack({ model: CASE.model, observation, attack, settings, key: key(1), threads: 1 });
  try {
    const last = await advance(run, run.initial, settings.iterations);
    const images = await run.reconstruct(last!.state);
    return { psnrDb: -10 * Math.log10(mse(images, CASE.images)), state: last!.state, about: run.ledger.adaptive };
  } finally {
    await run.release();
  }
}

// The control: an adaptive attack expects smooth images too, which takes no knowledge. Against gaussian-dp it does as well (docs/adaptive.md).
const SMOOTH = { tv: 0.01 };

describe("an adaptive attack finds more than a naive one that expects smooth images too", () => {
  it.for<readonly [name: string, settings: object, byDb: number]>([
    ["soteria", { percentile: 75 }, 3], // 14.8 against 20.8
    ["sparsify", { percent: 90 }, 3], // 11.2 against 17.9
    ["gradient-share", { percent: 10 }, 2], // 12.1 against 17.3
    ["quantise", { bits: 2 }, 4], // 8.6 against 18.2
    ["sign", {}, 1], // 13.3 against 15.7
  ])("%s", async ([name, settings, byDb]) => {
    const observation = await observedThrough(name, settings);
    const [naive, adaptive] = [await attacked(observation, false, SMOOTH), await attacked(observation, true)];
    expect(adaptive.psnrDb - naive.psnrDb).toBeGreaterThan(byDb); // half of what was measured, or less
    expect(adaptive.about).toMatch(new RegExp(`^${name}: `));
    expect(naive.about).toBeUndefined();
  });

  it("but not in noise of the same length: what it knows is of the update, not of the images", async () => {
    const observation = scrambled(await observedThrough("quantise", { bits: 2 }));
    const { psnrDb } = await attacked(observation, true);
    const real = await attacked(await observedThrough("quantise", { bits: 2 }), true);
    expect(psnrDb).toBeLessThan(real.psnrDb - 4);
  });
});

describe("who may be adaptive", () => {
  it("only who was told of the defences", async () => {
    const blind = await observedThrough("sign", {}, ["batch-size", "labels"]);
    await expect(attacked(blind, true)).rejects.toThrow(
      /must grant "defence".*got batch-size, labels.*--grant defence/,
    );
  });

  it("without defences it is the attack itself, bit for bit", async () => {
    const observation = await observedThrough(undefined);
    const short = { iterations: 5 };
    const [naive, adaptive] = [await attacked(observation, false, short), await attacked(observation, true, short)];
    expect(differing(naive.state.tensors, adaptive.state.tensors)).toEqual([]);
    expect(adaptive.about).toBe("no defence to re-apply");
  });
});
