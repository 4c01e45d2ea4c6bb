/** What the decoder gives, in the schema's names. Integers of 64 bits are objects that `Number` understands. */
export type Int64 = { toString(): string };

export interface RawModel {
  readonly producerName: string;
  readonly producerVersion: string;
  readonly graph: RawGraph | null;
  readonly opsetImport: readonly { readonly domain: string; readonly version: Int64 }[];
  readonly functions: readonly Uint8Array[];
}

export interface RawGraph {
  readonly node: readonly RawNode[];
  readonly initializer: readonly RawTensor[];
  readonly input: readonly RawValueInfo[];
  readonly output: readonly RawValueInfo[];
  readonly sparseInitializer: readonly Uint8Array[];
}

export interface RawNode {
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name: string;
  readonly opType: string;
  readonly domain: string;
  readonly attribute: readonly RawAttribute[];
}

export interface RawAttribute {
  readonly name: string;
  readonly f: number;
  readonly i: Int64;
  readonly s: Uint8Array;
  readonly t: RawTensor | null;
  readonly floats: readonly number[];
  readonly ints: readonly Int64[];
  readonly type: number;
}

export interface RawTensor {
  readonly dims: readonly Int64[];
  readonly dataType: number;
  readonly name: string;
  readonly segment: Uint8Array;
  readonly rawData: Uint8Array;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly int64Data: readonly Int64[];
  readonly doubleData: readonly number[];
  readonly uint64Data: readonly Int64[];
  readonly dataLocation: number;
}

export interface RawValueInfo {
  readonly name: string;
  readonly type: {
    readonly tensorType: {
      readonly shape: { readonly dim: readonly { readonly dimValue: Int64 }[] } | null;
    } | null;
  } | null;
}
