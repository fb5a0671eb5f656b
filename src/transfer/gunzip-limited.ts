import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { UserError } from '../model/errors.ts';

const gunzipAsync = promisify(gunzip);

/**
 * What a gzip'd body holds, read in the thread pool. Rejects with UserError: `too-large` when it would be more than
 * `maxBytes` (and no more than that is ever made of it), `bad-gzip` when it is damaged or cut off.
 */
export async function gunzipLimited(body: Uint8Array, maxBytes: number): Promise<Buffer> {
  try {
    return await gunzipAsync(body, { maxOutputLength: maxBytes });
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
