export const SLOWEST_MS = 10_000; // of processor time: beyond, it hangs
export const TIMES = 10; // bytes of memory for a byte of the file
export const FREE_BYTES = 1 << 24; // and this much for any file (our choice): graphs, buffers of the unzipper
