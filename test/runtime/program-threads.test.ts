import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterAll, describe, expect, it } from "vitest";
import { add, constant, input, matmul, mul, sum } from "../../src/graph/index.ts";
import { compile, programThreads, sharedThreads } from "../../src/runtime/index.ts";
import { float32 } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";

const SIZE = 72; // enough numbers that threads read them from shared memory
const matrix = (seed: number) => float32([SIZE, SIZE], normal(key(seed), SIZE * SIZE));
const GRAPH = (() => {
  const [x, y] = [input("x", [SIZE, SIZE]), input("y", [SIZE, SIZE])];
  return { product: matmul(x, y), sum: add(mul(x, x), y) };
})();

describe("programs in threads", { timeout: 60_000 }, () => {
  const threads = programThreads(2);
  afterAll(() => threads.release());

  it("give the bits that this thread gives, more runs at once than threads too, each to its own caller", async () => {
    const apart = await compile(GRAPH, { threads: 1, open: threads.open });
    const here = await compile(GRAPH, { threads: 1 });
    expect(apart.inputNames).toEqual(here.inputNames);
    const feeds = [1, 2, 3, 4, 5].map((seed) => ({ x: matrix(seed), y: matrix(seed + 10) }));
    const made = await Promise.all(feeds.map((feed) => apart.run(feed)));
    for (const [i, results] of made.entries()) expect(results).toEqual(await here.run(feeds[i]!));
    await Promise.all([apart.release(), here.release()]);
  });

  it("repeat runs that feed each other as this thread does, and leave what they were given", async () => {
    const apart = await compile(GRAPH, { threads: 1, open: threads.open });
    const here = await compile(GRAPH, { threads: 1 });
    const [x, own] = [matrix(1), [2, 3, 4].map((seed) => ({ y: matrix(seed) }))];
    const made = await apart.repeat({ x }, own, { product: "x" });
    expect(made).toEqual(await here.repeat({ x }, own, { product: "x" }));
    let [fed, sums] = [x, [] as unknown[]];
    for (const { y } of own) {
      const { product, sum } = await here.run({ x: fed, y });
      [fed, sums] = [product!, [...sums, sum]];
    }
    expect(made).toEqual({ each: sums.map((sum) => ({ sum })), last: { product: fed } });
    expect([x, own]).toEqual([matrix(1), [2, 3, 4].map((seed) => ({ y: matrix(seed) }))]);
    await Promise.all([apart.release(), here.release()]);
  });

  it("repeat until an output that must be finite is not", async () => {
    const x = input("x", [2]);
    const program = await compile({ next: mul(x, x), total: sum(x) }, { threads: 1, open: threads.open });
    const own = Array.from({ length: 6 }, () => ({}));
    const { each, last } = await program.repeat({ x: float32([2], [1e10, 1]) }, own, { next: "x" }, ["total"]);
    expect(each.map(({ total }) => Number.isFinite(total!.data[0]))).toEqual([true, true, false]); // 1e10, 1e20, ∞
    expect(Array.from(last.next!.data)).toEqual([Number.POSITIVE_INFINITY, 1]);
    await program.release();
  });

  it("end only when the run that they are at is done", async () => {
    const own = programThreads(1);
    const x = input("x", [700, 700]);
    const chain = { next: matmul(matmul(x, x), x) };
    const program = await compile(chain, { threads: 1, open: own.open });
    const runs = Array.from({ length: 500 }, () => ({}));
    const made = program.repeat({ x: float32([700, 700], new Float32Array(490_000)) }, runs, { next: "x" });
    const ended = expect(made).rejects.toThrow();
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    await own.release(); // inside a run this would end the process
    await ended;
  });

  it("keep nothing of a run that is done", async () => {
    const program = await compile(GRAPH, { threads: 1, open: threads.open });
    const made: WeakRef<object>[] = [];
    const feeds = { x: matrix(1), y: matrix(2) };
    for (let i = 0; i < 5; i++) made.push(new WeakRef((await program.run(feeds)).product!.data));
    await program.run(feeds); // a thread or a port may hold on to what it handed over last
    await collectGarbage();
    expect(made.map((data) => data.deref())).toEqual(made.map(() => undefined));
    await program.release();
  });

  it("hold several programs, and others after one was released", async () => {
    const [x, y] = [matrix(1), matrix(2)];
    for (const factor of [2, 3, 4]) {
      const scaled = { twice: mul(input("x", [SIZE, SIZE]), constant(float32([], [factor]))) };
      const program = await compile(scaled, { threads: 1, open: threads.open });
      const both = await Promise.all([program.run({ x }), program.run({ x: y })]);
      expect(both.map(({ twice }) => twice!.data[7])).toEqual([x, y].map(({ data }) => Math.fround(factor * data[7]!)));
      await program.release();
    }
  });

  it("say what is wrong when they are opened or fed, and go on", async () => {
    const broken = {
      bytes: new Uint8Array([1, 2, 3]),
      external: [],
      inputs: [],
      outputs: [],
      cpuOnly: [],
      large: false,
    };
    await expect(threads.open(broken, { device: "cpu", threads: 1 })).rejects.toThrow(/[Pp]rotobuf|parse|model/);
    const program = await compile(GRAPH, { threads: 1, open: threads.open });
    await expect(program.run({ x: matrix(1) })).rejects.toThrow('input "y" must be float[72,72]; got nothing');
    expect((await program.run({ x: matrix(1), y: matrix(2) })).sum).toBeDefined();
    await program.release();
  });
});

/** A task later, as a WeakRef holds its target until the end of the task. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString("--expose-gc");
  await new Promise((resolve) => {
    setTimeout(resolve, 10);
  });
  runInNewContext("gc")();
}

describe("sharedThreads", () => {
  it("gives each job a thread where there are fewer threads than jobs, and else as many as there are for each", async () => {
    expect(await sharedThreads(2, 10)).toEqual({ atOnce: 2, threads: 1 });
    expect(await sharedThreads(64, 10)).toEqual({ atOnce: 10, threads: 6 });
    expect(await sharedThreads(1, 10)).toEqual({ atOnce: 1, threads: 1 });
    expect(await sharedThreads(4, 1)).toEqual({ atOnce: 1, threads: 4 });
    expect((await sharedThreads(0, 1)).threads).toBeGreaterThan(0);
  });
});
