import type { TextOutput } from '../src/model/text-output.ts';

/** Output that keeps everything as bytes, for formats that are not text. */
export function bytesInMemory(): TextOutput & { bytes(): ArrayBuffer } {
  const pieces: Uint8Array[] = [];
  return {
    write: (text) => {
      pieces.push(Buffer.from(text));
    },
    writeBytes: (bytes) => {
      pieces.push(bytes);
    },
    drain: () => null,
    flush: async () => {},
    bytes: () => {
      const all = Buffer.concat(pieces);
      return new Uint8Array(all).buffer;
    },
  };
}
