import { chain, link, type SettingValue } from "../../defences/index.ts";
import { fail } from "../../util/index.ts";

/** A defence as the spec of a training holds it. */
export interface AskedDefence {
  readonly name: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/**
 * The defences of a training's clients, checked, with a value for every setting.
 *
 * Only dp-sgd's `rounds` and `rate` stay open where nobody gave them: they follow from the federation and are planned once
 * its data is read. Completing twice changes nothing. Throws FedleakError at a name, a setting or an order that is wrong,
 * and at defences that change no client's own update.
 */
export function completeDefences(
  asked: readonly AskedDefence[],
): { name: string; settings: Record<string, SettingValue> }[] {
  const links = asked.map(({ name, settings }) => link(name, settings));
  chain(...links); // throws where their order makes no sense
  return links.map(({ defence: { name, stage }, settings }, i) => {
    if (leavesAverage({ name, stage })) refuse(name);
    const given = asked[i]!.settings;
    const kept = Object.entries(settings).filter(([setting]) => !isPlanned(name, setting) || setting in given);
    return { name, settings: Object.fromEntries(kept) };
  });
}

/** Whether a setting follows from the federation unless it is given: how many releases there are, of which share. */
export function isPlanned(defence: string, setting: string): boolean {
  return defence === "dp-sgd" && (setting === "rounds" || setting === "rate");
}

/** Whether a defence hides updates from the server and leaves their average as it is: training goes as without it. */
export function leavesAverage({ name, stage }: { readonly name: string; readonly stage: string }): boolean {
  return stage === "clients" || HIDING.includes(name);
}

const HIDING: readonly string[] = ["selective-encryption"]; // decrypted once summed

function refuse(name: string): never {
  return fail({
    who: `train --defence ${name}`,
    must: "it must change what a client's update adds to the average",
    got: "a defence that leaves the average as it is",
    remedy: `Train without it, and pass --defence ${name} to fedleak attack.`,
  });
}
