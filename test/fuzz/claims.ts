import { expect } from "vitest";
import { FedleakError } from "../../src/util/index.ts";

/** What `read` returns, or undefined when it refuses with a FedleakError; any other exception fails the test. */
export function readOrRefuse<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    expect(error).toBeInstanceOf(FedleakError);
    return undefined;
  }
}
