import type { IncomingMessage } from 'node:http';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { UserError } from '../model/errors.ts';
import { ServerUnreachable } from './server-unreachable.ts';

/**
 * Reads the body of an answer to its end, uncompressed. Never holds more than `maxBytes`.
 *
 * @throws UserError when it is larger, ServerUnreachable when it is cut off or wrongly compressed
 */
export async function readBody(message: IncomingMessage, maxBytes: number, shown: string): Promise<Buffer> {
  const coding = message.headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity' && coding !== 'gzip')
    throw new ServerUnreachable('not-http', `${shown} compresses with something that was not asked for`);
  const bytes =
    coding === 'gzip'
      ? pipeline(message, createGunzip(), () => {
          // Failures come out of the loop below.
        })
      : message;
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of bytes as AsyncIterable<Buffer>) {
      length += chunk.byteLength;
      if (length > maxBytes) {
        message.destroy();
        throw new UserError('answer-too-large', `the answer of ${shown} is larger than ${maxBytes} bytes`, {
          hint: 'ask for less, as with --limit',
        });
      }
      chunks.push(chunk);
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code?.startsWith('Z_')) throw new ServerUnreachable('not-http', `the answer of ${shown} is damaged`);
    throw error;
  }
  if (!message.complete) throw new ServerUnreachable('cut', `${shown} cut the connection within its answer`);
  return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
}
