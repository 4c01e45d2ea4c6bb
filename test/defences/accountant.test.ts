import { describe, expect, test } from "vitest";
import { classicalSigma, epsilonOf, sigmaFor } from "../../src/defences/index.ts";

describe("epsilonOf", () => {
  test("gives published values, within 1 %", () => {
    // TensorFlow Privacy's documented call: N 60000, batch 256, 60 epochs (14063 steps), noise 1.12, delta 1e-5: 2.92.
    const tutorial = epsilonOf({ sigma: 1.12, rate: 256 / 60_000, rounds: 14_063, delta: 1e-5 });
    expect(Math.abs(tutorial / 2.92 - 1)).toBeLessThan(0.01);
    // Abadi et al. 2016, Section 3.2: q 0.01, sigma 4, 10000 steps, delta 1e-5: 1.26 by the moments accountant.
    const moments = epsilonOf({ sigma: 4, rate: 0.01, rounds: 10_000, delta: 1e-5 });
    expect(Math.abs(moments / 1.26 - 1)).toBeLessThan(0.01);
  });

  test("without sampling it is the Gaussian mechanism's, whose best order is known", () => {
    // min over α of α/2σ² + L/(α−1), L = ln(1/δ): 1/2σ² + sqrt(2L)/σ; integer orders miss it by less than 0.1 %
    const exact = 1 / (2 * 25) + Math.sqrt(2 * Math.log(1e5)) / 5;
    const epsilon = epsilonOf({ sigma: 5, rate: 1, rounds: 1, delta: 1e-5 });
    expect(epsilon).toBeGreaterThanOrEqual(exact);
    expect(epsilon / exact).toBeLessThan(1.001);
    // T releases with deviation σ·sqrt(T) are one with σ
    expect(epsilonOf({ sigma: 5 * Math.sqrt(7), rate: 1, rounds: 7, delta: 1e-5 })).toBeCloseTo(epsilon, 9);
  });

  test("falls with sigma and delta, rises with rounds and rate", () => {
    const usual = { sigma: 1, rate: 0.05, rounds: 100, delta: 1e-5 };
    const epsilon = epsilonOf(usual);
    expect(epsilonOf({ ...usual, sigma: 1.1 })).toBeLessThan(epsilon);
    expect(epsilonOf({ ...usual, delta: 1e-4 })).toBeLessThan(epsilon);
    expect(epsilonOf({ ...usual, rounds: 110 })).toBeGreaterThan(epsilon);
    expect(epsilonOf({ ...usual, rate: 0.06 })).toBeGreaterThan(epsilon);
  });

  test("complains in words", () => {
    const usual = { sigma: 1, rate: 0.05, rounds: 100, delta: 1e-5 };
    expect(() => epsilonOf({ ...usual, delta: 1 })).toThrow(/delta: it must be a number above 0 and below 1; got 1/);
    expect(() => epsilonOf({ ...usual, sigma: 0 })).toThrow(/sigma/);
    expect(() => epsilonOf({ ...usual, rate: 1.5 })).toThrow(/rate/);
    expect(() => epsilonOf({ ...usual, rounds: 0 })).toThrow(/rounds/);
  });
});

describe("sigmaFor", () => {
  test("is the least noise that stays within epsilon", () => {
    for (const epsilon of [0.1, 1, 5, 50]) {
      const of = { rate: 0.05, rounds: 200, delta: 1e-5 };
      const sigma = sigmaFor({ ...of, epsilon });
      expect(epsilonOf({ ...of, sigma })).toBeLessThanOrEqual(epsilon);
      expect(epsilonOf({ ...of, sigma: sigma * 0.999 })).toBeGreaterThan(epsilon);
    }
  });

  test("refuses an epsilon that no order reaches, and one of 0", () => {
    expect(() => sigmaFor({ epsilon: 1e-5, rate: 1, rounds: 1, delta: 1e-5 })).toThrow(/larger epsilon/);
    expect(() => sigmaFor({ epsilon: 0, rate: 1, rounds: 1, delta: 1e-5 })).toThrow(/epsilon: it must be/);
  });
});

test("the classical bound: Dwork and Roth's formula below 1, refused from 1 on", () => {
  expect(classicalSigma(0.5, 1e-5)).toBeCloseTo(9.6896, 3); // sqrt(2 ln 125000) / 0.5
  expect(() => classicalSigma(1, 1e-5)).toThrow(/below 1 only; got 1.*dp-sgd/);
  expect(() => classicalSigma(-1, 1e-5)).toThrow(/above 0/);
  expect(() => classicalSigma(0.5, 0)).toThrow(/delta/);
});
