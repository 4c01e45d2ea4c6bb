import type { Tensor } from "../tensor/index.ts";
import { fail } from "../util/index.ts";
import type { RawAttribute, RawNode } from "./raw.ts";
import { shortestDecimal } from "./shortest-decimal.ts";
import { tensorOf } from "./tensor-of.ts";

/**
 * The attributes of a node by name and kind; each getter gives undefined where the node has none of that name.
 *
 * A float is the decimal number that was rounded to it, tensors of doubles stay doubles.
 */
export interface Attributes {
  int(name: string): number | undefined;
  float(name: string): number | undefined;
  ints(name: string): readonly number[] | undefined;
  floats(name: string): readonly number[] | undefined;
  text(name: string): string | undefined;
  tensor(name: string): Tensor | undefined;
}

const KIND = { float: 1, int: 2, text: 3, tensor: 4, floats: 6, ints: 7 } as const; // AttributeProto.AttributeType

/** The attributes of a file's node; a getter throws FedleakError, naming `who`, when one is of another kind. */
export function attributesOf(node: RawNode, who: string): Attributes {
  const byName = new Map(node.attribute.map((attribute) => [attribute.name, attribute]));
  const get = <T>(name: string, kind: keyof typeof KIND, read: (attribute: RawAttribute) => T): T | undefined => {
    const found = byName.get(name);
    if (found && found.type !== 0 && found.type !== KIND[kind]) {
      fail({
        who,
        must: `attribute ${name} must be of kind ${kind}`,
        got: `kind ${found.type}`,
        remedy: "Export it again.",
      });
    }
    return found && read(found);
  };
  return {
    int: (name) => get(name, "int", ({ i }) => Number(i)),
    float: (name) => get(name, "float", ({ f }) => shortestDecimal(f)),
    ints: (name) => get(name, "ints", ({ ints }) => ints.map(Number)),
    floats: (name) => get(name, "floats", ({ floats }) => floats),
    text: (name) => get(name, "text", ({ s }) => new TextDecoder().decode(s)),
    tensor: (name) =>
      get(name, "tensor", ({ t }) =>
        t
          ? tensorOf(t, who)
          : fail({ who, must: `attribute ${name} must hold a tensor`, got: "none", remedy: "Export it again." }),
      ),
  };
}
