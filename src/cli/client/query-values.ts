import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { parseMoment } from '../../model/moment.ts';

/** Option values of `query` that are more than text. All stay as given: the server knows what they mean. */

const SINCE = /^\d{1,9}(s|m|min|h|d)$/;
const BUCKET = /^[1-9]\d{0,8}(s|m|min|h|d)?$/;
const KEY = /^([1-9]\d{0,15}|[0-9a-f]{16})$/i;

export function parseAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('It must be an IP address; names are not looked up.');
  return text;
}

export function parseTime(text: string): string {
  if (parseMoment(text, 0) === null)
    throw new InvalidArgumentError(
      'It must be a time such as 2026-11-21T07:42:00Z, seconds of Unix time, or -15m.',
    );
  return text;
}

export function parseSince(text: string): string {
  if (!SINCE.test(text)) throw new InvalidArgumentError('It must be a time such as 30s, 15m, 2h or 7d.');
  return text;
}

export function parseBucket(text: string): string {
  if (!BUCKET.test(text))
    throw new InvalidArgumentError('It must be whole seconds or more, such as 60s, 5m or 1h.');
  return text;
}

export function parseKey(text: string): string {
  if (!KEY.test(text))
    throw new InvalidArgumentError(
      "It must be the server's number of it, or a uid of 16 hexadecimal digits.",
    );
  return text;
}
