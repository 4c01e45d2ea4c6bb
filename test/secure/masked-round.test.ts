import { describe, expect, test } from "vitest";
import {
  advertiseKeys,
  bytesOf,
  type MaskedInput,
  type Message,
  maskedRound,
  maskInput,
  openSum,
  type PublicKeys,
  ROUNDS,
  type Round,
  type SealedShares,
  seededRandom,
  shareKeys,
  systemRandom,
  type Unmasking,
  unmask,
  usualThreshold,
} from "../../src/secure/index.ts";
import { withMasks } from "../../src/secure/mask.ts";
import { key, split, uniform } from "../../src/util/index.ts";
import { chiSquare } from "./chi-square.ts";

const clock = () => performance.now() / 1000;
const inputsOf = (clients: number, length = 5) =>
  Array.from({ length: clients }, (_, u) => Uint32Array.from(uniform(key(u), length), (x) => x * 2 ** 32));
const round = (clients: number, threshold: number, leaves: Readonly<Record<number, Round>> = {}, seed = 0) =>
  maskedRound({
    inputs: inputsOf(clients),
    threshold,
    leaves,
    random: (id) => seededRandom(split(key(seed), id)),
    clock,
  });
const plainSum = (inputs: readonly Uint32Array[]) => inputs.reduce((sum, x) => sum.map((value, i) => value + x[i]!));
const isInput = (message: Message): message is MaskedInput => message.kind === "input";
const isUnmasking = (message: Message): message is Unmasking => message.kind === "unmasking";

/** Every way in which each of U clients stays or leaves before one of the rounds. */
function patterns(clients: number, rounds: readonly Round[]): Record<number, Round>[] {
  const ways = [undefined, ...rounds];
  return Array.from({ length: ways.length ** clients }, (_, n) => {
    const left = Array.from({ length: clients }, (_, i) => [
      i + 1,
      ways[Math.floor(n / ways.length ** i) % ways.length],
    ]);
    return Object.fromEntries(left.filter(([, way]) => way !== undefined));
  });
}

