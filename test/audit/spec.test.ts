import { describe, expect, test } from "vitest";
import { completeSpec, type RunRequest } from "../../src/audit/index.ts";

test("a complete spec is its own completion, and plain JSON", () => {
  const spec = completeSpec({ client: { grants: ["labels", "batch-size", "labels"] } });
  expect(completeSpec(JSON.parse(JSON.stringify(spec)))).toEqual(spec);
  expect(spec.client.grants).toEqual(["batch-size", "labels"]); // once each, in one order
});

describe("a wrong entry is named, with what it must be", () => {
  test.each([
    [{ modle: {} }, /spec: entry must be one of .*got "modle". Did you mean "model"\?/],
    [{ client: { batchsize: 2 } }, /spec client: entry .*Did you mean "batchSize"\?/],
    [{ client: { batchSize: 0 } }, /spec client\.batchSize: it must be a whole number ≥ 1; got 0/],
    [{ client: { grants: ["label"] } }, /Did you mean "labels"\?/],
    [{ data: { name: "mnits", path: "x" } }, /Did you mean "mnist"\?/],
    [{ data: { name: "mnist" } }, /mnist needs a path; got none/],
    [{ data: { path: "x" } }, /embedded photographs have no path; got "x"/],
    [{ data: { name: "cifar10", path: "x", size: 8 } }, /can be scaled; got 8 for cifar10/],
    [{ seed: "1" }, /spec seed: it must be a whole number ≥ 0; got "1"/],
    [{ measure: 3 }, /spec measure: it must be an object of entries; got 3/],
    [{ device: "gpu" }, /device must be one of cpu, webgpu; got "gpu"/],
  ])("%j", (request, words) => {
    expect(() => completeSpec(request as RunRequest)).toThrow(words);
  });
});
