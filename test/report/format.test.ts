import { expect, test } from "vitest";
import {
  compactText,
  countText,
  dbText,
  durationText,
  percentText,
  plural,
  ssimText,
  tickText,
} from "../../src/report/format.ts";

const NBSP = "\u00a0";

test.each([
  [dbText(18.417), `18.42${NBSP}dB`],
  [dbText(-0.5), `−0.50${NBSP}dB`],
  [ssimText(0.61239), "0.612"],
  [ssimText(-0.0567), "−0.057"],
  [ssimText(null), "–"],
  [compactText(0), "0"],
  [compactText(0.9), "0.900"],
  [compactText(0.01441), "0.0144"],
  [compactText(3.2e-7), "3.20e−7"],
  [compactText(-12345), "−12345"],
  [compactText(1234567), "1.23e6"],
  [tickText(18), "18"],
  [tickText(0.05), "0.05"],
  [tickText(1e-4), "1e−4"],
  [tickText(2e6), "2e6"],
  [percentText(0.875), `87.5${NBSP}%`],
  [countText(12000), "12,000"],
  [durationText(41.23), `41.2${NBSP}s`],
  [durationText(754.2), `12${NBSP}min 34${NBSP}s`],
  [durationText(59.99), `1${NBSP}min 0${NBSP}s`],
  [durationText(7500), `2${NBSP}h 5${NBSP}min`],
  [plural(1, "image"), "1 image"],
  [plural(8, "image"), "8 images"],
])("%s", (got, expected) => {
  expect(got).toBe(expected);
});
