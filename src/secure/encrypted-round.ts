import { openCkksAdder, openCkksKeys, SLOTS } from "./ckks.ts";
import { type Clock, type Cost, costs, seconds } from "./cost.ts";
import { joined, parted } from "./selective.ts";
import { checkEnough } from "./threshold.ts";

export interface EncryptedRound {
  /** The updates of clients 1 … U, [d] each, in [−range, range]. */
  readonly inputs: readonly Float32Array[];
  readonly range: number;
  /** Clients that send nothing. */
  readonly dropped?: readonly number[];
  /** The positions that are encrypted, ascending; the rest is sent in clear. */
  readonly positions: Uint32Array;
  readonly clock: Clock;
  /** Hears how many ciphertexts are made, added or opened, of how many. */
  readonly progress?: (done: number, of: number) => void;
}

/** What one client sends. */
export interface EncryptedUpdate {
  readonly client: number;
  readonly ciphertexts: readonly Uint8Array[];
  /** [d], zero where it is encrypted; empty when all of it is. */
  readonly clear: Float32Array;
}

export interface EncryptedOutcome {
  /** Σ of the survivors' inputs, [d], up to the noise of encryption. */
  readonly sum: Float64Array;
  readonly survivors: readonly number[];
  /** Everything that the server was sent. */
  readonly view: readonly EncryptedUpdate[];
  /** Of clients 1 … U: encrypting and sending. */
  readonly clients: readonly Cost[];
  readonly server: Cost;
  /** Opening the sum, which each client does. */
  readonly decryptSeconds: number;
}

/**
 * One round of homomorphic aggregation, all parties simulated in one process: clients encrypt, the server adds, clients decrypt.
 *
 * The server sees ciphertexts, never the sum; the rest of a selectively encrypted update it sees in clear, each client's.
 * A client that drops out is left away: sums need nobody's help. See `openCkksKeys` for what is assumed of whom.
 * Throws FedleakError when nobody is left, or at an entry outside the range.
 */
export async function encryptedRound(round: EncryptedRound): Promise<EncryptedOutcome> {
  const { inputs, range, positions, clock } = round;
  const survivors = inputs.map((_, i) => i + 1).filter((id) => !round.dropped?.includes(id));
  checkEnough(survivors.length, 1, "send their update");
  const bill = costs(inputs.length);
  const blocks = Math.ceil(positions.length / SLOTS);
  const steps = blocks * (survivors.length + 2);
  let done = 0;
  const step = () => round.progress?.(++done, steps);
  const keys = await openCkksKeys({ range, clients: inputs.length });
  const adder = await openCkksAdder();
  try {
    const view: EncryptedUpdate[] = [];
    for (const client of survivors) {
      const [update, took] = await seconds(clock, () => {
        const { hidden, clear } = parted(inputs[client - 1]!, positions);
        const ciphertexts = blocksOf(hidden).map((block) => {
          const bytes = keys.encrypt(block);
          step();
          return bytes;
        });
        return { client, ciphertexts, clear: positions.length === clear.length ? new Float32Array(0) : clear };
      });
      view.push(update);
      bill.client(client, { seconds: took, sentBytes: sentBytes(update, positions.length) });
      bill.server({ receivedBytes: sentBytes(update, positions.length) });
    }
    const [added, addSeconds] = await seconds(clock, () => ({
      ciphertexts: Array.from({ length: blocks }, (_, b) => {
        const sum = adder.add(view.map(({ ciphertexts }) => ciphertexts[b]!));
        step();
        return sum;
      }),
      clear: sumOf(view.map(({ clear }) => clear), inputs[0]!.length), // biome-ignore format: one line
    }));
    const answer = added.ciphertexts.reduce((bytes, { length }) => bytes + length, 0);
    const clearBytes = BYTES_A_NUMBER * (added.clear.length - positions.length);
    bill.server({ seconds: addSeconds, sentBytes: (answer + clearBytes) * inputs.length });
    for (const id of inputs.keys()) bill.client(id + 1, { receivedBytes: answer + clearBytes });
    const [sum, decryptSeconds] = await seconds(clock, () => {
      const hidden = new Float64Array(positions.length);
      added.ciphertexts.forEach((bytes, b) => {
        hidden.set(keys.decrypt(bytes, Math.min(SLOTS, hidden.length - b * SLOTS)), b * SLOTS);
        step();
      });
      return joined(added.clear, hidden, positions);
    });
    return { sum, survivors, view, ...bill.total(), decryptSeconds };
  } finally {
    keys.release();
    adder.release();
  }
}

const BYTES_A_NUMBER = 4; // float32, in clear

function sentBytes({ ciphertexts, clear }: EncryptedUpdate, hidden: number): number {
  const sealed = ciphertexts.reduce((sum, { length }) => sum + length, 0);
  return sealed + BYTES_A_NUMBER * Math.max(0, clear.length - hidden); // both sides know the positions
}

function blocksOf(values: Float64Array): Float64Array[] {
  const count = Math.ceil(values.length / SLOTS);
  return Array.from({ length: count }, (_, b) => values.subarray(b * SLOTS, (b + 1) * SLOTS));
}

function sumOf(parts: readonly Float32Array[], length: number): Float64Array {
  const sum = new Float64Array(length);
  for (const part of parts) for (let i = 0; i < part.length; i++) sum[i]! += part[i]!;
  return sum;
}
