import { fail } from "../util/index.ts";
import { type SettingRow, settingsLedger } from "./complete-settings.ts";
import type { Preset } from "./preset.ts";
import type { AttackSettings, SettingName } from "./settings.ts";

/**
 * The settings that act where the client's data are rows of a table: what is about pictures is switched off.
 *
 * Candidates become `columns`; total variation, median filter, contrast and the polish of pixels go, for columns have no
 * neighbours, no brightness and no box; a closed form has no candidates. Our choice, each told in the ledger (`settingsLedgerForColumns`).
 * Throws FedleakError for an attack that makes pictures: an untrained generator, a trained decoder, an enlargement, a restorer.
 */
export function settingsForColumns(attack: string, settings: AttackSettings): AttackSettings {
  const { parameterisation, restore, method } = settings;
  if (method !== "optimise") return settings;
  const pictures = parameterisation !== "pixels" && parameterisation !== "columns";
  if (pictures || restore) {
    fail({
      who: `attack ${attack}`,
      must: "candidates for a table's rows are columns, which no generator, decoder, enlargement or restorer makes",
      got: pictures ? `parameterisation ${parameterisation}` : "restore true",
      remedy: "Choose inverting-gradients, dlg or linear-leak, or --attack auto.",
    });
  }
  return { ...settings, ...OFF };
}

/** What `settingsLedger` tells of a run on a table: what was switched off for it is our choice, and says why. */
export function settingsLedgerForColumns(preset: Preset, settings: AttackSettings): SettingRow[] {
  const acting = settingsForColumns(preset.name, settings);
  return settingsLedger(preset, acting).map((row): SettingRow => {
    if (acting[row.name] === settings[row.name]) return row;
    return { ...row, origin: "our-choice", note: `${settings[row.name]} for images; ${WHY[row.name]}` };
  });
}

const OFF = {
  parameterisation: "columns",
  tv: 0,
  polish: 0,
  stretch: false,
  medianFilter: 0,
} as const satisfies Partial<AttackSettings>;

const WHY: { readonly [K in SettingName]?: string } = {
  parameterisation: "numbers through a sigmoid, categories through a softmax, the largest handed over",
  tv: "columns are no neighbours: total variation is switched off for tables",
  polish: "pixels would leave the categories",
  stretch: "columns have no brightness",
  medianFilter: "columns are no neighbours",
};
