import { parseHTML } from "linkedom/worker";
import { beforeAll, describe, expect, test } from "vitest";
import type { RunRecord, RunResults } from "../../src/audit/index.ts";
import { compactText, dbText, ssimText } from "../../src/report/format.ts";
import { renderReport } from "../../src/report/index.ts";
import { type FakeRun, fakeRun, interruptedRun } from "./fixture.ts";

let run: FakeRun;
let results: RunResults;
let page: string;
beforeAll(async () => {
  run = await fakeRun();
  results = run.record.results!;
  page = renderReport(run.record, run.pictures);
});

type Lane = ReturnType<typeof dom>["body"];
const dom = (text: string) => parseHTML(text).document;
const textOf = (text: string) => dom(text).body.textContent!.replaceAll(/\s+/g, " ");
const plain = (text: string) => text.replaceAll("\u00a0", " ");

describe("the file stands alone", () => {
  test("no script, no link, no frame; every source is a data URL and no CSS fetches", () => {
    const document = dom(page);
    expect(document.querySelectorAll("script, link, iframe, object, embed, form, base, a").length).toBe(0);
    const sources = [...document.querySelectorAll("[src], [href], [srcset], [data], [poster]")];
    expect(sources.length).toBeGreaterThanOrEqual(16);
    for (const element of sources) {
      expect(
        element.getAttributeNames().filter((name: string) => ["href", "srcset", "data", "poster"].includes(name)),
      ).toEqual([]);
      expect(element.getAttribute("src")).toMatch(/^data:image\/png;base64,/);
    }
    const styles = [...document.querySelectorAll("style")].map((style) => style.textContent).join("");
    expect(styles).not.toMatch(/@import|url\(/);
    expect(page.replaceAll(/data:image[^"]*/g, "")).not.toMatch(/(https?:)?\/\/(?!www\.w3\.org)\w/);
    expect(page).toContain(`content="default-src 'none'; img-src data:; style-src 'unsafe-inline'"`);
  });

  test("the same run gives the same text, twice in one process", () => {
    expect(renderReport(run.record, run.pictures)).toBe(page);
  });

  test("the document can be a browser's: charts are drawn in the one that is passed", () => {
    const calls: string[] = [];
    const own = dom("<!doctype html><html><body></body></html>");
    const create = own.createElementNS.bind(own) as (namespace: string, name: string) => object;
    Object.assign(own, {
      createElementNS(namespace: string, name: string) {
        calls.push(name);
        return create(namespace, name);
      },
    });
    expect(renderReport(run.record, run.pictures, own)).toBe(page);
    expect(calls.filter((name) => name === "svg").length).toBe(3);
  });
});

describe("every number is there", () => {
  test("means, intervals, floors and cost", () => {
    const text = textOf(page);
    const { psnrDb, ssim, mse, psnrInterval95Db, floors } = results;
    const expected = [
      ...[psnrDb.oneToOne, psnrDb.manyToOne, ...psnrInterval95Db.oneToOne!, ...psnrInterval95Db.manyToOne!].map(dbText),
      ...[ssim.oneToOne, ssim.manyToOne].map(ssimText),
      ...[mse.oneToOne, mse.manyToOne].map(compactText),
      ...Object.values(floors).flatMap((floor) => [dbText(floor!.psnrDb), ssimText(floor!.ssim)]),
      "3,000 iterations",
      "6,000 gradients",
      "12 min 34 s",
      "87.5 %",
    ];
    for (const number of expected) expect(plain(text)).toContain(plain(number));
  });

  test("each headline number stands under its own name", () => {
    const facts = [...dom(page).querySelectorAll(".facts > div")].map((fact) => [
      fact.querySelector("dt")!.textContent,
      fact.querySelector("strong")!.textContent,
    ]);
    const { psnrDb, ssim, msSsim, mse, leakage, featureDistance } = results;
    expect(psnrDb.oneToOne).not.toBe(psnrDb.manyToOne);
    expect(facts).toEqual([
      ["PSNR, one-to-one", dbText(psnrDb.oneToOne)],
      ["PSNR, many-to-one", dbText(psnrDb.manyToOne)],
      ["Above the highest floor", `+${dbText(leakage.oneToOne.aboveFloorDb)}`],
      ["SSIM, one-to-one", ssimText(ssim.oneToOne)],
      ["MS-SSIM, one-to-one", ssimText(msSsim.oneToOne)],
      ["MSE, one-to-one", compactText(mse.oneToOne)],
      ["LPIPS, one-to-one", "–"],
      ["Features, one-to-one", compactText(featureDistance!.mean.oneToOne)],
      ["Identified", "8 of 8"],
      ["Labels, inferred", "87.5\u00a0%"],
      ["Cost", "12\u00a0min 34\u00a0s"],
    ]);
  });

  test("each has its floor beside it, or says why it is not there", () => {
    const details = Object.fromEntries(
      [...dom(page).querySelectorAll(".facts > div")].map((fact) => [
        fact.querySelector("dt")!.textContent!,
        plain(fact.querySelector("span")!.textContent!),
      ]),
    );
    const highest = Object.entries(results.floors).reduce((a, b) => (b[1]!.psnrDb > a[1]!.psnrDb ? b : a));
    expect(details["Above the highest floor"]).toContain(highest[0] === "batchMean" ? "batch mean; " : "flat mean; ");
    expect(details["Above the highest floor"]).toContain("of the best floor's squared error is gone");
    const multiScale = Object.values(results.floors).map((floor) => floor!.msSsim!);
    expect(details["MS-SSIM, one-to-one"]).toContain(`highest floor ${ssimText(Math.max(...multiScale))}`);
    expect(details["Features, one-to-one"]).toContain("less is closer");
    expect(details["Features, one-to-one"]).toContain("lowest floor 0.360");
    expect(details["LPIPS, one-to-one"]).toBe("not measured: no weights were given");
    expect(details.Identified).toBe(
      "told from 9 other images each, by SSIM; guessing finds 10 %, 95 % interval 67.6 % to 100 %",
    );
  });

  test("each pair: who, how close, which labels, and its many-to-one choice", () => {
    const cards = [...dom(page).querySelectorAll(".pair")];
    expect(cards.length).toBe(8);
    cards.forEach((card, i) => {
      const text = card.textContent!.replaceAll(/\s+/g, " ");
      const [own, best] = [results.pairs.oneToOne[i]!, results.pairs.manyToOne[i]!];
      const { trueLabels, inferredLabels, classNames } = results.labels;
      const guess = inferredLabels[own.reconstructionIndex]!;
      expect(text).toContain(`private ${i}`);
      expect(text).toContain(`rebuilt ${own.reconstructionIndex}`);
      expect(text).toContain(`${classNames![trueLabels[i]!]} (${trueLabels[i]})→${classNames![guess]} (${guess})`);
      expect(card.querySelector(".score strong")!.textContent).toBe(dbText(own.psnrDb));
      expect(card.querySelector(".score span")!.textContent).toBe(`SSIM ${ssimText(own.ssim)}`);
      expect(card.querySelector(".best")!.textContent).toContain(dbText(best.psnrDb));
      const floors = Object.values(results.floors).map((floor) => floor!.perImagePsnrDb![i]!);
      expect(card.querySelector(".own")!.textContent).toBe(`its highest floor ${dbText(Math.max(...floors))}`);
      const [left, right] = [...card.querySelectorAll(".two img")].map((image) => image.getAttribute("src"));
      expect(left).toBe(run.pictures.originals[i]);
      expect(right).toBe(run.pictures.reconstructions[own.reconstructionIndex]);
      const thumb = card.querySelector(".best img");
      expect(thumb?.getAttribute("src")).toBe(
        best.reconstructionIndex === own.reconstructionIndex
          ? undefined
          : run.pictures.reconstructions[best.reconstructionIndex],
      );
    });
    expect(dom(page).querySelectorAll(".best img").length).toBeGreaterThan(0);
  });

  test("the floors are drawn where they lie: the same order on the axis as the numbers", () => {
    const lanes = [...dom(page).querySelectorAll(".floors tbody tr")];
    const place = (lane: Lane) => Number(/left:([\d.]+)%/.exec(lane.querySelector("b")!.getAttribute("style")!)![1]);
    const value = (lane: Lane) => Number.parseFloat(lane.querySelector(".number")!.textContent!);
    expect(lanes.length).toBe(6);
    const ranked = [...lanes].sort((a, b) => place(a) - place(b)).map(value);
    expect(ranked).toEqual([...ranked].sort((a, b) => a - b));
    expect(lanes[0]!.querySelectorAll("em").length).toBe(8);
  });

  test("the ledger with origins and notes, the settings, the command, seeds and versions", () => {
    const text = textOf(page);
    for (const { assumption, value, origin, note } of run.record.ledger) {
      const row = [...dom(page).querySelectorAll(".ledger tbody tr")].find(
        (candidate) => candidate.querySelector("th")!.textContent === assumption,
      )!;
      expect(row.textContent).toContain(value);
      expect(row.querySelector(".origin")!.textContent).toBe(origin);
      expect(row.textContent).toContain(note ?? "");
    }
    const settings = [...dom(page).querySelectorAll("section[aria-labelledby=settings] tr")].map(
      (row) => row.textContent,
    );
    for (const line of [
      "learningRate0.01",
      "mask.share0.5",
      "indices12, 77, 130, 204, 391, 417, 555, 801",
      "threads2",
      "none",
    ]) {
      expect(settings).toContain(line);
    }
    expect(dom(page).querySelector("pre code")!.textContent).toBe(run.record.command);
    for (const part of ["onnxruntime1.30.0", "platformlinux x64", "start202"]) expect(text).toContain(part);
  });

  test("the curves start and end where the record does, on a log scale where values span decades", () => {
    const charts = [...dom(page).querySelectorAll(".chart")].map((chart) => chart.textContent!);
    const { curve } = run.record;
    expect(charts[0]).toContain(
      `${compactText(curve[0]!.loss)} → ${compactText(curve.at(-1)!.loss)}, iterations 0 to 3,000`,
    );
    expect(charts[0]).toContain("Loss, log scale");
    expect(charts[1]).toContain(`${compactText(1 - curve[0]!.cosine!)} → ${compactText(1 - curve.at(-1)!.cosine!)}`);
    expect(charts[2]).toContain(`→ ${dbText(curve.at(-1)!.peekPsnrDb!)}`);
    expect(charts[2]).not.toContain("log scale");
    expect(
      dom(page).querySelectorAll(".chart svg path[stroke], .chart svg [aria-label=line] path").length,
    ).toBeGreaterThanOrEqual(3);
  });
});

describe("hostile text stays text", () => {
  const attack = `"><script>alert(1)</script><img src=x onerror='y'>&lt;`;

  test("in every free field of the record", () => {
    const { labels } = results;
    const hostile: RunRecord = {
      ...run.record,
      command: attack,
      spec: {
        ...run.record.spec,
        model: { name: attack, [attack]: [attack, { html: attack }] },
        [attack]: attack,
        device: attack,
      },
      ledger: run.record.ledger.map((entry) => ({ ...entry, value: attack, note: attack })),
      versions: { fedleak: attack, onnxruntime: attack, platform: attack },
      seeds: { [attack]: 1 },
      startedAt: attack,
      results: { ...results, labels: { ...labels, classNames: labels.classNames!.map(() => attack) } },
    };
    const document = dom(renderReport(hostile, run.pictures));
    expect(document.querySelectorAll("script, [onerror], [src=x]").length).toBe(0);
    expect(document.querySelectorAll("img").length).toBe(dom(page).querySelectorAll("img").length);
    expect(document.querySelector("pre code")!.textContent).toBe(attack);
    expect(document.body.textContent!.split("<script>alert(1)").length).toBeGreaterThan(40); // 15 values, 15 notes, 16 labels, settings
  });

  test("in the reason of a failure", () => {
    const { results: _, ...rest } = run.record;
    const text = renderReport({ ...rest, status: "failed", failure: attack }, { originals: [], reconstructions: [] });
    expect(dom(text).querySelectorAll("script, img").length).toBe(0);
    expect(textOf(text)).toContain(attack);
  });

  test.each([
    "https://example.org/a.png",
    `data:image/png;base64,AA"><script>`,
    "data:text/html;base64,AAAA",
    "data:image/svg+xml;base64,AA",
  ])("the picture %s is refused", (url) => {
    const bad = { ...run.pictures, originals: [url, ...run.pictures.originals.slice(1)] };
    expect(() => renderReport(run.record, bad)).toThrow(
      "report: pictures must be data URLs of PNG, JPEG or WebP in base64",
    );
    expect(() => renderReport(run.record, { ...run.pictures, originals: [url] })).toThrow(
      "report: pictures must be data URLs",
    );
  });
});

describe("less than everything", () => {
  test("without a mismatched-gradient floor it says so", () => {
    const { mismatchedGradient: _, ...floors } = results.floors;
    const text = textOf(renderReport({ ...run.record, results: { ...results, floors } }, run.pictures));
    expect(text).toContain("The mismatched-gradient floor was not measured in this run.");
    expect(text).not.toContain("mismatched gradient");
    expect(textOf(page)).not.toContain("was not measured");
  });

  test("an interrupted run without results shows its state, curve and pictures, and no score", async () => {
    const { record, pictures } = await interruptedRun();
    const text = renderReport(record, pictures);
    expect(dom(text).querySelector("h1")!.textContent).toBe("The run was interrupted.");
    expect(dom(text).querySelector(".status")!.textContent).toBe("interrupted");
    expect(plain(textOf(text))).toContain("It had done 390 iterations in 1 min 38 s; no reconstruction was scored.");
    expect(dom(text).querySelectorAll(".chart").length).toBe(3);
    expect(dom(text).querySelectorAll(".strip img").length).toBe(16);
    expect(dom(text).querySelectorAll(".facts, .floors, .pair").length).toBe(0);
    expect(dom(text).querySelector("pre code")!.textContent).toBe(record.command);
  });

  test("a run without curve, labels' names, SSIM or pictures still renders", () => {
    const noSsim = (row: RunResults["pairs"]["oneToOne"][number]) => ({ ...row, ssim: null });
    const { classNames: _, ...labels } = results.labels;
    const small: RunRecord = {
      ...run.record,
      curve: [],
      results: {
        ...results,
        ssim: { oneToOne: null, manyToOne: null },
        pairs: { oneToOne: results.pairs.oneToOne.map(noSsim), manyToOne: results.pairs.manyToOne.map(noSsim) },
        labels: { ...labels, granted: true },
      },
    };
    const text = renderReport(small, run.pictures);
    expect(textOf(text)).toContain("SSIM –");
    expect(textOf(text)).toContain("class 8→class 8");
    expect(textOf(text)).toContain("Labels, given");
    expect(dom(text).querySelectorAll(".chart").length).toBe(0);
    expect(textOf(text)).not.toMatch(/undefined|NaN|null|\[object/);
  });

  test("pictures of another run are refused", () => {
    const { originals, reconstructions } = run.pictures;
    expect(() => renderReport(run.record, { originals: originals.slice(1), reconstructions })).toThrow(
      "the record's pairs need 8 originals and at least 8 reconstructions; got 7 and 8",
    );
  });
});

test("it can be read aloud: language, headings in order, alternative texts, table headers", () => {
  const document = dom(page);
  expect(document.documentElement.getAttribute("lang")).toBe("en");
  expect(document.querySelectorAll("h1").length).toBe(1);
  for (const image of document.querySelectorAll("img")) expect(image.getAttribute("alt")!.length).toBeGreaterThan(5);
  for (const svg of document.querySelectorAll("svg")) expect(svg.getAttribute("aria-label")).toMatch(/→/);
  for (const table of document.querySelectorAll("table"))
    expect(
      table.querySelectorAll("th[scope]").length + Number(table.querySelectorAll("tr").length === 1),
    ).toBeGreaterThan(0);
  for (const section of document.querySelectorAll("section")) {
    expect(document.getElementById(section.getAttribute("aria-labelledby")!)!.tagName).toBe("H2");
  }
  expect(textOf(page)).not.toMatch(/undefined|NaN|\[object/);
});
