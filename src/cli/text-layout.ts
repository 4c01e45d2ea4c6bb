/** The cells of a line of a table. */
export type Row = readonly string[];

/** Rows as lines with aligned columns; columns of figures to the right. */
export function table(rows: readonly Row[]): string[] {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, c) => Math.max(...rows.map((row) => row[c]?.length ?? 0)));
  const figures = widths.map((_, c) => c > 0 && rows.some((row) => /^(-?[\d.]+( dB)?|–)$/.test(row[c] ?? "")));
  return rows.map((row) =>
    row
      .map((cell, c) => (figures[c] ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join("  ")
      .trimEnd(),
  );
}

/** Text in lines of at most `width` characters, broken at spaces; a longer word has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
