/** Where compiled programs are kept between processes: a folder, a database, nothing. Neither function may throw. */
export interface ProgramStore {
  /** Of what programs depend on beside their graph: this program's code, onnxruntime, the machine. Another text, other keys. */
  readonly about: string;
  /** The bytes that were written under this key; undefined where there are none. They may be damaged. */
  read(key: string): Promise<Uint8Array | undefined>;
  /** Keeps bytes under a key of 64 hexadecimal digits, as a whole or not at all. */
  write(key: string, bytes: Uint8Array): Promise<void>;
}
