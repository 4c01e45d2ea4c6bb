import { fail } from "../util/index.ts";

/** A defence as a spec holds it, its settings still texts. */
export interface WrittenDefence {
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
}

/** `dp-sgd:epsilon=5,clip=1` → its name and settings; throws FedleakError at another form or a setting given twice. */
export function defenceFrom(text: string): WrittenDefence {
  const [, name, rest] = /^([^:=,\s]+)(?::(.+))?$/.exec(text.trim()) ?? complain(text);
  const settings: Record<string, string> = {};
  for (const part of rest?.split(",") ?? []) {
    const [, key, value] = /^\s*([^=\s]+)\s*=\s*(\S+)\s*$/.exec(part) ?? complain(text);
    if (Object.hasOwn(settings, key!)) complain(text);
    settings[key!] = value!;
  }
  return { name: name!, settings };
}

function complain(text: string): never {
  return fail({
    who: "--defence",
    must: "it must be a name, or name:key=value,key=value with each key once",
    got: `"${text}"`,
    remedy: "For example --defence dp-sgd:epsilon=5,clip=1; fedleak list shows all.",
  });
}
