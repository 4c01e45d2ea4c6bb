import { fail } from "../util/index.ts";
import { seal, unseal } from "./envelope.ts";
import { agreedKey, type KeyPair, keyPair } from "./keys.ts";
import { type Mask, withMasks } from "./mask.ts";
import type { MaskedInput, PublicKeys, SealedShares, ShareOf, Unmasking } from "./messages.ts";
import type { Random } from "./random.ts";
import { SECRET_BYTES, SHARE_BYTES, type Share, shareSecret } from "./shamir.ts";
import { checkEnough, checkThreshold } from "./threshold.ts";

/** A client that has told its public keys. */
export interface Advertised {
  /** Its number, ≥ 1. */
  readonly id: number;
  readonly envelope: KeyPair;
  readonly mask: KeyPair;
}

/** A client that has shared its secrets. */
export interface Shared extends Advertised {
  readonly threshold: number;
  readonly roster: readonly PublicKeys[];
  readonly selfMask: Uint8Array;
  /** What it keeps of its own secrets. */
  readonly own: SharePair;
}

/** A client that has sent its masked update. */
export interface Committed extends Shared {
  /** From whom it has shares, itself not included. */
  readonly received: readonly SealedShares[];
  /** The survivors that it was asked to unmask; null: it was not asked yet. */
  readonly answered: readonly number[] | null;
}

interface SharePair {
  readonly maskKey: Share;
  readonly selfMask: Share;
}

/** A client's next state, and what it sends. */
export type Step<State, Sent> = readonly [state: State, sent: Sent];

/** Round 0, AdvertiseKeys: two fresh key pairs, one for envelopes and one for masks. */
export function advertiseKeys(id: number, random: Random): Step<Advertised, PublicKeys> {
  const [envelope, mask] = [keyPair(random), keyPair(random)];
  return [
    { id, envelope, mask },
    { kind: "keys", client: id, envelopeKey: envelope.public, maskKey: mask.public },
  ];
}

/**
 * Round 1, ShareKeys: draws the self-mask's seed b_u and shares it and the masking key among all of the roster.
 *
 * Throws FedleakError when the roster is below the threshold, has a client or a key twice, or lacks this client's own keys.
 */
export async function shareKeys(
  client: Advertised,
  { roster, threshold, random }: { roster: readonly PublicKeys[]; threshold: number; random: Random },
): Promise<Step<Shared, readonly SealedShares[]>> {
  checkRoster(client, roster);
  checkEnough(roster.length, threshold, "tell their keys");
  checkThreshold(threshold, roster.length);
  const selfMask = random(SECRET_BYTES);
  const plan = { holders: roster.map(({ client: holder }) => holder), threshold, random };
  const [ofKey, ofSelf] = [shareSecret(client.mask.secret, plan), shareSecret(selfMask, plan)];
  const sent: SealedShares[] = [];
  for (const [i, peer] of roster.entries()) {
    if (peer.client === client.id) continue;
    const key = agreedKey(client.envelope.secret, peer.envelopeKey, envelopePurpose(client.id, peer.client));
    const text = Uint8Array.of(...ofKey[i]!.value, ...ofSelf[i]!.value);
    sent.push({ kind: "shares", from: client.id, to: peer.client, sealed: await seal(key, text) });
  }
  const at = plan.holders.indexOf(client.id);
  return [{ ...client, threshold, roster, selfMask, own: { maskKey: ofKey[at]!, selfMask: ofSelf[at]! } }, sent];
}

/**
 * Round 2, MaskedInputCollection: y_u = x_u + PRG(b_u) + Σ_{v<u} PRG(s_uv) − Σ_{v>u} PRG(s_uv) modulo 2^32, [d].
 *
 * The sums go over the clients whose shares it has received. s_uv is agreed with client v.
 * Throws FedleakError when they are too few or not of the roster.
 */