describe("a round of masks", () => {
  const few = (most: number) => (leaves: object) => Object.keys(leaves).length <= most;
  const cases: readonly (readonly [clients: number, threshold: number, leaves: Record<number, Round>])[] = [
    ...patterns(3, ROUNDS).flatMap((p) => (few(1)(p) || p[1] === undefined ? [[3, 2, p] as const] : [])), // the rest is alike
    ...patterns(4, ["input"]).flatMap((p) => (few(2)(p) ? [[4, 3, p] as const] : [])),
  ];

  test("opens exactly the plain sum for every pattern of drop-outs that leaves enough, and nothing for the others", async () => {
    for (const [clients, threshold, leaves] of cases) {
      const told = JSON.stringify(leaves);
      const enough = clients - Object.keys(leaves).length >= threshold;
      if (!enough) {
        await expect(round(clients, threshold, leaves), told).rejects.toThrow(`at least ${threshold} clients must`);
        continue;
      }
      const { sum, survivors, view } = await round(clients, threshold, leaves);
      const sent = inputsOf(clients).filter((_, i) => [undefined, "unmasking"].includes(leaves[i + 1]));
      expect(survivors.length, told).toBe(sent.length);
      expect(sum, told).toEqual(plainSum(sent));
      const answers = view.filter(isUnmasking);
      const opened = (which: "maskKeyShares" | "selfMaskShares") =>
        new Set(answers.flatMap((a) => a[which].map(({ of }) => of)));
      const both = [...opened("maskKeyShares")].filter((id) => opened("selfMaskShares").has(id));
      expect(both, told).toEqual([]); // never both secrets of one client
    }
  });

  test("masked updates are uniform, also without the self-mask (then pairwise masks hide) and summed (then self-masks do)", async () => {
    const inputs = [0, 0, 0].map(() => new Uint32Array(20_000));
    const seeds = [1, 2, 3].map((id) => seededRandom(split(key(5), id)));
    const { view } = await maskedRound({ inputs, threshold: 2, random: (id) => seeds[id - 1]!, clock });
    const masked = view.filter(isInput).map((message) => message.masked);
    const again = seededRandom(split(key(5), 1)); // client 1's secrets, in the order in which it draws them
    const selfMask = [again(32), again(32), again(32)][2]!;
    const alone = await withMasks(masked[0]!, [{ seed: selfMask, sign: -1 }]);
    for (const words of [...masked, alone, plainSum(masked.slice(1)), plainSum(masked)]) {
      expect(chiSquare(new Uint8Array(words.buffer))).toBeLessThan(400); // 255 ± 22.6: six deviations
    }
    expect(chiSquare(new Uint8Array(inputs[0]!.buffer))).toBeGreaterThan(1e6); // what was masked
  });

  test("the server is sent keys, envelopes, masked updates and shares, and no more", async () => {
    const { view, clients, server } = await round(3, 2, { 2: "input" });
    const kinds = view.map((message) => message.kind);
    const count = (kind: Message["kind"]) => kinds.filter((k) => k === kind).length;
    expect([count("keys"), count("shares"), count("input"), count("unmasking")]).toEqual([3, 6, 2, 2]);
    expect(Object.values(clients).map(({ sentBytes }) => sentBytes)).toEqual([
      4 + 64 + 2 * (8 + 66 + 16) + (4 + 20) + (4 + 3 * 37), // keys, sealed pairs, five numbers, three shares
      4 + 64 + 2 * (8 + 66 + 16),
      4 + 64 + 2 * (8 + 66 + 16) + (4 + 20) + (4 + 3 * 37),
    ]);
    expect(server.receivedBytes).toBe(view.reduce((sum, message) => sum + bytesOf(message), 0));
  });

  test("the same seed gives the same messages, another one others", async () => {
    const first = await round(3, 2);
    expect((await round(3, 2)).view).toEqual(first.view);
    const other = await round(3, 2, {}, 1);
    expect(other.sum).toEqual(first.sum);
    for (const [i, message] of other.view.entries())
      if (!isUnmasking(message)) expect(message).not.toEqual(first.view[i]);
  });

  test("the platform's generator fills any length, differently each time", () => {
    const [a, b] = [systemRandom(100_000), systemRandom(100_000)];
    expect(a).not.toEqual(b);
    expect(chiSquare(a)).toBeLessThan(400);
    expect(chiSquare(a.subarray(65_536))).toBeLessThan(400); // past the first call
  });

  test("refuses thresholds that are no majority, and one client alone", async () => {
    await expect(round(4, 2)).rejects.toThrow(/threshold of 4 clients must be a whole number from 3 to 4; got 2/);
    await expect(round(4, 5)).rejects.toThrow(/from 3 to 4; got 5/);
    await expect(round(1, 1)).rejects.toThrow(/at least two clients/);
    expect([2, 3, 4, 10, 100].map(usualThreshold)).toEqual([2, 2, 3, 7, 67]);
  });
});

