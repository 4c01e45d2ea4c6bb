import { describe, expect, it } from "vitest";
import { advance, completeSettings, findAttack, type SettingValue } from "../../src/attacks/index.ts";
import { assigned, spreadLogits } from "../../src/attacks/labels/joint.ts";
import { gradientMatching, knownTensors } from "../../src/attacks/objective/objective.ts";
import { chain, type Link, link } from "../../src/defences/index.ts";
import {
  type Capability,
  clientUpdate,
  type LocalSchedule,
  type Observation,
  observe,
  oneHot,
} from "../../src/fl/index.ts";
import { constant, grad, input } from "../../src/graph/index.ts";
import { compile, evaluate } from "../../src/runtime/index.ts";
import { float32, float64, scalarOf, type Tensor } from "../../src/tensor/index.ts";
import { key, normal } from "../../src/util/index.ts";
import { attackOn, type Case, lenetCase, mlpCase, mse, observed, resNetCase } from "./tiny.ts";

type Overrides = Readonly<Record<string, SettingValue>>;

const settingsOf = (overrides: Overrides) => completeSettings(findAttack("dlg"), overrides); // a sum of squares
const MODELS = ["averaged", "surrogate", "unrolled"] as const;

const sent = async (of: Case, local: LocalSchedule, granted = ["batch-size", "labels", "local-schedule"] as const) =>
  observe(await clientUpdate({ ...of, threads: 1, local }), granted);

/** The client's images in the order in which candidates are dealt to its steps: row i to step i mod S. */
function dealt<T>(rows: readonly T[], steps: number): T[] {
  const size = rows.length / steps;
  return rows.map((_, i) => rows[(i % steps) * size + Math.floor(i / steps)]!);
}

function rowsOf({ shape, data }: Tensor<"float32">): Float32Array[] {
  const size = data.length / shape[0]!;
  return Array.from({ length: shape[0]! }, (_, i) => data.slice(i * size, (i + 1) * size));
}

type Imagined = readonly [overrides: Overrides, local?: LocalSchedule];

/** The losses of objectives at the client's images, which `order` puts in another order. */
async function lossesAt<K extends string>(
  of: Case,
  { statistics, local, global, update }: Observation,
  imagined: Readonly<Record<K, Imagined>>,
  ...orders: readonly (<T>(rows: readonly T[]) => readonly T[])[]
): Promise<Record<K, number>[]> {
  const x = input("x", of.images.shape);
  const labels = input("labels", [of.labels.length, of.model.classes]);
  const outputs = Object.fromEntries(
    (Object.entries(imagined) as [K, Imagined][]).map(([name, [overrides, schedule = local]]) => [
      name,
      gradientMatching({ ...of, settings: settingsOf(overrides), statistics, local: schedule })(x, labels).loss,
    ]),
  );
  const program = await compile(outputs, { bake: knownTensors({ ...global, update }), threads: 1 });
  const made = [];
  for (const order of orders) {
    const images = float32(x.shape, Float32Array.from(order(rowsOf(of.images)).flatMap((row) => [...row])));
    const losses = await program.run({ x: images, labels: oneHot([...order(of.labels)], of.model.classes) });
    made.push(Object.fromEntries(Object.entries(losses).map(([name, t]) => [name, scalarOf(t)])) as Record<K, number>);
  }
  await program.release();
  return made;
}

const asSent = <T>(rows: readonly T[]) => rows;

const energy = ({ update }: Observation) =>
  Object.values(update).reduce((sum, t) => sum + t.data.reduce((part, v) => part + v * v, 0), 0);

