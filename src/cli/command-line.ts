/** A command line that can be pasted into a shell and means the same again. */
export function commandLine(args: readonly string[]): string {
  return ["fedleak", ...args.map(quoted)].join(" ");
}

/** As it is when a POSIX shell takes it as one plain word, else in single quotes. */
function quoted(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
