import { InvalidArgumentError } from 'commander';

/** Option values that are more than text. Errors name what was given and what is understood. */

const COUNT = /^\d{1,15}$/;
const DURATION = /^(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|min|h)?$/;
const SIZE = /^(\d+(?:\.\d+)?)\s*([kmgt]?i?)b?$/i;

const NS_PER: Readonly<Record<string, number>> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: 1e9,
  m: 60e9,
  min: 60e9,
  h: 3600e9,
};

/** A whole number from 1. */
export function parseCount(text: string): number {
  const count = COUNT.test(text) ? Number(text) : 0;
  if (count < 1) throw new InvalidArgumentError('It must be a whole number from 1.');
  return count;
}

/** Ports separated by commas, added to those given before. */
export function parsePorts(text: string, before: readonly number[] = []): readonly number[] {
  const ports = text.split(',').map((part) => {
    const port = /^\d{1,5}$/.test(part.trim()) ? Number(part) : Number.NaN;
    if (!(port >= 0 && port <= 65_535)) {
      throw new InvalidArgumentError(
        `'${part}' is not a port from 0 to 65535; several are separated by commas.`,
      );
    }
    return port;
  });
  return [...before, ...ports];
}

/** True for what `parseDuration` takes: tells the value of `--slow` from the file after it. */
export function isDuration(text: string): boolean {
  return DURATION.test(text);
}

/** `500ms`, `1.5s`, `2min`; a bare number is seconds. In ns. */
export function parseDuration(text: string): number {
  const match = DURATION.exec(text);
  if (match === null)
    throw new InvalidArgumentError('It must be a duration such as 250us, 500ms, 1.5s or 2min.');
  return Math.round(Number(match[1]) * NS_PER[match[2] ?? 's']);
}

/** `100MB`, `512MiB`, `2G`, `1000000`. In bytes. */
export function parseSize(text: string): number {
  const match = SIZE.exec(text);
  const power =
    match === null ? -1 : ['', 'k', 'm', 'g', 't'].indexOf(match[2].toLowerCase().replace('i', ''));
  if (match === null || power < 0)
    throw new InvalidArgumentError('It must be a size such as 100MB, 512MiB or 2GB.');
  const base = match[2].toLowerCase().endsWith('i') ? 1024 : 1000;
  const bytes = Math.round(Number(match[1]) * base ** power);
  if (bytes < 1) throw new InvalidArgumentError('It must be more than nothing.');
  return bytes;
}

/** Name of a SQLite file, which is put together in memory and gets its name as a whole. */
export function parseStorePath(text: string): string {
  if (text === '') throw new InvalidArgumentError('It must be the name of a file.');
  if (text !== '-') return text;
  throw new InvalidArgumentError(
    'A SQLite file cannot be written to standard output: name a file, or use --format json.',
  );
}

/** Puts values of an option that may be repeated together. */
export function gather(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

const FIELD_NAME = /^[!#$%&'*+.^_`|~0-9a-z-]{1,63}$/;

/** Header field names separated by commas, in lower case, added to those given before (RFC 9110 §5.1). */
export function parseNames(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(',').map((part) => part.trim().toLowerCase());
  const wrong = names.find((name) => !FIELD_NAME.test(name));
  if (wrong !== undefined)
    throw new InvalidArgumentError(
      `'${wrong}' is not a name of a header field; several are separated by commas.`,
    );
  return [...before, ...names];
}
