import { fail } from "../util/index.ts";
import { maskPurpose, signOf } from "./client.ts";
import { agreedKey, pairOf } from "./keys.ts";
import { type Mask, withMasks } from "./mask.ts";
import type { MaskedInput, PublicKeys, SealedShares, ShareOf, Unmasking } from "./messages.ts";
import { recoverSecret } from "./shamir.ts";
import { checkEnough } from "./threshold.ts";

/** Who is still there after a round, ascending. Throws FedleakError when they are fewer than the threshold. */
export function present(clients: readonly number[], threshold: number, what: string): readonly number[] {
  const ids = [...new Set(clients)].sort((a, b) => a - b);
  checkEnough(ids.length, threshold, what);
  return ids;
}

/** The envelopes for one client, of those clients that have sealed one for everybody. */
export function deliveredTo(id: number, shares: readonly SealedShares[]): readonly SealedShares[] {
  return shares.filter(({ to }) => to === id);
}

export interface Collected {
  readonly roster: readonly PublicKeys[];
  /** Clients that shared their secrets, U_2 of the paper. */
  readonly sharers: readonly number[];
  readonly inputs: readonly MaskedInput[];
  readonly answers: readonly Unmasking[];
  readonly threshold: number;
}

/**
 * Round 4 at the server: Σ_{u ∈ survivors} x_u modulo 2^32, [d].
 *
 * Σ y_u − Σ_{survivors} PRG(b_u) − Σ_{dropped v} Σ_{survivors u} ± PRG(s_uv): the self-masks of survivors and the pairwise masks
 * of those who dropped out, from secrets recovered from shares. A dropped client's key is checked against its public key;
 * nothing checks a self-mask, so a client that sends a wrong share spoils the sum.
 * Throws FedleakError below the threshold, and when the answers would open both secrets of one client.
 */
export async function openSum({ roster, sharers, inputs, answers, threshold }: Collected): Promise<Uint32Array> {
  checkEnough(inputs.length, threshold, "send their masked update");
  checkEnough(answers.length, threshold, "help to unmask");
  checkOneSecret(answers);
  const survivors = inputs.map(({ client }) => client);
  const dropped = sharers.filter((id) => !survivors.includes(id));
  const selfMasks = survivors.map((id): Mask => {
    const shares = sharesOf(id, answers, ({ selfMaskShares }) => selfMaskShares);
    return { seed: recoverSecret(shares, threshold), sign: -1 };
  });
  const pairwise = dropped.flatMap((gone) => {
    const shares = sharesOf(gone, answers, ({ maskKeyShares }) => maskKeyShares);
    const secret = checkedKey(recoverSecret(shares, threshold), keysOf(roster, gone));
    return survivors.map((id): Mask => {
      const seed = agreedKey(secret, keysOf(roster, id).maskKey, maskPurpose(gone, id));
      return { seed, sign: signOf(gone, id) }; // the opposite of what the survivor added
    });
  });
  return withMasks(totalOf(inputs), [...selfMasks, ...pairwise]);
}

function totalOf(inputs: readonly MaskedInput[]): Uint32Array {
  const total = new Uint32Array(inputs[0]!.masked.length);
  for (const { client, masked } of inputs) {
    if (masked.length !== total.length) {
      complain(`every client must send ${total.length} numbers`, `${masked.length} from client ${client}`);
    }
    for (let i = 0; i < total.length; i++) total[i]! += masked[i]!;
  }
  return total;
}

/** Both secrets of one client would open its update. */
function checkOneSecret(answers: readonly Unmasking[]): void {
  const keys = new Set(answers.flatMap(({ maskKeyShares }) => maskKeyShares.map(({ of }) => of)));
  const both = answers.flatMap(({ selfMaskShares }) => selfMaskShares).find(({ of }) => keys.has(of));
  if (both)
    complain(
      "of each client one secret may be opened, its key or its self-mask",
      `shares of both of client ${both.of}`,
    );
}

function sharesOf(id: number, answers: readonly Unmasking[], which: (a: Unmasking) => readonly ShareOf[]): ShareOf[] {
  return answers.flatMap((answer) => which(answer).filter(({ of }) => of === id));
}

function keysOf(roster: readonly PublicKeys[], id: number): PublicKeys {
  return roster.find(({ client }) => client === id) ?? complain("every client must be in the roster", `client ${id}`);
}

function checkedKey(secret: Uint8Array, { client, maskKey }: PublicKeys): Uint8Array {
  if (pairOf(secret).public.join() !== maskKey.join()) {
    complain("the recovered key must be that of the client's public key", `another one for client ${client}`);
  }
  return secret;
}

function complain(must: string, got: string): never {
  return fail({ who: "secure round", must, got, remedy: "Begin a new round; nothing of this one was opened." });
}
