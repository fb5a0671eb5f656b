import type { Readable } from 'node:stream';
import { type JsonBounds, parseBounded, utf8Text } from '../transfer/bounded-json.ts';
import { AnswerError } from './answer-error.ts';
import type { UploadHold } from './upload-gate.ts';

/**
 * The whole body, in one buffer of its own. `announcedBytes`: Content-Length, null when it is not said.
 *
 * @throws AnswerError 413 beyond `maxBytes`, 503 when `hold` has no room, 400 when the body breaks off
 */
export async function readBody(
  payload: Readable,
  {
    announcedBytes,
    maxBytes,
    hold,
  }: { announcedBytes: number | null; maxBytes: number; hold: UploadHold | null },
): Promise<Buffer> {
  const tooLarge = () =>
    new AnswerError(413, 'too-large', `the body is more than ${maxBytes} bytes`, {
      hint: 'send less at once',
    });
  if (announcedBytes !== null && announcedBytes > maxBytes) throw tooLarge();
  if (announcedBytes !== null) hold?.grow(announcedBytes);
  const parts: Buffer[] = [];
  let bytes = 0;
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => {
      payload.off('data', take);
      parts.length = 0;
      // The rest is read and thrown away; app.ts bounds for how long.
      payload.resume();
      reject(error);
    };
    const take = (part: Buffer) => {
      bytes += part.length;
      if (bytes > maxBytes) return fail(tooLarge());
      try {
        if (announcedBytes === null) hold?.grow(part.length);
      } catch (error) {
        return fail(error as Error);
      }
      parts.push(part);
    };
    const brokenOff = () => fail(new AnswerError(400, 'cut-body', 'the body broke off'));
    payload.on('data', take);
    payload.once('end', () => resolve(parts.length === 1 ? parts[0] : Buffer.concat(parts, bytes)));
    payload.once('error', brokenOff);
    payload.once('aborted', brokenOff);
  });
}

/** More than any request here has, reports of agents with a thousand interfaces included. */
const BOUNDS: JsonBounds = { depth: 8, containers: 64, members: 256 };

/** @throws UserError `bad-utf8`, `bad-json`, `json-too-complex` */
export function parseJson(body: Uint8Array): unknown {
  return parseBounded(utf8Text(body), BOUNDS);
}
