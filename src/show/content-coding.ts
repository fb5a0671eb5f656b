import type { Transform } from 'node:stream';
import zlib from 'node:zlib';
import { Decompress } from 'fzstd';

export interface Decoded {
  readonly bytes: Uint8Array;
  /** There is more than the limit let through. */
  readonly cut: boolean;
  /** Why decoding stopped; null: it came to an end, or to the limit. */
  readonly fault: string | null;
}

/** Codings that can be taken off (RFC 9110 §8.4.1, RFC 7932, RFC 8878). */
export const CODINGS: readonly string[] = ['gzip', 'x-gzip', 'deflate', 'br', 'zstd', 'identity'];

/** Larger windows of zstd are not decoded: RFC 9659 allows no more in HTTP. */
const ZSTD_WINDOW_BYTES = 8 * 1024 * 1024;

/**
 * Takes a content coding off, as far as the bytes and `limitBytes` of output go: what does not end, or breaks, is
 * decoded up to there. Never holds more than the limit and one block of output.
 */
export async function decode(coding: string, bytes: Uint8Array, limitBytes: number): Promise<Decoded> {
  if (coding === 'identity') {
    return { bytes: bytes.subarray(0, limitBytes), cut: bytes.length > limitBytes, fault: null };
  }
  if (coding === 'zstd') return unzstd(bytes, limitBytes);
  const decoder = decoderOf(coding, bytes);
  return decoder === null
    ? { bytes: new Uint8Array(0), cut: false, fault: `the coding ${coding} is not known` }
    : through(decoder, bytes, limitBytes);
}

function decoderOf(coding: string, bytes: Uint8Array): Transform | null {
  const { Z_SYNC_FLUSH, BROTLI_OPERATION_FLUSH } = zlib.constants;
  const lenient = { finishFlush: Z_SYNC_FLUSH };
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return zlib.createGunzip(lenient);
    case 'deflate':
      // Meant is zlib (RFC 1950), but some servers send the bare format (RFC 1951).
      return isZlib(bytes) ? zlib.createInflate(lenient) : zlib.createInflateRaw(lenient);
    case 'br':
      return zlib.createBrotliDecompress({ finishFlush: BROTLI_OPERATION_FLUSH });
    default:
      return null;
  }
}

function isZlib(bytes: Uint8Array): boolean {
  return bytes.length >= 2 && (bytes[0] & 0x0f) === 8 && ((bytes[0] << 8) | bytes[1]) % 31 === 0;
}

function through(decoder: Transform, bytes: Uint8Array, limitBytes: number): Promise<Decoded> {
  return new Promise((resolve) => {
    const parts: Uint8Array[] = [];
    let length = 0;
    let isOver = false;
    const end = (fault: string | null): void => {
      if (isOver) return;
      isOver = true;
      decoder.destroy();
      const whole = Buffer.concat(parts);
      resolve({ bytes: whole.subarray(0, limitBytes), cut: whole.length > limitBytes, fault });
    };
    decoder.on('data', (part: Uint8Array) => {
      parts.push(part);
      length += part.length;
      if (length > limitBytes) end(null);
    });
    decoder.on('error', (error) => end(error.message));
    decoder.on('end', () => end(null));
    decoder.end(bytes);
  });
}

function unzstd(bytes: Uint8Array, limitBytes: number): Decoded {
  const parts: Uint8Array[] = [];
  let length = 0;
  let fault = zstdFault(bytes);
  if (fault === null) {
    const enough = new Error('enough');
    try {
      const decoder = new Decompress((part) => {
        parts.push(part.slice());
        length += part.length;
        if (length > limitBytes) throw enough;
      });
      decoder.push(bytes);
    } catch (error) {
      if (error !== enough) fault = error instanceof Error ? error.message : String(error);
    }
  }
  const whole = Buffer.concat(parts);
  return { bytes: whole.subarray(0, limitBytes), cut: whole.length > limitBytes, fault };
}

/** Why a zstd frame is not tried (RFC 8878 §3.1.1.1): its window would take the memory before any output. */
function zstdFault(bytes: Uint8Array): string | null {
  if (bytes.length < 6) return 'too short';
  const descriptor = bytes[4];
  if ((descriptor & 0x20) === 0) {
    const window = bytes[5];
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7) > ZSTD_WINDOW_BYTES ? 'its window is larger than 8 MiB' : null;
  }
  // A single segment: its window is its content.
  const idBytes = [0, 1, 2, 4][descriptor & 3] as number;
  const sizeBytes = [1, 2, 4, 8][descriptor >> 6] as number;
  let size = 0;
  for (let index = sizeBytes - 1; index >= 0; index -= 1)
    size = size * 256 + (bytes[5 + idBytes + index] ?? 0);
  return size > ZSTD_WINDOW_BYTES ? 'it is larger than 8 MiB in one piece' : null;
}
