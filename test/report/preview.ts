import { mkdirSync, writeFileSync } from "node:fs";
import { chromium } from "playwright-core";
import { renderReport } from "../../src/report/index.ts";
import { fakeRun, interruptedRun } from "./fixture.ts";

/**
 * Draws the made-up runs for the eye: `npx tsx test/report/preview.ts FOLDER` writes HTML and, at 1200 and 400 px, light and
 * dark, PNG (needs Chromium; its path in CHROMIUM, /usr/bin/chromium otherwise).
 */
const folder = process.argv[2] ?? "runs/report-preview";
mkdirSync(folder, { recursive: true });
const runs = { finished: await fakeRun(), weak: await fakeRun(4), interrupted: await interruptedRun() };
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
for (const [name, { record, pictures }] of Object.entries(runs)) {
  const text = renderReport(record, pictures);
  writeFileSync(`${folder}/${name}.html`, text);
  for (const width of [1200, 400]) {
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      await page.setContent(text);
      await page.screenshot({ path: `${folder}/${name}-${width}-${colorScheme}.png`, fullPage: true });
      await page.close();
    }
  }
}
await browser.close();
