import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { completeSpec, type RunRequest } from "../../../src/audit/index.ts";
import { ledgerOf } from "../../../src/audit/ledger.ts";
import { completePriorSpec, trainPrior } from "../../../src/audit/prior/index.ts";
import { compileAttack, prepareTrial } from "../../../src/audit/trial.ts";
import { versions } from "../../../src/audit/versions.ts";
import { freshFolder, imageFolder } from "../../cli/fedleak.ts";

let images: string;
let priors: readonly string[];
beforeAll(async () => {
  const greys = (from: number) => Object.fromEntries([0, 1, 2, 3, 4].map((i) => [`${i}.png`, from + 9 * i]));
  images = await imageFolder({ dark: greys(20), light: greys(180) });
  priors = await Promise.all(
    [0, 1].map(async (seed) => {
      const data = { name: "image-folder" as const, paths: [images] };
      const small = { latent: 2, channels: 2, restorerChannels: 2, restorerBlocks: 0, batch: 4, steps: 2, threads: 1 };
      const out = join(freshFolder(), "prior");
      return (await trainPrior(completePriorSpec({ data, ...small, seed }), { out, command: "x" })).folder;
    }),
  );
});

const trialOf = (attack: RunRequest["attack"], grants: NonNullable<RunRequest["client"]>["grants"]) =>
  prepareTrial(
    completeSpec({
      attack,
      model: { name: "mlp3", options: { hidden: 4 } },
      data: { name: "image-folder", path: images },
      client: { batchSize: 2, grants },
      threads: 1,
    }),
  );
const granted = ["batch-size", "labels", "public-data"] as const;

test("the ledger names the prior, what it was trained on and its fingerprint", async () => {
  const trial = await trialOf({ name: "ggl", prior: priors[0]! }, [...granted]);
  const attack = await compileAttack(trial);
  const entry = ledgerOf(trial, attack, versions()).find(({ assumption }) => assumption === "prior")!;
  await attack.release();
  expect(entry.value).toMatch(/a decoder of 2 latent numbers .* on 9 images of image folder/);
  expect(entry.origin).toBe("user");
  expect(entry.value).toContain(trial.prior!.fingerprint.slice(0, 12));
});

test("another prior is another input of the run; where the attack has no use for one it is none", async () => {
  const [one, other, unused, none] = await Promise.all([
    trialOf({ name: "ggl", prior: priors[0]! }, [...granted]),
    trialOf({ name: "ggl", prior: priors[1]! }, [...granted]),
    trialOf({ name: "inverting-gradients", prior: priors[0]! }, ["batch-size"]),
    trialOf({ name: "inverting-gradients" }, ["batch-size"]),
  ]);
  expect(one.inputsPrint).not.toBe(other.inputsPrint);
  expect(unused.prior).toBeUndefined();
  expect(unused.inputsPrint).toBe(none.inputsPrint);
});

test("public data must be granted, and the prior be there", async () => {
  await expect(trialOf({ name: "ggl", prior: priors[0]! }, ["batch-size"])).rejects.toThrow(
    /must grant "public-data" when a prior is used; got batch-size\. Pass --grant public-data/,
  );
  await expect(trialOf({ name: "ggl", prior: freshFolder() }, [...granted])).rejects.toThrow(/no readable prior\.json/);
  const without = await trialOf({ name: "ggl" }, [...granted]);
  await expect(compileAttack(without)).rejects.toThrow(/needs a prior.*fedleak train-prior/);
});
