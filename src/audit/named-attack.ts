import { CLOSED_FORMS, findAttack, type Preset } from "../attacks/index.ts";
import { fail } from "../util/index.ts";
import { AUTO, BEST } from "./auto.ts";

/**
 * The preset of an attack that stands for one and the same thing wherever it is used.
 *
 * who: for errors. must: why "auto" will not do here, as what must hold.
 * Throws FedleakError at "auto", with what it chooses among, and at an unknown name.
 */
export function namedAttack(name: string, { who, must }: { readonly who: string; readonly must: string }): Preset {
  if (name !== AUTO) return findAttack(name);
  return fail({
    who,
    must,
    got: `${AUTO}, which chooses for each update anew and within a time`,
    remedy: `Name an attack: ${AUTO} chooses among ${[...CLOSED_FORMS, BEST].join(", ")}.`,
  });
}
