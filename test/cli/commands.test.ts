import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ATTACKS, SETTINGS } from "../../src/attacks/index.ts";
import { MODELS } from "../../src/models/index.ts";
import { DEVICES } from "../../src/runtime/index.ts";
import { requireShared } from "../shared.ts";
import { fedleak, freshFolder, start } from "./fedleak.ts";

describe.concurrent("list", () => {
  test("names everything there is, with its source, in one JSON object", async () => {
    const { status, stdout } = await fedleak(["list", "--json"]);
    const listed = JSON.parse(stdout);
    const names = (kind: string) => listed[kind].map(({ name }: { name: string }) => name);
    expect(names("attacks")).toEqual(Object.keys(ATTACKS));
    expect(names("models")).toEqual(Object.keys(MODELS));
    expect(names("devices")).toEqual(Object.keys(DEVICES));
    expect(listed.attacks.every(({ about, source }: Record<string, string>) => about && source)).toBe(true);
    expect(status).toBe(0);
  });

  test("and as text", async () => {
    const { stdout } = await fedleak(["list"]);
    for (const { about, source } of Object.values(ATTACKS)) {
      expect(stdout).toContain(about);
      expect(stdout).toContain(source);
    }
  });
});

const COMMANDS = [
  ...["attack", "audit", "advise", "check", "compare", "demo", "explain", "export", "labels", "list", "profile"],
  ...["rate", "resume", "secure-round", "tradeoff", "train", "train-prior", "verify"],
];

describe.concurrent("help", () => {
  test.each(COMMANDS)("%s has an example", async (command) => {
    const { status, stdout } = await fedleak([command, "--help"]);
    expect(stdout).toMatch(new RegExp(`Examples?:[\\s\\S]*\\$ fedleak ${command}`));
    expect(status).toBe(0);
  });

  test("may be cut off by whoever reads it, without a stack trace", async () => {
    const running = start(["attack", "--help"]);
    running.child.stdout!.destroy(); // as `| head -1` does
    const { status, stderr } = await running.ended;
    expect(stderr).toBe("");
    expect(status).toBe(141);
  });

  test("the program itself has an example", async () => {
    expect((await fedleak(["--help"])).stdout).toMatch(/Examples:[\s\S]*\$ fedleak demo/);
  });

  test("attack has a flag for every setting", async () => {
    const { stdout } = await fedleak(["attack", "--help"]);
    for (const name of Object.keys(SETTINGS)) {
      expect(stdout).toContain(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} `);
    }
  });

  test("an unknown command is an error with a suggestion", async () => {
    const { status, stderr } = await fedleak(["atack"]);
    expect(stderr).toMatch(/unknown command 'atack'[\s\S]*Did you mean attack\?/);
    expect(status).toBe(2);
  });
});

test.each([
  ["of the user", ["attack", "--model", "resnet1", "--json"], /Did you mean "resnet10"/],
  ["of the command line", ["attack", "--batch", "two", "--json"], /'two' is invalid/],
])("an error %s with --json is one JSON object on stdout", async (_, args, words) => {
  const { status, stdout } = await fedleak(args);
  expect(status).toBe(2);
  const told = JSON.parse(stdout.trim().split("\n").at(-1)!);
  expect(told.status).toBe("error");
  expect(told.message).toMatch(words);
});

describe.concurrent("verify", () => {
  test("prints the errors as JSON and passes within the tolerance", async (context) => {
    const golden = requireShared(context, "golden/lenet-sigmoid.safetensors");
    const { status, stdout } = await fedleak(["verify", golden, "--json"]);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ model: "lenet-sigmoid", passed: true });
    for (const name of ["logits", "loss", "gradients", "distance", "dist.dx"]) {
      expect(told[name]).toBeGreaterThan(0); // float32 never hits the float64 numbers exactly
      expect(told[name]).toBeLessThan(1e-4);
    }
    expect(status).toBe(0);
  });

  test("exits with 1 above it", async (context) => {
    const golden = requireShared(context, "golden/lenet-sigmoid.safetensors");
    const { status, stdout } = await fedleak(["verify", golden, "--tolerance", "1e-12"]);
    expect(JSON.parse(stdout).passed).toBe(false);
    expect(status).toBe(1);
  });

  test("exits with 2 at a file that is none", async () => {
    const path = join(freshFolder(), "x.safetensors");
    writeFileSync(path, "no such thing");
    const { status, stderr, stdout } = await fedleak(["verify", path, "--json"]);
    expect(stderr).toMatch(/^error: .*x\.safetensors/);
    expect(JSON.parse(stdout)).toMatchObject({ status: "error", message: expect.stringContaining("x.safetensors") });
    expect(status).toBe(2);
  });
});
