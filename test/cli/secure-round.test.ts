import { describe, expect, test } from "vitest";
import { fedleak } from "./fedleak.ts";

const SMALL = ["secure-round", "--model", "lenet-sigmoid", "--size", "8", "--batch", "2", "--local-steps", "1"];
const THREADS = ["--threads", "1"];

describe("secure-round", () => {
  test("prints a table of costs, how exact the sum is, and its progress on stderr", async () => {
    const { status, stdout, stderr } = await fedleak([...SMALL, ...THREADS, "--clients", "3", "--drop", "1"]);
    expect(stdout).toMatch(/^scheme +masks\nupdates +lenet-sigmoid trained by 3 clients, 1 steps? of 2 images/);
    expect(stdout).toMatch(/clients +3, of which 1 dropped out; at least 2 must be left/);
    expect(stdout).toMatch(/seconds +× training +MB sent +MB received\nlocal training, a client +[\d.]+ +1\.00 +– +–/);
    expect(stdout).toMatch(/plain sum of the rounded updates in all 8,528 integers/);
    expect(stdout).toContain("FedLeak (section 7) reports 702.03 s");
    expect(stderr).toMatch(/training the clients …[\s\S]*3\/3 .*\nmasking, adding and unmasking …[\s\S]*11\/11/);
    expect(status).toBe(0);
  });

  test("--json is one object", async () => {
    const ckks = ["--scheme", "ckks", "--encrypt-share", "0.1", "--clients", "2"];
    const { status, stdout } = await fedleak([...SMALL, ...THREADS, ...ckks, "--json"]);
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({ scheme: "ckks", clients: 2, numbers: 8528, encrypted: { share: 0.1, numbers: 853 } });
    expect(told.error.largest).toBeLessThan(1e-11 * told.range);
    expect(status).toBe(0);
  });

  test("--help has examples", async () => {
    const { status, stdout } = await fedleak(["secure-round", "--help"]);
    expect(stdout).toMatch(/Secrets come[\s\S]*Examples:[\s\S]*\$ fedleak secure-round --model resnet10/);
    expect(status).toBe(0);
  });

  test.each([
    [["--encrypt-share", "2"], /It must be a share over 0, at most 1/],
    [["no-such-file", "nor-this"], /no-such-file/],
  ])("%j is an error that says what to do", async (args, words) => {
    const { status, stderr } = await fedleak([...SMALL, ...THREADS, ...args]);
    expect(stderr).toMatch(words);
    expect(status).toBe(2);
  });
});
