import { existsSync, readFileSync } from "node:fs";
import { parseHTML } from "linkedom/worker";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RatePage } from "../../src/audit/index.ts";
import { rateSheet } from "../../src/audit/rate-sheet.ts";
import { parseVotes, rateVotes } from "../../src/audit/rate-votes.ts";
import { renderRatePage } from "../../src/report/index.ts";
import { fakeRun } from "./fixture.ts";

const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const found = existsSync(CHROMIUM);
if (!found) console.warn(`skipped: no Chromium at ${CHROMIUM}; set CHROMIUM to its path`);

let page: RatePage;
let sheet: Awaited<ReturnType<typeof rateSheet>>;
beforeAll(async () => {
  const { record, pictures } = await fakeRun();
  sheet = await rateSheet(record.results!.pairs.oneToOne, { seed: 4, candidates: 5 });
  page = {
    title: "fedleak on resnet10",
    seed: 4,
    sheet: sheet.id,
    originals: pictures.originals,
    questions: sheet.questions.map(({ reconstruction, candidates }) => ({
      reconstruction: pictures.reconstructions[reconstruction]!,
      candidates,
    })),
  };
});

test("hostile text stays text, also in the page's own data; only data URLs get in", () => {
  const attack = `</script><script>alert(1)</script>"`;
  const { document } = parseHTML(renderRatePage({ ...page, title: attack, sheet: attack }));
  expect(document.querySelectorAll("script").length).toBe(2);
  expect(document.querySelector("header span")!.textContent).toBe(attack);
  expect(JSON.parse(document.querySelector("#sheet")!.textContent!).sheet).toBe(attack);
  expect(() => renderRatePage({ ...page, originals: ["https://example.org/a.png"] })).toThrow("data URLs");
});

describe.skipIf(!found)("in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  });
  afterAll(() => browser.close());

  const open = async (width: number, heard: string[]) => {
    const tab = await browser.newPage({ viewport: { width, height: 900 } });
    tab.on("console", (message) => heard.push(message.text()));
    tab.on("pageerror", (error) => heard.push(String(error)));
    tab.on("request", (request) => {
      if (!/^(data|blob):/.test(request.url())) heard.push(request.url());
    });
    await tab.setContent(renderRatePage(page));
    return tab;
  };
  const save = async (tab: Page, rater: string) => {
    await tab.fill("#rater", rater);
    const [download] = await Promise.all([tab.waitForEvent("download"), tab.click("#save button")]);
    return { name: download.suggestedFilename(), text: readFileSync((await download.path())!, "utf8") };
  };

  test("answers by click and by key are saved, and count as they were meant", async () => {
    const heard: string[] = [];
    const tab = await open(1000, heard);
    for (const [q, { answer }] of sheet.questions.entries()) {
      expect(await tab.textContent("#progress")).toBe(`Question ${q + 1} of 8`);
      if (q === 0) await tab.click("#unsure");
      else if (q === 1) await tab.keyboard.press(String(answer + 1));
      else if (q === 2)
        await tab.keyboard.press(String(((answer + 1) % 5) + 1)); // wrong
      else await tab.click(`#candidates button:nth-child(${answer + 1})`);
    }
    const { name, text } = await save(tab, "Rater One");
    expect(name).toBe("votes-rater-one.json");
    const votes = parseVotes(text, name);
    expect(votes.choices).toEqual(
      sheet.questions.map(({ answer }, q) => (q === 0 ? null : q === 2 ? (answer + 1) % 5 : answer)),
    );
    expect(rateVotes([{ sheet, votes, file: name }]).majority.share).toBe(6 / 8);
    expect(heard).toEqual([]);
    await tab.close();
  });

  test("an answer can be taken back; keys typed into the name are no answers", async () => {
    const tab = await open(1000, []);
    await tab.keyboard.press("1");
    await tab.keyboard.press("ArrowLeft");
    expect(await tab.textContent("#progress")).toBe("Question 1 of 8");
    expect(await tab.getAttribute("#candidates button:nth-child(1)", "aria-pressed")).toBe("true");
    for (let q = 0; q < 8; q++) await tab.keyboard.press("2");
    expect(await tab.textContent("#progress")).toBe("All 8 answered.");
    expect(await tab.inputValue("#rater")).toBe(""); // the last key was an answer, not a name
    const { text } = await save(tab, "2");
    expect(parseVotes(text, "f")).toMatchObject({ rater: "2", choices: new Array(8).fill(1) });
    await tab.close();
  });

  test.each([1000, 320])("at %d px nothing sticks out and every picture is there", async (width) => {
    const tab = await open(width, []);
    expect(await tab.evaluate("document.documentElement.scrollWidth")).toBe(width);
    expect(await tab.evaluate("[...document.images].every((i) => i.complete && i.naturalWidth === 32)")).toBe(true);
    expect(await tab.evaluate("document.querySelectorAll('#candidates img').length")).toBe(5);
    expect(await tab.isVisible("#save")).toBe(false);
    await tab.close();
  });
});
