import type { SEALLibrary } from "node-seal/implementation/seal.js";
import { fail } from "../util/index.ts";

export interface CkksPlan {
  /** Numbers are in [−range, range]. */
  readonly range: number;
  /** U, the most clients that a sum may have. */
  readonly clients: number;
}

/** Whoever has the secret key: all clients of the federation, and not the server. Release it when done. */
export interface CkksKeyHolder {
  /** A ciphertext of up to SLOTS numbers, with fresh noise. Throws FedleakError at a number outside the range. */
  encrypt(values: ArrayLike<number>): Uint8Array;
  /** The first `count` numbers of a ciphertext or of a sum of at most U of them, in float64. */
  decrypt(ciphertext: Uint8Array, count: number): Float64Array;
  release(): void;
}

/** Whoever has no key. Release it when done. */
export interface CkksAdder {
  /** The ciphertext of the sum. */
  add(ciphertexts: readonly Uint8Array[]): Uint8Array;
  release(): void;
}

const DEGREE = 4096; // N; the smallest with room for a 60-bit modulus: 128 bits of security allow 109 (homomorphicencryption.org, 2018)
const MODULUS_BITS = 60; // one prime, as additions alone need no second; SEAL's largest
/** Numbers in one ciphertext, N/2. */
export const SLOTS = DEGREE / 2;

/**
 * Fresh CKKS keys, held by the clients: approximate additions on ciphertexts, by Microsoft SEAL in WebAssembly.
 *
 * Encryption is symmetric, so that a fresh ciphertext is one polynomial and a seed: 8N bytes for N/2 numbers, 16 a number. SEAL
 * draws keys and noise itself from the platform's generator; no seed can be given to it. Numbers are divided by the range and
 * scaled by 2^(57 − ⌈log2 U⌉), so a sum's coefficients stay below a quarter of the 60-bit modulus: they cannot wrap.
 * Threat model: a server without the key that follows the protocol, and no client on its side. Whoever decrypts must not
 * show the numbers at full precision to one who has the ciphertexts: their noise betrays the key (Li and Micciancio 2021).
 * Source: Cheon et al., "Homomorphic encryption for arithmetic of approximate numbers", ASIACRYPT 2017.
 */
export async function openCkksKeys(plan: CkksPlan): Promise<CkksKeyHolder> {
  const { seal, context, release } = await opened();
  const scale = scaleOf(plan);
  const generator = seal.KeyGenerator(context);
  const [secretKey, publicKey] = [generator.secretKey(), generator.createPublicKey()]; // SEAL wants one to make an encryptor
  const encryptor = seal.Encryptor(context, publicKey, secretKey);
  const decryptor = seal.Decryptor(context, secretKey);
  const encoder = seal.CKKSEncoder(context);
  const [plain, cipher] = [seal.PlainText(), seal.CipherText()];
  return {
    encrypt: (values) => {
      encoder.encode(scaled(values, plan), scale, plain);
      const made = encryptor.encryptSymmetricSerializable(plain);
      const bytes = made.saveArray(seal.ComprModeType.none);
      made.delete();
      return bytes;
    },
    decrypt: (ciphertext, count) => {
      cipher.loadArray(context, ciphertext);
      decryptor.decrypt(cipher, plain);
      return encoder
        .decode(plain)
        .slice(0, count)
        .map((value) => value * plan.range);
    },
    release: () => {
      for (const part of [plain, cipher, encoder, decryptor, encryptor, publicKey, secretKey, generator]) part.delete();
      release();
    },
  };
}

/** A server that can add ciphertexts and nothing else: it knows the parameters and no key. */
export async function openCkksAdder(): Promise<CkksAdder> {
  const { seal, context, release } = await opened();
  const evaluator = seal.Evaluator(context);
  const [sum, next] = [seal.CipherText(), seal.CipherText()];
  return {
    add: (ciphertexts) => {
      const [first, ...rest] = ciphertexts;
      sum.loadArray(context, first!);
      for (const bytes of rest) {
        next.loadArray(context, bytes);
        evaluator.add(sum, next, sum);
      }
      return sum.saveArray(seal.ComprModeType.none);
    },
    release: () => {
      for (const part of [sum, next, evaluator]) part.delete();
      release();
    },
  };
}

/** SEAL and the parameters that everybody knows. */
async function opened() {
  const { default: open } = await import("node-seal"); // loaded where it is needed: it takes a tenth of a second
  const seal = await (open as unknown as () => Promise<SEALLibrary>)(); // its types forget that it is a CommonJS module
  const parameters = seal.EncryptionParameters(seal.SchemeType.ckks);
  parameters.setPolyModulusDegree(DEGREE);
  parameters.setCoeffModulus(seal.CoeffModulus.Create(DEGREE, Int32Array.of(MODULUS_BITS)));
  const context = seal.Context(parameters, true, seal.SecurityLevel.tc128);
  const release = () => {
    context.delete();
    parameters.delete();
  };
  return { seal, context, release };
}

function scaleOf({ clients }: CkksPlan): number {
  return 2 ** (MODULUS_BITS - 3 - Math.ceil(Math.log2(clients)));
}

function scaled(values: ArrayLike<number>, { range }: CkksPlan): Float64Array {
  return Float64Array.from(values, (value, i) => {
    if (Math.abs(value) <= range) return value / range;
    return fail({
      who: "ckks",
      must: `every entry must be a number from −${range} to ${range}`,
      got: `${value} at ${i}`,
      remedy: "Agree on a larger range, or clip the update.",
    });
  });
}
