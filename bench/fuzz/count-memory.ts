/**
 * Counts every byte of array buffers that JavaScript makes from here on, by standing in front of their constructors.
 *
 * A buffer that was asked for and never written to counts as well, which no measurement of the process would show.
 */
export function countMemory(): () => number {
  let total = 0;
  for (const Make of TYPES as readonly Constructor[]) {
    const each = Make.BYTES_PER_ELEMENT ?? 1;
    const inFront: Constructor = new Proxy(Make, {
      construct(target, args: readonly unknown[], newTarget): object {
        if (typeof args[0] === "number") total += args[0] * each; // before it is tried
        const made = Reflect.construct(target, args, newTarget === inFront ? target : newTarget) as ArrayBufferView;
        if (typeof args[0] === "object" && !(args[0] instanceof OwnBuffer)) total += made.byteLength;
        return made;
      },
    });
    Object.defineProperty(globalThis, Make.name, { value: inFront, configurable: true, writable: true });
    Object.defineProperty(Make.prototype, "constructor", { value: inFront, configurable: true, writable: true });
  }
  return () => total;
}

type Constructor = (new (
  ...args: readonly unknown[]
) => object) & {
  readonly name: string;
  readonly prototype: object;
  readonly BYTES_PER_ELEMENT?: number;
};

const OwnBuffer = ArrayBuffer;
const TYPES: readonly unknown[] = [
  ArrayBuffer,
  Uint8Array,
  Int8Array,
  Uint16Array,
  Int16Array,
  Uint32Array,
  Int32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];
