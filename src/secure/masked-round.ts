import { type Advertised, advertiseKeys, type Committed, maskInput, type Shared, shareKeys, unmask } from "./client.ts";
import { type Clock, type Cost, costs, seconds } from "./cost.ts";
import {
  bytesOf,
  listBytes,
  type MaskedInput,
  type Message,
  type PublicKeys,
  type SealedShares,
  type Unmasking,
} from "./messages.ts";
import type { Random } from "./random.ts";
import { deliveredTo, openSum, present } from "./server.ts";
import { checkThreshold } from "./threshold.ts";

/** The rounds in which clients send something, in their order. */
export const ROUNDS = ["keys", "shares", "input", "unmasking"] as const;
export type Round = (typeof ROUNDS)[number];

export interface MaskedRound {
  /** The quantised updates of clients 1 … U, [d] each. */
  readonly inputs: readonly Uint32Array[];
  readonly threshold: number;
  /** The first round in which a client is no longer there, by its number; the others stay to the end. */
  readonly leaves?: Readonly<Record<number, Round>>;
  /** The source of all secrets of a client, asked for once. */
  readonly random: (client: number) => Random;
  readonly clock: Clock;
  /** Hears how many of the steps are done; one is a client's turn in a round, or the server's opening of the sum. */
  readonly progress?: (done: number, of: number) => void;
}

export interface MaskedOutcome {
  /** Σ of the survivors' inputs modulo 2^32, [d]. */
  readonly sum: Uint32Array;
  /** Clients whose updates are in the sum, ascending. */
  readonly survivors: readonly number[];
  /** Everything that the server was sent, in order. */
  readonly view: readonly Message[];
  /** Of clients 1 … U. */
  readonly clients: readonly Cost[];
  readonly server: Cost;
}

/**
 * One round of secure aggregation by pairwise masks, all parties simulated in one process, one after the other.
 *
 * Rounds 0, 1, 2 and 4 of the protocol for an honest-but-curious server. It learns the sum of the survivors' updates and no
 * more; with up to threshold − 1 clients on its side, the sum over the others. Round 3, a consistency check by signatures, is against a server
 * that tells clients different things; it is not run. Not covered: such an active server, one that makes up clients
 * (Sybil), clients that send wrong numbers, and whatever the sum itself leaks.
 * Source: Bonawitz et al., "Practical Secure Aggregation for Privacy-Preserving Machine Learning", CCS 2017, Figure 4.
 * Throws FedleakError when fewer than the threshold are left in any round.
 */
export async function maskedRound({ inputs, threshold, ...plan }: MaskedRound): Promise<MaskedOutcome> {
  const { leaves = {}, clock } = plan;
  const everyone = inputs.map((_, i) => i + 1);
  checkThreshold(threshold, everyone.length);
  const sources = new Map(everyone.map((id) => [id, plan.random(id)]));
  const bill = costs(everyone.length);
  const view: Message[] = [];
  const steps = ROUNDS.flatMap((round) => everyone.filter((id) => isThere(leaves, id, round))).length + 1;
  let done = 0;
  /** One client's turn: timed, what it sends is seen by the server. */
  const turn = async <S, M extends Message>(id: number, act: () => Promise<readonly [S, readonly M[]]>) => {
    const [made, took] = await seconds(clock, act);
    const sent = made[1].reduce((sum, message) => sum + bytesOf(message), 0);
    bill.client(id, { seconds: took, sentBytes: sent });
    bill.server({ receivedBytes: sent });
    view.push(...made[1]);
    plan.progress?.(++done, steps);
    return made;
  };
  /** What the server sends to a client. */
  const tell = (id: number, bytes: number) => {
    bill.client(id, { receivedBytes: bytes });
    bill.server({ sentBytes: bytes });
  };
  const there = (ids: readonly number[], round: Round) => ids.filter((id) => isThere(leaves, id, round));

  const advertised = new Map<number, Advertised>();
  const roster: PublicKeys[] = [];
  for (const id of there(everyone, "keys")) {
    const [client, [keys]] = await turn(id, async () => {
      const [state, sent] = advertiseKeys(id, sources.get(id)!);
      return [state, [sent]];
    });
    advertised.set(id, client);
    roster.push(keys!);
  }
  const known = present([...advertised.keys()], threshold, "tell their keys");

  const sharing = new Map<number, Shared>();
  const envelopes: SealedShares[] = [];
  const rosterBytes = roster.reduce((sum, keys) => sum + bytesOf(keys), 0);
  for (const id of there(known, "shares")) {
    tell(id, rosterBytes);
    const random = sources.get(id)!;
    const [client, sealed] = await turn(id, () => shareKeys(advertised.get(id)!, { roster, threshold, random }));
    sharing.set(id, client);
    envelopes.push(...sealed);
  }
  const sharers = present([...sharing.keys()], threshold, "share their secrets");

  const committed = new Map<number, Committed>();
  const masked: MaskedInput[] = [];
  for (const id of there(sharers, "input")) {
    const delivered = deliveredTo(id, envelopes);
    tell(id, delivered.reduce((sum, shares) => sum + bytesOf(shares), 0)); // biome-ignore format: one line
    const [client, [input]] = await turn(id, async () => {
      const [state, sent] = await maskInput(sharing.get(id)!, delivered, inputs[id - 1]!);
      return [state, [sent]];
    });
    committed.set(id, client);
    masked.push(input!);
  }
  const survivors = present([...committed.keys()], threshold, "send their masked update");

  const answers: Unmasking[] = [];
  for (const id of there(survivors, "unmasking")) {
    tell(id, listBytes(survivors));
    const [, [answer]] = await turn(id, async () => {
      const [state, sent] = await unmask(committed.get(id)!, survivors);
      return [state, [sent]];
    });
    answers.push(answer!);
  }
  const [sum, took] = await seconds(clock, () => openSum({ roster, sharers, inputs: masked, answers, threshold }));
  bill.server({ seconds: took });
  plan.progress?.(steps, steps);
  return { sum, survivors, view, ...bill.total() };
}

function isThere(leaves: Readonly<Record<number, Round>>, id: number, round: Round): boolean {
  const left = leaves[id];
  return left === undefined || ROUNDS.indexOf(round) < ROUNDS.indexOf(left);
}
