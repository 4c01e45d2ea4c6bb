import { existsSync } from "node:fs";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { renderReport } from "../../src/report/index.ts";
import { fakeRun } from "./fixture.ts";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const found = existsSync(CHROMIUM);
if (!found) console.warn(`skipped: no Chromium at ${CHROMIUM}; set CHROMIUM to its path`);

describe.skipIf(!found)("in Chromium", () => {
  let browser: Browser;
  let text: string;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    const { record, pictures } = await fakeRun();
    text = renderReport(record, pictures);
  });
  afterAll(() => browser.close());

  test.each([1200, 400, 320])("at %d px nothing is asked for, nothing complains, nothing sticks out", async (width) => {
    const page = await browser.newPage({ viewport: { width, height: 900 } });
    const heard: string[] = [];
    page.on("console", (message) => heard.push(message.text()));
    page.on("pageerror", (error) => heard.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith("data:")) heard.push(request.url());
    });
    await page.setContent(text);
    expect(heard).toEqual([]);
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(width);
    const beyond = `(() => {
      const edge = document.body.getBoundingClientRect().right - parseFloat(getComputedStyle(document.body).paddingRight) + 0.5;
      return [...document.body.querySelectorAll("*")].filter((e) => e.getBoundingClientRect().right > edge).map((e) => e.outerHTML);
    })()`; // half a pixel: layout rounds to fractions
    expect(await page.evaluate(beyond)).toEqual([]);
    expect(
      await page.evaluate("[...document.images].every((image) => image.complete && image.naturalWidth === 32)"),
    ).toBe(true);
    expect(await page.evaluate("document.querySelector('.pair img').getBoundingClientRect().width")).toBeGreaterThan(
      96,
    ); // 3 × 32 px
    expect(await page.evaluate("getComputedStyle(document.querySelector('.pair img')).imageRendering")).toBe(
      "pixelated",
    );
    await page.close();
  });

  test("light and dark follow the reader's preference and keep a contrast of 4.5 : 1", async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ colorScheme });
      await page.setContent(text);
      const contrast = await page.evaluate<number>(`(() => {
        const luminance = (name) => {
          const value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
          const [r, g, b] = [1, 3, 5].map((i) => parseInt(value.slice(i, i + 2), 16) / 255)
            .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const ratio = (a, b) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const grounds = ["--page", "--card"].map(luminance);
        return Math.min(...["--ink", "--muted", "--result", "--warn"].flatMap((name) => grounds.map((g) => ratio(luminance(name), g))));
      })()`);
      expect(contrast).toBeGreaterThanOrEqual(4.5); // WCAG 2.2, success criterion 1.4.3
      const page0 = await page.evaluate<string>("getComputedStyle(document.body).backgroundColor");
      expect(page0).toBe(colorScheme === "light" ? "rgb(247, 247, 244)" : "rgb(20, 23, 26)");
      await page.close();
    }
  });
});
