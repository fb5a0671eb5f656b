import { isIP } from 'node:net';
import { InvalidArgumentError } from 'commander';
import { parseNet } from '../../capture/packet-filter/addresses.ts';
import { isDuration, parseDuration, parseSize } from '../option-values.ts';
import { SNAPLEN } from './live-flags.ts';

/** Values of the options of `capture` that are more than text. */

const WHOLE = /^\d{1,12}$/;
const KIB = 1024;
const MB = 1_000_000;
/** tcpdump's suffixes of -C. */
const BINARY: Readonly<Record<string, number>> = { k: KIB, m: KIB ** 2, g: KIB ** 3 };
const LARGEST_RING = 2 * KIB ** 3;
/** More cores than that one interface keeps busy. */
const MOST_WORKERS = 64;

/** `64MiB`; a bare number is KiB, as with tcpdump -B. In bytes. */
export function parseBuffer(text: string): number {
  const bytes = WHOLE.test(text) ? Number(text) * KIB : parseSize(text);
  if (bytes < 1 || bytes > LARGEST_RING)
    throw new InvalidArgumentError('It must be more than nothing and no more than 2 GiB.');
  return bytes;
}

/** Bytes kept of a packet; 0 is the default, as with tcpdump. */
export function parseSnaplen(text: string): number {
  const bytes = WHOLE.test(text) ? Number(text) : Number.NaN;
  if (!(bytes <= SNAPLEN))
    throw new InvalidArgumentError(`It must be a number of bytes from 1 to ${SNAPLEN}; 0 means ${SNAPLEN}.`);
  return bytes === 0 ? SNAPLEN : bytes;
}

/** Bytes of a file: a bare number counts millions of bytes, `k`, `m` and `g` powers of 1024, as with tcpdump -C. */
export function parseFileSize(text: string): number {
  const match = /^(\d{1,12})([kmg]?)$/i.exec(text);
  const bytes = match === null ? parseSize(text) : Number(match[1]) * (BINARY[match[2].toLowerCase()] ?? MB);
  if (bytes < 1) throw new InvalidArgumentError('It must be more than nothing.');
  return bytes;
}

/** Whole seconds from 1: `60`, `10min`, `1h`. */
export function parseSeconds(text: string): number {
  const seconds = parseDuration(text) / 1e9;
  if (seconds < 1 || !Number.isInteger(seconds))
    throw new InvalidArgumentError('It must be a whole number of seconds from 1, as 60, 10min or 1h.');
  return seconds;
}

/** When a SQLite file is full: by time, or by size. */
export type RotateWords = { readonly durationNs: number } | { readonly bytes: number };

/** `10min` or `1h` is a time, `100MB` or `1GiB` a size; a number alone is neither. */
export function parseRotate(text: string): RotateWords {
  if (WHOLE.test(text))
    throw new InvalidArgumentError('It must say its unit: a time such as 10min, or a size such as 100MB.');
  if (isDuration(text)) {
    const durationNs = parseDuration(text);
    if (durationNs < 1e9) throw new InvalidArgumentError('It must be a second or more.');
    return { durationNs };
  }
  return { bytes: parseSize(text) };
}

/** The number of a fanout group. */
export function parseFanout(text: string): number {
  const group = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(group <= 65_535)) throw new InvalidArgumentError('It must be a number from 0 to 65535.');
  return group;
}

/** Threads that capture. */
export function parseWorkers(text: string): number {
  const workers = /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  if (!(workers >= 1 && workers <= MOST_WORKERS))
    throw new InvalidArgumentError(`It must be a number from 1 to ${MOST_WORKERS}.`);
  return workers;
}

/** IPv4 or IPv6 addresses separated by commas, added to those given before. */
export function parseHosts(text: string, before: readonly string[] = []): readonly string[] {
  const hosts = text.split(',').map((host) => host.trim());
  const wrong = hosts.find((host) => isIP(host) === 0);
  if (wrong !== undefined)
    throw new InvalidArgumentError(`'${wrong}' is not an IPv4 or IPv6 address; names are never looked up.`);
  return [...before, ...hosts];
}

/** Networks as `10.0.0.0/8` or `2001:db8::/32`, separated by commas, added to those given before. */
export function parseNets(text: string, before: readonly string[] = []): readonly string[] {
  const nets = text.split(',').map((net) => net.trim());
  const wrong = nets.find((net) => !isNet(net));
  if (wrong !== undefined)
    throw new InvalidArgumentError(`'${wrong}' is not a network such as 10.0.0.0/8 or 2001:db8::/32.`);
  return [...before, ...nets];
}

function isNet(text: string): boolean {
  try {
    parseNet(text);
    return true;
  } catch {
    return false;
  }
}
