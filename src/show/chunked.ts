import type { Piece } from './message-bytes.ts';

const LF = 10;
const LONGEST_LINE = 4096;

export interface Dechunked {
  readonly pieces: Piece[];
  /** The last chunk and the trailer section were there. */
  readonly whole: boolean;
  /** Why reading stopped before; null: it did not, or the bytes simply end. */
  readonly fault: string | null;
}

/**
 * Takes the chunked coding off a body (RFC 9112 §7.1). Lost bytes inside a chunk stay a loss of that length; where
 * a chunk's size is lost, reading stops.
 */
export function dechunk(pieces: readonly Piece[]): Dechunked {
  const out: Piece[] = [];
  let line = '';
  // Bytes of the current chunk that are still to come; -1: a size line is, -2: the line end after a chunk, -3: trailers.
  let state = -1;
  for (const piece of pieces) {
    if ('lost' in piece) {
      if (state < 0 || piece.lost > state) {
        if (state > 0) out.push({ lost: state });
        return { pieces: out, whole: false, fault: 'the size of a chunk is lost' };
      }
      out.push(piece);
      state -= piece.lost;
      if (state === 0) state = -2;
      continue;
    }
    const { bytes } = piece;
    for (let at = 0; at < bytes.length; ) {
      if (state > 0) {
        const count = Math.min(state, bytes.length - at);
        out.push({ bytes: bytes.subarray(at, at + count) });
        at += count;
        state -= count;
        if (state === 0) state = -2;
        continue;
      }
      const byte = bytes[at];
      at += 1;
      if (byte !== LF) {
        line += String.fromCharCode(byte);
        if (line.length > LONGEST_LINE)
          return { pieces: out, whole: false, fault: 'a chunk has no readable size' };
        continue;
      }
      const text = line.replace(/\r$/, '');
      line = '';
      if (state === -2) {
        if (text !== '') return { pieces: out, whole: false, fault: 'a chunk is longer than its size' };
        state = -1;
      } else if (state === -3) {
        if (text === '') return { pieces: out, whole: true, fault: null };
      } else {
        const size = /^\s*([0-9a-f]{1,13})\s*(;|$)/i.exec(text);
        if (size === null) return { pieces: out, whole: false, fault: 'a chunk has no readable size' };
        state = Number.parseInt(size[1], 16);
        if (state === 0) state = -3;
      }
    }
  }
  return { pieces: out, whole: false, fault: null };
}
