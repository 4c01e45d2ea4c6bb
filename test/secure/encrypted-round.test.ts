import { describe, expect, test } from "vitest";
import { encryptedRound, openCkksAdder, openCkksKeys, SLOTS, topPositions } from "../../src/secure/index.ts";
import { key, uniform } from "../../src/util/index.ts";

const clock = () => performance.now() / 1000;
const LENGTH = SLOTS + 100; // two ciphertexts, one of them in part
const RANGE = 0.01;
const inputs = [1, 2, 3].map((seed) => Float32Array.from(uniform(key(seed), LENGTH), (u) => (2 * u - 1) * RANGE));
const all = Uint32Array.from({ length: LENGTH }, (_, i) => i);
const sumOf = (some: readonly Float32Array[]) => Float64Array.from(all, (i) => some.reduce((sum, x) => sum + x[i]!, 0));
const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from({ length: a.length }, (_, i) => Math.abs(a[i]! - b[i]!)).reduce((x, y) => Math.max(x, y), 0);
const PRECISION = 1e-11 * RANGE; // measured: 1e-13 of the range; float32 has 6e-8

describe("homomorphic aggregation", () => {
  test("the clients open the sum, which the server never saw", async () => {
    const { sum, survivors, view, clients, server } = await encryptedRound({
      inputs,
      range: RANGE,
      positions: all,
      clock,
    });
    expect(furthest(sum, sumOf(inputs))).toBeLessThan(PRECISION);
    expect(survivors).toEqual([1, 2, 3]);
    expect(view.map(({ clear }) => clear.length)).toEqual([0, 0, 0]);
    const bytes = view[0]!.ciphertexts.reduce((total, { length }) => total + length, 0);
    expect(bytes / (2 * SLOTS)).toBeLessThan(16.2); // 16 bytes a number and a header
    expect(clients.map(({ sentBytes }) => sentBytes)).toEqual([bytes, bytes, bytes]);
    expect(server.receivedBytes).toBe(3 * bytes);
  });

  test("a client that drops out is left away", async () => {
    const { sum, survivors } = await encryptedRound({ inputs, range: RANGE, dropped: [2], positions: all, clock });
    expect(survivors).toEqual([1, 3]);
    expect(furthest(sum, sumOf([inputs[0]!, inputs[2]!]))).toBeLessThan(PRECISION);
    const dropped = [1, 2, 3];
    await expect(encryptedRound({ inputs, range: RANGE, dropped, positions: all, clock })).rejects.toThrow(
      /at least 1/,
    );
  });

  test("the extremes of many clients do not wrap", async () => {
    const ones = Array.from({ length: 9 }, () => new Float32Array(SLOTS).fill(-RANGE));
    const { sum } = await encryptedRound({ inputs: ones, range: RANGE, positions: all.subarray(0, SLOTS), clock });
    expect(furthest(sum, new Float64Array(SLOTS).fill(9 * Math.fround(-RANGE)))).toBeLessThan(PRECISION);
  });

  test("encrypting the top share leaves the rest in clear, and nothing of the top", async () => {
    const magnitudes = Float64Array.from(all, (i) => inputs.reduce((sum, x) => sum + Math.abs(x[i]!), 0));
    const positions = topPositions(magnitudes, 0.1);
    const { sum, view, clients } = await encryptedRound({ inputs, range: RANGE, positions, clock });
    expect(furthest(sum, sumOf(inputs))).toBeLessThan(PRECISION);
    const hidden = new Set(positions);
    for (const [u, { ciphertexts, clear }] of view.entries()) {
      expect(ciphertexts.length).toBe(1);
      expect(clear).toEqual(inputs[u]!.map((value, i) => (hidden.has(i) ? 0 : value)));
    }
    expect(clients[0]!.sentBytes).toBe(view[0]!.ciphertexts[0]!.length + 4 * (LENGTH - positions.length));
  });

  test("equal updates have different ciphertexts, and another key opens nothing", async () => {
    const plan = { range: RANGE, clients: 2 };
    const [own, other] = [await openCkksKeys(plan), await openCkksKeys(plan)];
    const values = inputs[0]!.subarray(0, 8);
    const [first, second] = [own.encrypt(values), own.encrypt(values)];
    expect(first).not.toEqual(second);
    expect(furthest(own.decrypt(first, 8), values)).toBeLessThan(PRECISION);
    expect(furthest(other.decrypt(first, 8), values)).toBeGreaterThan(RANGE);
    const adder = await openCkksAdder();
    const twice = own.decrypt(adder.add([first, second]), 8);
    expect(
      furthest(
        twice,
        values.map((value) => 2 * value),
      ),
    ).toBeLessThan(1e-9); // float32's doubling is exact
    for (const part of [own, other, adder]) part.release();
  });

  test("refuses entries outside the range", async () => {
    const keys = await openCkksKeys({ range: RANGE, clients: 2 });
    expect(() => keys.encrypt([0, 2 * RANGE])).toThrow(/from −0.01 to 0.01; got 0.02 at 1/);
    expect(() => keys.encrypt([Number.NaN])).toThrow(/got NaN at 0/);
    keys.release();
  });
});

describe("the top share", () => {
  test("has the largest, the earlier of equal ones, as many as asked, in order", () => {
    const magnitudes = Float64Array.of(3, 1, 5, 3, 0, 3);
    expect([...topPositions(magnitudes, 0.5)]).toEqual([0, 2, 3]);
    expect([...topPositions(magnitudes, 0.01)]).toEqual([2]);
    expect([...topPositions(magnitudes, 1)]).toEqual([0, 1, 2, 3, 4, 5]);
    expect([...topPositions(new Float64Array(4), 0.5)]).toEqual([0, 1]);
  });

  test("refuses a share that is none", () => {
    for (const share of [0, -1, 1.1, Number.NaN])
      expect(() => topPositions(new Float64Array(4), share)).toThrow(/share/);
  });

  test("refuses magnitudes that are not finite: no order places them", () => {
    for (const wrong of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => topPositions(Float64Array.of(1, wrong, 2), 0.5)).toThrow(/every magnitude must be finite/);
  });
});