export async function maskInput(
  client: Shared,
  received: readonly SealedShares[],
  values: Uint32Array,
): Promise<Step<Committed, MaskedInput>> {
  const peers = received.map(({ from, to }, i) => {
    const known = client.roster.find((peer) => peer.client === from && from !== client.id);
    const twice = received.findIndex((other) => other.from === from) !== i;
    if (known === undefined || to !== client.id || twice) {
      return refuse(
        client,
        "shares must come once from each other client and be for this one",
        `from ${from} to ${to}`,
      );
    }
    return known;
  });
  checkEnough(peers.length + 1, client.threshold, "share their secrets");
  const pairwise = peers.map((peer): Mask => {
    const seed = agreedKey(client.mask.secret, peer.maskKey, maskPurpose(client.id, peer.client));
    return { seed, sign: signOf(client.id, peer.client) };
  });
  const masked = await withMasks(values, [{ seed: client.selfMask, sign: 1 }, ...pairwise]);
  return [
    { ...client, received, answered: null },
    { kind: "input", client: client.id, masked },
  ];
}

/**
 * Round 4, Unmasking: of each client that shared, its share of one secret: the self-mask where the update arrived, else the key.
 *
 * Never of both: it answers once. Throws FedleakError when asked again, when survivors are too few or did not share, and
 * when it is not among them itself.
 */
export async function unmask(client: Committed, survivors: readonly number[]): Promise<Step<Committed, Unmasking>> {
  if (client.answered !== null) {
    return refuse(client, "a client unmasks once, or both secrets of one client could be opened", "a second request");
  }
  const sharers = [client.id, ...client.received.map(({ from }) => from)];
  const wrong = survivors.find((id, i) => !sharers.includes(id) || survivors.indexOf(id) !== i);
  if (wrong !== undefined) return refuse(client, "survivors must be different clients that shared", `client ${wrong}`);
  if (!survivors.includes(client.id))
    return refuse(client, "its own update must be among those added", "not among them");
  checkEnough(survivors.length, client.threshold, "send their masked update");
  const maskKeyShares: ShareOf[] = [];
  const selfMaskShares: ShareOf[] = [];
  for (const of of sharers) {
    const pair = of === client.id ? client.own : await openShares(client, of);
    if (survivors.includes(of)) selfMaskShares.push({ of, ...pair.selfMask });
    else maskKeyShares.push({ of, ...pair.maskKey });
  }
  return [
    { ...client, answered: survivors },
    { kind: "unmasking", client: client.id, maskKeyShares, selfMaskShares },
  ];
}

/** What a pair's mask is agreed for; the same from both sides. */
export function maskPurpose(a: number, b: number): string {
  return `mask ${Math.min(a, b)} ${Math.max(a, b)}`;
}

/** The sign of the mask between two clients, as the first one adds it; the other adds the opposite, so a sum has none. */
export function signOf(own: number, other: number): 1 | -1 {
  return own > other ? 1 : -1;
}

const envelopePurpose = (from: number, to: number) => `envelope ${from} ${to}`;

async function openShares(client: Committed, from: number): Promise<SharePair> {
  const { sealed } = client.received.find((shares) => shares.from === from)!;
  const peer = client.roster.find((keys) => keys.client === from)!;
  const key = agreedKey(client.envelope.secret, peer.envelopeKey, envelopePurpose(from, client.id));
  const text = await unseal(key, sealed);
  return {
    maskKey: { holder: client.id, value: text.slice(0, SHARE_BYTES) },
    selfMask: { holder: client.id, value: text.slice(SHARE_BYTES) },
  };
}

function checkRoster(client: Advertised, roster: readonly PublicKeys[]): void {
  const text = (key: Uint8Array) => key.join();
  const keys = roster.flatMap(({ envelopeKey, maskKey }) => [text(envelopeKey), text(maskKey)]);
  const ids = roster.map(({ client: id }) => id);
  if (new Set(ids).size < ids.length || new Set(keys).size < keys.length) {
    refuse(client, "the roster must have every client and every key once", "one of them twice");
  }
  const own = roster.find(({ client: id }) => id === client.id);
  const mine = [client.envelope.public, client.mask.public].map(text);
  if (own === undefined || text(own.envelopeKey) !== mine[0] || text(own.maskKey) !== mine[1]) {
    refuse(client, "the roster must have this client's own keys", own ? "others" : "none");
  }
}

function refuse({ id }: Advertised, must: string, got: string): never {
  return fail({ who: `client ${id}`, must, got, remedy: "The client leaves the round: the server may be cheating." });
}