describe("localModel", () => {
  it("is the same for one gradient, and where the schedule is not known, whatever its value", async () => {
    const of = mlpCase([1, 3]);
    const x = input("x", of.images.shape);
    const labels = constant(oneHot(of.labels, 5));
    const loss = (localModel: string, local?: LocalSchedule) =>
      gradientMatching({ ...of, settings: settingsOf({ localModel }), statistics: undefined, local })(x, labels).loss;
    for (const name of MODELS) expect(loss(name)).toBe(loss("averaged")); // nodes are hash-consed: one graph
    const blind = await sent(of, { steps: 2, learningRate: 1 }, ["batch-size"] as never);
    expect(loss("unrolled", blind.local)).toBe(loss("averaged"));
    const known = { steps: 2, learningRate: 1 };
    expect(new Set(MODELS.map((name) => loss(name, known))).size).toBe(3);
  });

  it.each([
    ["mlp3", mlpCase([4, 1, 3, 0, 2, 2]), 3, {}],
    ["resnet10 in train mode, its statistics too", resNetCase([4, 1, 3, 0]), 2, { bnPrior: 1 }],
  ] as const)("unrolled is 0 at the client's images, step by step, and only there: %s", async (_, of, steps, more) => {
    const local = { steps, learningRate: 0.5 };
    const observation = await sent(of, local, ["batch-size", "local-schedule", "bn-statistics"] as never);
    const [inTurn, other] = await lossesAt(
      of,
      observation,
      {
        unrolled: [{ ...more, localModel: "unrolled" }],
        averaged: [{ ...more, localModel: "averaged" }],
        surrogate: [{ ...more, localModel: "surrogate" }],
        hasty: [
          { ...more, localModel: "unrolled" },
          { ...local, learningRate: 1 },
        ],
      },
      (rows) => dealt(rows, steps),
      asSent, // another image in each step
    );
    const { unrolled, ...others } = inTurn!;
    expect(unrolled).toBeLessThan(1e-4 * energy(observation)); // weights in float32 are off by 2⁻²⁴ each step, over η
    for (const loss of [...Object.values(others), other!.unrolled]) expect(loss).toBeGreaterThan(20 * unrolled);
  });

  it("surrogate takes its gradient between the weights of the first and of the last step", async () => {
    const of = mlpCase([1, 3]);
    const local = { steps: 2, learningRate: 0.1 };
    const observation = await sent(of, local);
    const at = (surrogateAt: number) => [{ localModel: "surrogate", surrogateAt }] as const;
    const imagined = { first: at(0), middle: at(0.5), last: at(1), averaged: [{}] as const };
    const [seen] = await lossesAt(of, observation, imagined, asSent);
    expect(seen!.first).toBe(seen!.averaged);
    expect(seen!.middle).toBeLessThan(Math.min(seen!.first, seen!.last)); // the mean of the steps' weights is nearer
    const halfway = Object.fromEntries(
      Object.entries(observation.global.params).map(([name, t]) => [
        name,
        float32(
          t.shape,
          t.data.map((w, i) => w - 0.1 * observation.update[name]!.data[i]!),
        ),
      ]),
    );
    const there = { ...observation, global: { ...observation.global, params: halfway } };
    const [moved] = await lossesAt(of, there, { averaged: [{}] }, asSent);
    expect(seen!.last / moved!.averaged).toBeCloseTo(1, 4); // float32
  });

  it.each([
    ["mlp3", mlpCase([1, 3, 0], { hidden: 8 })],
    ["lenet-sigmoid", lenetCase([1, 3, 0])],
  ] as const)("unrolled has the slope of central differences: %s", async (_, of) => {
    const local = { steps: 3, learningRate: 0.5 };
    const { statistics, global, update } = await sent(of, local);
    const settings = settingsOf({ localModel: "unrolled" });
    const x = input("x", of.images.shape);
    const labels = constant(oneHot(of.labels, 5));
    const { loss } = gradientMatching({ ...of, settings, statistics, local })(x, labels);
    const known = knownTensors({ ...global, update });
    const start = of.images.data.map((v) => v / 2 + 0.1);
    const direction = normal(key(8), start.length);
    const along = (h: number) =>
      scalarOf(
        evaluate(
          { loss },
          {
            ...known,
            x: float64(
              x.shape,
              Float64Array.from(start, (v, i) => v + h * direction[i]!),
            ),
          },
        ).loss!,
      );
    const { slope } = evaluate(
      { slope: grad(loss, [x])[0]! },
      { ...known, x: float64(x.shape, Float64Array.from(start)) },
    );
    const expected = slope!.data.reduce((sum: number, v, i) => sum + Number(v) * direction[i]!, 0);
    const h = 1e-4; // error h², relative, and 1e-16/h
    expect((along(h) - along(-h)) / (2 * h) / expected).toBeCloseTo(1, 5);
  });
});

