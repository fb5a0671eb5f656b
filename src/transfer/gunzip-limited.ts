import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { UserError } from '../model/errors.ts';

const gunzipAsync = promisify(gunzip);

/** A batch becomes about so many times as large. */
const USUAL_GROWTH = 8;
/** Bounds of the pieces in which a body is decompressed: each is a turn of the thread pool, and is set aside at once. */
const LEAST_PIECE_BYTES = 16 * 1024;
const MOST_PIECE_BYTES = 1024 * 1024;

/**
 * What a gzip'd body holds, read in the thread pool. Rejects with UserError: `too-large` when it would be more than
 * `maxBytes` (and no more than that is ever made of it), `bad-gzip` when it is damaged or cut off.
 */
export async function gunzipLimited(body: Uint8Array, maxBytes: number): Promise<Buffer> {
  try {
    const chunkSize = Math.min(Math.max(LEAST_PIECE_BYTES, body.length * USUAL_GROWTH), MOST_PIECE_BYTES);
    return await gunzipAsync(body, { maxOutputLength: maxBytes, chunkSize });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_BUFFER_TOO_LARGE') {
      throw new UserError('too-large', `the body is more than ${maxBytes} bytes when decompressed`, {
        hint: 'send fewer exchanges at once',
      });
    }
    if (typeof code === 'string' && code.startsWith('Z_')) {
      throw new UserError('bad-gzip', 'the body is not whole gzip data', { cause: error });
    }
    throw error;
  }
}
