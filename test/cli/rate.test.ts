import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { FILES } from "../../src/audit/index.ts";
import { writeSafetensors } from "../../src/tensor/index.ts";
import { noise } from "../metrics/images.ts";
import { fakeRun } from "../report/fixture.ts";
import { fedleak, freshFolder } from "./fedleak.ts";

let folder: string;
beforeAll(async () => {
  folder = freshFolder();
  writeFileSync(join(folder, FILES.record), JSON.stringify((await fakeRun()).record));
  const images = { originals: noise([8, 3, 4, 4], 1), reconstructions: noise([8, 3, 4, 4], 2) };
  writeFileSync(join(folder, FILES.images), writeSafetensors(images));
});

describe("rate", () => {
  test("writes a page, takes the votes that it saves, and prints the rate beside guessing", async () => {
    const page = await fedleak(["rate", folder, "--candidates", "4", "--seed", "2", "--json"]);
    expect(page.status).toBe(0);
    const text = readFileSync(JSON.parse(page.stdout).page, "utf8");
    const shown = JSON.parse(/id="sheet">(.*?)<\/script>/s.exec(text)![1]!);
    expect([shown.candidates, shown.seed, shown.questions.length]).toEqual([4, 2, 8]);
    const { seed, candidates, sheet } = shown;
    const files = ["ann", "bo"].map((rater) => {
      const file = join(folder, `${rater}.json`);
      const choices = shown.questions.map(() => null);
      writeFileSync(
        file,
        JSON.stringify({ format: "fedleak-votes", version: 1, rater, seed, candidates, sheet, choices }),
      );
      return file;
    });
    const told = await fedleak(["rate", folder, "--votes", ...files]);
    expect(told.stdout).toMatch(
      /8 images, each among 4[\s\S]*most of the raters +0 % +95 % interval 0 % to 32.4 % +guessing 6.3 %[\s\S]*ann +0 % +cannot tell 8 of 8/,
    );
    expect(told.stdout).toMatch(/on average .*guessing 25 %/);
    expect(told.stdout).toMatch(/2 people voted \(ann, bo\), 16 votes about 8 images, 16 of them “cannot\s+tell”/);
    expect(told.stdout).toMatch(/do not\s+show\s+that\s+people\s+recognise/);
    expect(JSON.parse(readFileSync(join(folder, "rating.json"), "utf8")).raters.length).toBe(2);
  });

  test("has an example, and says what is wrong", async () => {
    expect((await fedleak(["rate", "--help"])).stdout).toMatch(/Examples:[\s\S]*\$ fedleak rate/);
    const { status, stderr } = await fedleak(["rate", freshFolder()]);
    expect([status, stderr]).toEqual([2, expect.stringContaining("hold a readable record.json")]);
  });
});
