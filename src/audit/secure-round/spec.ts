import { z } from "zod";
import { checkThreshold, MOST_CLIENTS, usualThreshold } from "../../secure/index.ts";
import { fail, unknownName } from "../../util/index.ts";
import { completeTrainSpec, type TrainRequest, type TrainSpec } from "../train/spec.ts";

/** How the server learns a sum and no update, with one line on each. */
export const SCHEMES = {
  masks: "pairwise masks that cancel in the sum; the server opens it with the help of enough clients",
  ckks: "homomorphic encryption; the server adds ciphertexts, the clients open the sum",
} as const;

export type SchemeName = keyof typeof SCHEMES;

const whole = (least: number) => z.int().min(least).describe(`a whole number ≥ ${least}`);
const names = Object.keys(SCHEMES) as [SchemeName, ...SchemeName[]];

const schema = z.strictObject({
  scheme: z.enum(names).default("masks").describe(names.join(" or ")),
  /** U; with `updates`, as many as there are. */
  clients: z.int().min(2).max(MOST_CLIENTS).default(4).describe(`a whole number from 2 to ${MOST_CLIENTS}`), // our choice
  /** Clients, the last ones, that are gone after they have shared their keys. */
  drop: whole(0).default(0),
  /** Clients that must be left, for masks; null: ⌈2U/3⌉. */
  threshold: whole(2).nullable().default(null).describe("a whole number ≥ 2 or null"),
  /** The share of entries that is encrypted, the largest, for ckks. */
  encryptShare: z.number().gt(0).lte(1).default(1).describe("a number over 0, at most 1"),
  /** Entries are within ± this; null: the least power of two that holds them all. */
  range: z.number().gt(0).nullable().default(null).describe("a number > 0 or null"),
  /** Folders of captured updates, or files of tensors; empty: clients are trained. */
  updates: z.array(z.string().min(1)).default([]).describe("a list of paths"),
});

/** One round of secure aggregation, complete. */
export interface SecureRoundSpec extends Omit<z.output<typeof schema>, "threshold"> {
  readonly threshold: number;
  /** How clients without given updates make theirs. */
  readonly training: TrainSpec;
}
export type SecureRoundRequest = z.input<typeof schema> & { readonly training?: TrainRequest };

const BATCH = 16; // FedLeak, section 7
const LOCAL_STEPS = 12; // FedLeak, section 7

/** The request with its defaults, checked. Throws FedleakError at the first entry that is unknown, wrong, or of no use here. */
export function completeSecureRound({ training = {}, ...request }: SecureRoundRequest): SecureRoundSpec {
  const parsed = schema.safeParse(request);
  if (!parsed.success) return complainOf(parsed.error.issues[0]!, request);
  const { updates, drop, scheme } = parsed.data;
  const clients = updates.length > 0 ? updates.length : parsed.data.clients;
  if (updates.length > 0 && request.clients !== undefined && request.clients !== clients) {
    complain("clients", `there must be as many as updates, ${clients}`, `${request.clients}`);
  }
  if (scheme === "ckks" && request.threshold !== undefined && request.threshold !== null) {
    complain("threshold", "only masks need enough clients to be left", "one for ckks");
  }
  if (scheme === "masks" && parsed.data.encryptShare !== 1) {
    complain(
      "encryptShare",
      "masks hide every entry; a share can be encrypted with ckks",
      `${parsed.data.encryptShare}`,
    );
  }
  const threshold = scheme === "ckks" ? 1 : (parsed.data.threshold ?? usualThreshold(clients));
  if (scheme === "masks") checkThreshold(threshold, clients);
  if (clients - drop < threshold) {
    const most = clients - threshold;
    complain("drop", `of ${clients} clients at most ${most} may drop out, so that ${threshold} are left`, `${drop}`);
  }
  const { federation, ...rest } = training;
  const local = { localSteps: LOCAL_STEPS, ...federation, clients };
  const train = completeTrainSpec({ batchSize: BATCH, ...rest, training: "fedavg", federation: local });
  return { ...parsed.data, clients, threshold, training: train };
}

function complainOf(issue: z.core.$ZodIssue, request: object): never {
  const name = issue.path[0];
  if (issue.code === "unrecognized_keys") return unknownName(WHO, "entry", issue.keys[0]!, Object.keys(schema.shape));
  const field = schema.shape[name as keyof typeof schema.shape] as z.ZodType;
  const inner = field instanceof z.ZodDefault ? (field.unwrap() as z.ZodType) : field;
  const must = `it must be ${field.description ?? inner.description}`;
  return complain(String(name), must, JSON.stringify((request as Record<PropertyKey, unknown>)[name!]) ?? "nothing");
}

const WHO = "secure-round";

function complain(entry: string, must: string, got: string): never {
  return fail({ who: `${WHO} ${entry}`, must, got, remedy: "Change it, or leave it away for the default." });
}
