import { describe, expect, test } from "vitest";
import { add, ELEMENTWISE, grad, input, type Node, OPS, topological, verify } from "../src/graph/index.ts";
import { compile, evaluate } from "../src/runtime/index.ts";
import { float64, sizeOf, type Tensors } from "../src/tensor/index.ts";
import { key, normal, split } from "../src/util/index.ts";
import { OP_CASES } from "./op-cases.ts";
import { feedsOf, nmse, probe } from "./op-check.ts";
import { TOLERANCE } from "./tolerances.ts";

describe.each(OP_CASES)("$name", (opCase) => {
  const inputs = opCase.inputs.map((shape, i) => input(`x${i}`, shape));
  const feeds = feedsOf(opCase);
  const y = opCase.build(...inputs);
  const smooth = !opCase.piecewiseConstant && !opCase.stopped;

  test("has the shape its rule says, and its derivatives verify", () => {
    expect(evaluate({ y }, feeds).y!.data.length).toBe(sizeOf(y.shape));
    const [first] = grad(probe(y, "p"), inputs.slice(0, 1));
    const [second] = grad(probe(first!, "q"), inputs.slice(0, 1));
    expect(() => verify([y, first!, second!])).not.toThrow();
    expect(first!.shape).toEqual(opCase.inputs[0]);
  });

  if (smooth) {
    test("agrees with central differences at order 1 and 2", () => {
      const f = probe(y, "p");
      expect(slopeError(f, inputs, feeds)).toBeLessThan(TOLERANCE.finiteDifference);
      const directional = grad(f, inputs).map((g, i) => probe(g, `q${i}`));
      const total = directional.reduce(add);
      expect(slopeError(total, inputs, feeds)).toBeLessThan(TOLERANCE.finiteDifference);
    });
  }

  test("gives the same in onnxruntime", async () => {
    const f = probe(y, "p");
    const firsts = grad(f, inputs);
    const seconds = grad(firsts.map((g, i) => probe(g, `q${i}`)).reduce(add), inputs);
    const outputs = named({ y }, firsts, "g", seconds, "h");
    const reference = evaluate(outputs, feeds);
    const limit = opCase.contraction ? TOLERANCE.contractionNmse : TOLERANCE.elementwiseNmse;
    for (const bake of [{}, feeds]) {
      const program = await compile(outputs, { bake, threads: 1 });
      const got = await program.run(feeds);
      await program.release();
      for (const name of Object.keys(outputs)) {
        // Derivatives contain sums and products whatever the op, so they are held to the contraction's tolerance.
        const bound = name === "y" ? limit : TOLERANCE.contractionNmse;
        expect(nmse(got[name]!.data, reference[name]!.data), name).toBeLessThan(bound);
      }
    }
  });
});

test("every op appears in a case or in the derivative of one", () => {
  const seen = new Set(
    OP_CASES.flatMap((opCase) => {
      const inputs = opCase.inputs.map((shape, i) => input(`x${i}`, shape));
      const y = opCase.build(...inputs);
      return topological([y, ...grad(probe(y, "p"), inputs)]).map((node) => node.op.name);
    }),
  );
  expect(OPS.map((op) => op.name as string).filter((name) => !seen.has(name))).toEqual([]);
  expect(ELEMENTWISE.length).toBeLessThan(OPS.length);
});

function named(first: Record<string, Node>, ...lists: (readonly Node[] | string)[]): Record<string, Node> {
  const out = { ...first };
  for (let i = 0; i < lists.length; i += 2) {
    (lists[i] as Node[]).forEach((node, k) => {
      out[`${lists[i + 1]}${k}`] = node;
    });
  }
  return out;
}

/**
 * |df/dt − central difference| / scale along one random direction t through all inputs, extrapolated from two steps
 * (Richardson), so that truncation is of order h⁴.
 */
function slopeError(f: Node, inputs: readonly Node[], feeds: Tensors<"float64">): number {
  const direction = Object.fromEntries(
    Object.entries(feeds).map(([name, t]) => [name, normal(split(key(9), name), t.data.length)]),
  );
  const at = (h: number) => {
    const moved = Object.fromEntries(
      Object.entries(feeds).map(([name, t]) => [
        name,
        float64(
          t.shape,
          t.data.map((v, i) => v + h * direction[name]![i]!),
        ),
      ]),
    );
    return evaluate({ f }, moved).f!.data[0]!;
  };
  const central = (h: number) => (at(h) - at(-h)) / (2 * h);
  const h = 1e-4;
  const numeric = (4 * central(h) - central(2 * h)) / 3;
  const gradients = grad(f, inputs);
  const values = evaluate(Object.fromEntries(gradients.map((g, i) => [`x${i}`, g])), feeds);
  const terms = Object.entries(values).map(([name, g]) => g.data.map((v, i) => v * direction[name]![i]!));
  const analytic = terms.flatMap((t) => [...t]).reduce((a, b) => a + b, 0);
  const scale = Math.sqrt(terms.flatMap((t) => [...t]).reduce((a, b) => a + b * b, 0));
  return Math.abs(analytic - numeric) / Math.max(scale, Math.abs(numeric), 1e-3);
}