describe("what the update cannot carry", () => {
  const of = mlpCase([1, 3, 0, 2]);
  const local = { steps: 2, learningRate: 0.5 };
  const GRANTS = ["batch-size", "labels", "local-schedule"] as const;

  async function through(links: readonly Link[], granted: readonly Capability[] = GRANTS) {
    return observe(await chain(...links)({ ...of, threads: 1, local }, key(3)), granted);
  }

  /** The loss at the start and what the ledger says of the local model. */
  async function startOf(localModel: string, observation: Observation) {
    const run = await attackOn(of, "dlg", { localModel, labels: "inferred", iterations: 1 }, { observation });
    const { loss } = await run.step(run.initial);
    await run.release();
    return { loss, about: run.ledger.localModel! };
  }

  it("several clients' steps are not simulated as one's, whether the defence is granted or not", async () => {
    const shared = await through([link("secure-aggregation", { clients: 2 })]);
    expect(shared).toMatchObject({ clients: 2, batchSize: 4, local });
    const [unrolled, averaged] = [await startOf("unrolled", shared), await startOf("averaged", shared)];
    expect(unrolled.loss).toBe(averaged.loss);
    expect(unrolled.about).toMatch(/one gradient of all images.*\(averaged, not unrolled: 2 clients share the update/);
    expect(averaged.about).not.toContain("not unrolled");
    const alone = await startOf("unrolled", await through([link("secure-aggregation", { clients: 1 })]));
    expect(alone.about).toMatch(/2 steps are simulated/);
  });

  it.for(["sign", "gaussian-dp", "zero-sum-noise", "outpost", "guardian-objective"])(
    "the weights are not moved by what is known to come through %s",
    async (name) => {
      const known = await through([link(name)], [...GRANTS, "defence"]);
      const [surrogate, averaged] = [await startOf("surrogate", known), await startOf("averaged", known)];
      expect(surrogate.loss).toBe(averaged.loss);
      expect(surrogate.about).toContain(`averaged, not surrogate: ${name} leaves`);
    },
  );

  it("but they are by what keeps its length, or is not known to be defended", async () => {
    const kept = await startOf("surrogate", await through([link("sparsify")], [...GRANTS, "defence"]));
    const unknown = await startOf("surrogate", await through([link("sign")]));
    for (const { about } of [kept, unknown]) expect(about).toMatch(/0.5 of the way to the last step's weights$/);
  });
});

describe("labels of which the step is not known", () => {
  it("start from the frequencies of all, the same for every image", () => {
    const { shape, data } = spreadLogits([3, 1, 1], 5);
    expect(shape).toEqual([3, 5]);
    const shares = Array.from(data, Math.exp);
    const expected = [0.002, 0.002 + 0.66, 0.002, 0.002 + 0.33, 0.002]; // 0.99 by frequency, 0.01 for all classes
    shares.forEach((share, i) => {
      expect(share).toBeCloseTo(expected[i % 5]!, 6);
    });
  });

  it("are handed out once each, the surest first", () => {
    const logits = float32([3, 3], [9, 0, 5, 8, 0, 1, 7, 0, 6]);
    expect(assigned(logits, [0, 2, 2])).toEqual([0, 2, 2]);
    expect(assigned(logits, [0, 0, 1])).toEqual([0, 0, 1]);
    expect(assigned(float32([2, 2], [1, 2, 1, 3]), [0, 1])).toEqual([0, 1]);
  });
});

describe("an attack on two steps at a high learning rate", () => {
  const of = mlpCase([1, 3]); // ascending, as labels are dealt
  const ITERATIONS = 150;

  async function attack(localModel: string, observation: Observation, labels = "inferred") {
    const run = await attackOn(of, "dlg", { localModel, labels, iterations: ITERATIONS }, { observation });
    const last = (await advance(run, run.initial, ITERATIONS))!;
    const images = await run.reconstruct(last.state);
    const found = run.inferredLabels(last.state);
    await run.release();
    return { error: mse(images, of.images), labels: found, about: run.ledger.localModel };
  }

  it("succeeds where it simulates the steps, and fails otherwise", { timeout: 30_000 }, async () => {
    const observation = await sent(of, { steps: 2, learningRate: 1 });
    const found = await attack("unrolled", observation);
    expect(found.error).toBeLessThan(1e-5); // measured 4e-9: 80 dB
    expect(found.about).toMatch(/2 steps are simulated.*not known: labels are dealt/);
    const control = { ...observation, local: { steps: 2, learningRate: 0.3 } };
    expect((await attack("unrolled", control)).error).toBeGreaterThan(0.05); // waves around 0.5 have a variance of 0.08
    for (const other of ["averaged", "surrogate"]) {
      expect((await attack(other, observation)).error).toBeGreaterThan(0.05);
    }
  });

  it("finds which label came when, where labels are optimised", { timeout: 30_000 }, async () => {
    const turned = { ...of, labels: [3, 1] };
    const observation = await sent(turned, { steps: 2, learningRate: 1 });
    const found = await attack("unrolled", observation, "joint");
    expect(found.error).toBeLessThan(1e-5); // measured 1e-7
    expect(found.labels).toEqual([3, 1]);
    expect(found.about).toMatch(/labels are found with the images/);
    const dealt = await attack("unrolled", observation); // 1 first
    expect(dealt.error).toBeGreaterThan(0.05);
    expect(dealt.labels).toEqual([1, 3]);
  });

  it("refuses to simulate steps that the images cannot be dealt to", async () => {
    const observation = { ...(await observed(of)), local: { steps: 3, learningRate: 1 } };
    await expect(attack("unrolled", observation)).rejects.toThrow(/multiple of the 3 local steps.*got 2/);
  });
});
