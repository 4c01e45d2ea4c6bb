import { expect, test } from "vitest";
import { featureDistance } from "../../src/metrics/index.ts";
import { float32 } from "../../src/tensor/index.ts";

test("is the relative Euclidean distance of each row, relative to the first", () => {
  const a = float32([2, 2], [3, 4, 0, 2]);
  const b = float32([2, 2], [3, 0, 0, 2]);
  expect(featureDistance(a, b)).toEqual([4 / 5, 0]);
  expect(featureDistance(b, a)).toEqual([4 / 3, 0]);
});

test("does not change when all features are scaled", () => {
  const scaled = (by: number) => featureDistance(float32([1, 3], [by, 2 * by, 0]), float32([1, 3], [by, 0, by]))[0];
  expect(scaled(4)).toBe(scaled(1)); // powers of two: exact in float32
});

test("is unknown where the private image has no features, or a number is not finite", () => {
  const a = float32([3, 2], [0, 0, 1, Number.POSITIVE_INFINITY, 1, 0]);
  expect(featureDistance(a, float32([3, 2], [1, 1, 1, 1, 1, Number.NaN]))).toEqual([null, null, null]);
});

test("refuses features of another shape", () => {
  expect(() => featureDistance(float32([1, 2], [0, 1]), float32([2, 1], [0, 1]))).toThrow("got [1,2] and [2,1]");
});