describe("a client", async () => {
  const threshold = 2;
  const randoms = [1, 2, 3].map((id) => seededRandom(split(key(9), id)));
  const begun = randoms.map((random, i) => advertiseKeys(i + 1, random));
  const roster: readonly PublicKeys[] = begun.map(([, keys]) => keys);
  const shared = await Promise.all(
    begun.map(([client], i) => shareKeys(client, { roster, threshold, random: randoms[i]! })),
  );
  const envelopes: readonly SealedShares[] = shared.flatMap(([, sent]) => sent);
  const deliveries = (id: number) => envelopes.filter(({ to }) => to === id);
  const values = inputsOf(3);
  const committed = await Promise.all(shared.map(([client], i) => maskInput(client, deliveries(i + 1), values[i]!)));
  const [first] = committed[0]!;

  test("answers one request to unmask, and refuses a second one", async () => {
    const [after] = await unmask(first, [1, 2, 3]);
    await expect(unmask(after, [1, 2])).rejects.toThrow(/client 1: a client unmasks once, or both secrets/);
    await expect(unmask(after, [1, 2, 3])).rejects.toThrow(/once/);
  });

  test("refuses survivors that are too few, strangers, twice there, or not itself", async () => {
    await expect(unmask(first, [1])).rejects.toThrow(/at least 2 clients must send their masked update; got 1/);
    await expect(unmask(first, [1, 4])).rejects.toThrow(/clients that shared; got client 4/);
    await expect(unmask(first, [1, 2, 2])).rejects.toThrow(/different clients/);
    await expect(unmask(first, [2, 3])).rejects.toThrow(/its own update must be among those added/);
  });

  test("refuses a changed envelope, and one that was for another client", async () => {
    const [sealed, ...rest] = deliveries(1);
    const changed = { ...sealed!, sealed: sealed!.sealed.map((byte, i) => (i === 3 ? byte ^ 1 : byte)) };
    const [client] = await maskInput(shared[0]![0], [changed, ...rest], values[0]!);
    await expect(unmask(client, [1, 2, 3])).rejects.toThrow(/as its sender sealed it/);
    await expect(maskInput(shared[0]![0], deliveries(2), values[0]!)).rejects.toThrow(/for this one/);
    await expect(maskInput(shared[0]![0], [sealed!, sealed!], values[0]!)).rejects.toThrow(/once from each/);
    await expect(maskInput(shared[0]![0], [], values[0]!)).rejects.toThrow(/at least 2 clients must share/);
  });

  test("refuses a roster without its own keys, with a key twice, or with a point of small order", async () => {
    const share = (changed: readonly PublicKeys[]) =>
      shareKeys(begun[0]![0], { roster: changed, threshold, random: seededRandom(key(1)) });
    await expect(share(roster.slice(1))).rejects.toThrow(/own keys; got none/);
    await expect(share([{ ...roster[0]!, maskKey: new Uint8Array(32).fill(9) }, roster[1]!])).rejects.toThrow(/own keys; got others/); // biome-ignore format: one line
    await expect(share([...roster, { ...roster[1]!, client: 4 }])).rejects.toThrow(/every client and every key once/);
    await expect(share([roster[0]!, { ...roster[1]!, envelopeKey: new Uint8Array(32) }])).rejects.toThrow(
      /small order/,
    );
  });

  test("the server refuses answers that would open both secrets of one client", async () => {
    const survivors = [
      [1, 2, 3],
      [1, 2],
    ]; // what a cheating server tells clients 1 and 2
    const answers = await Promise.all(survivors.map(async (told, i) => (await unmask(committed[i]![0], told))[1]));
    const inputs = committed.map(([, input]) => input);
    const collected = { roster, sharers: [1, 2, 3], inputs, answers, threshold };
    await expect(openSum(collected)).rejects.toThrow(/one secret may be opened.* got shares of both of client 3/);
  });

  test("the server finds a wrong share of a key", async () => {
    const inputs = committed.slice(0, 2).map(([, input]) => input);
    const answers = await Promise.all(committed.slice(0, 2).map(async ([client]) => (await unmask(client, [1, 2]))[1]));
    const collected = { roster, sharers: [1, 2, 3], inputs, threshold };
    expect(await openSum({ ...collected, answers })).toEqual(plainSum(values.slice(0, 2)));
    const [share] = answers[0]!.maskKeyShares;
    const wrong = { ...share!, value: share!.value.map((byte, i) => (i === 32 ? byte ^ 1 : byte)) };
    const changed = [{ ...answers[0]!, maskKeyShares: [wrong] }, answers[1]!];
    await expect(openSum({ ...collected, answers: changed })).rejects.toThrow(/recovered key|one secret/);
  });
});
