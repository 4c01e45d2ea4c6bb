import type { Comparison, TableLine } from "../../audit/index.ts";
import { dbText } from "../format.ts";
import { type Html, html } from "../html.ts";
import { type Cell, resultsOf, strokeOf } from "./cells.ts";
import { floorOf } from "./charts.ts";
import { COLUMNS, type Column } from "./columns.ts";

/** The attacks of a cell on one scale: interval, mean and single images, with the floor as a line through all of them. */
export function rankTable(comparison: Comparison, cell: Cell): Html {
  const floor = floorOf(cell);
  const scored = cell.lines.flatMap(({ attack, psnrDb }) =>
    psnrDb === null ? [] : resultsOf(comparison, cell, attack).flatMap((result) => result.psnrDb.oneToOne),
  );
  if (scored.length === 0) return html`<p>No trial here has a score yet.</p>`;
  const axis = axisOf([...scored, ...(floor === null ? [] : [floor])]);
  return html`<table class="floors rank">
<thead><tr><th scope="col">Attack</th><th scope="col" class="track"><span class="hidden">PSNR on a scale in dB</span><span class="scale" aria-hidden="true">${axis.ticks.map(
    (tick) => html`<span style="left:${axis.place(tick)}%">${tick}</span>`,
  )}</span></th><th scope="col" class="number">PSNR</th><th scope="col" class="number">${comparison.plan.attacks.length > 1 && "against reference"}</th></tr></thead>
<tbody>${cell.lines.map((line) => rowMarkup(comparison, cell, line, axis, floor))}</tbody>
</table>`;
}

/** Every column of the table, in a box that scrolls where the screen is too narrow. */
export function fullTable({ lines }: Cell): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="all numbers"><table class="full">
<thead><tr><th scope="col">attack</th>${COLUMNS.map(({ title, about }) => html`<th scope="col" class="number" title="${about}">${title}</th>`)}</tr></thead>
<tbody>${lines.map(
    (line) =>
      html`<tr><th scope="row">${line.attack}</th>${COLUMNS.map(({ text }) => html`<td class="number">${text(line)}</td>`)}</tr>`,
  )}</tbody>
</table></div>`;
}

interface Axis {
  readonly ticks: readonly number[];
  /** Where a value lies, in per cent of the axis. */
  readonly place: (value: number) => number;
}

function rowMarkup(comparison: Comparison, cell: Cell, line: TableLine, axis: Axis, floor: number | null): Html {
  const { attack, psnrDb, psnrInterval95Db, trials } = line;
  const images = resultsOf(comparison, cell, attack).flatMap((result) => result.psnrDb.oneToOne);
  const range = psnrInterval95Db.oneToOne;
  const marks = [
    axis.ticks.map((tick) => html`<i style="left:${axis.place(tick)}%"></i>`),
    floor !== null && html`<s style="left:${axis.place(floor)}%"></s>`,
    images.map((value) => html`<em style="left:${axis.place(value)}%"></em>`),
    range !== null &&
      html`<u style="left:${axis.place(range[0])}%;width:${round(axis.place(range[1]) - axis.place(range[0]))}%"></u>`,
    psnrDb !== null && html`<b style="left:${axis.place(psnrDb.oneToOne)}%"></b>`,
  ];
  const isReference = attack === comparison.plan.reference;
  const notes = [
    ...(isReference ? ["the reference"] : []),
    ...(trials.failed > 0 ? [`${trials.failed} of ${trials.planned} trials failed`] : []),
    ...(trials.failed === 0 && trials.scored < trials.planned
      ? [`${trials.scored} of ${trials.planned} trials yet`]
      : []),
  ];
  return html`<tr><th scope="row">${attack}${notes.length > 0 && html`<small>${notes.join("; ")}</small>`}</th>
<td class="track" aria-hidden="true" style="color:${strokeOf(comparison, attack).colour}"><span class="lane">${marks}</span></td>
<td class="number"><strong>${psnrDb === null ? "–" : dbText(psnrDb.oneToOne)}</strong>${range !== null && html`<small>${columnText("95 %", line)}</small>`}</td>
<td class="number">${againstMarkup(line)}</td></tr>`;
}

function againstMarkup(line: TableLine): Html | string {
  if (line.difference === null) return "–";
  const [own, range = ""] = columnText("against reference", line).split(" (");
  return html`<strong>${own}\u00a0dB</strong><small>${range.replace(")", "")}</small>`;
}

function columnText(title: Column["title"], line: TableLine): string {
  return COLUMNS.find((column) => column.title === title)!.text(line);
}

/** Limits around all values at half ticks, with 2 to 6 ticks. */
function axisOf(values: readonly number[]): Axis {
  const [lowest, highest] = [Math.min(...values), Math.max(...values)];
  const span = highest - lowest;
  const step = span > 50 ? 20 : span > 22 ? 10 : span > 8 ? 5 : 2; // dB; our choice: round steps
  const half = step / 2;
  const low = Math.max(0, Math.floor((lowest - 0.3) / half) * half); // a little air, so that no mark sits on the edge
  const high = Math.ceil((highest + 0.3) / half) * half;
  const first = Math.ceil(low / step) * step;
  return {
    ticks: Array.from({ length: Math.floor((high - first) / step) + 1 }, (_, i) => first + i * step),
    place: (value) => round(((value - low) / (high - low)) * 100),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
