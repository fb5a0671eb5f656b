import { InvalidArgumentError } from 'commander';
import { UserError } from '../../model/errors.ts';
import { type ListenAddress, parseListenAddress } from '../../model/listen-address.ts';
import { parseDuration, parseSize } from '../option-values.ts';

/** Values of the options of `server` that are more than text. */

/** HOST:PORT; IPv6 in brackets. */
export function parseListen(text: string): ListenAddress {
  try {
    return parseListenAddress(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new InvalidArgumentError(`${error.hint ?? error.message}.`);
  }
}

const DAYS = /^(\d{1,6}(?:\.\d+)?)d$/;

/** `14d`, `12h`, or `none`, which is null. In seconds. */
export function parseAge(text: string): number | null {
  if (text === 'none') return null;
  const days = DAYS.exec(text);
  const seconds = days === null ? parseDuration(text) / 1e9 : Number(days[1]) * 86_400;
  if (seconds < 60) throw new InvalidArgumentError('It must be a minute or more, or none.');
  return Math.round(seconds);
}

const SMALLEST_KEPT = 10_000_000;

/** `50GB`, or `none`, which is null. In bytes. */
export function parseKeptSize(text: string): number | null {
  if (text === 'none') return null;
  const bytes = parseSize(text);
  if (bytes < SMALLEST_KEPT) throw new InvalidArgumentError('It must be 10MB or more, or none.');
  return bytes;
}

const SMALLEST_MEMORY = 128_000_000;

/** `1GB`. In bytes. */
export function parseMemory(text: string): number {
  const bytes = parseSize(text);
  if (bytes < SMALLEST_MEMORY) throw new InvalidArgumentError('It must be 128MB or more.');
  return bytes;
}
