/** Points in time as people give them in queries. */

const RFC3339 = /^(\d{4})-(\d{2})-(\d{2})[Tt ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2})$/;
const UNIX_SECONDS = /^(\d{1,12})(?:\.(\d{1,9}))?$/;
const RELATIVE = /^-(\d{1,9})(s|m|min|h|d)$/;
const US_PER: Readonly<Record<string, number>> = { s: 1e6, m: 60e6, min: 60e6, h: 3600e6, d: 86_400e6 };

/** Microseconds of the decimals after a second; further digits are cut. */
const fractionUs = (digits: string | undefined): number =>
  digits === undefined ? 0 : Number(digits.slice(0, 6).padEnd(6, '0'));

/**
 * `2026-11-21T07:42:00.5Z` (RFC 3339, any offset), Unix seconds (`1795246920.25`), `-15m` (s, m, h, d before `nowUs`)
 * or `now`. In Unix microseconds, an integer; null: none of these, or a day that does not exist.
 */
export function parseMoment(text: string, nowUs: number): number | null {
  if (text === 'now') return nowUs;
  const relative = RELATIVE.exec(text);
  if (relative !== null) return nowUs - Number(relative[1]) * US_PER[relative[2]];
  const unix = UNIX_SECONDS.exec(text);
  if (unix !== null) {
    const us = Number(unix[1]) * 1e6 + fractionUs(unix[2]);
    return Number.isSafeInteger(us) ? us : null;
  }
  return rfc3339Us(text);
}

function rfc3339Us(text: string): number | null {
  const match = RFC3339.exec(text);
  if (match === null) return null;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  // A leap second is the second after it: Unix time has none.
  if (hour > 23 || minute > 59 || second > 60) return null;
  const midnight = new Date(0);
  midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return null;
  const offset = match[8].toUpperCase() === 'Z' ? 0 : offsetMinutes(match[8]);
  if (offset === null) return null;
  const seconds = midnight.getTime() / 1000 + hour * 3600 + (minute - offset) * 60 + second;
  return seconds * 1e6 + fractionUs(match[7]);
}

function offsetMinutes(text: string): number | null {
  const hours = Number(text.slice(1, 3));
  const minutes = Number(text.slice(4));
  if (hours > 23 || minutes > 59) return null;
  return (text[0] === '-' ? -1 : 1) * (hours * 60 + minutes);
}

/** RFC 3339 in UTC with microseconds; null stays null, and so does what no calendar holds. */
export function momentText(us: number | null): string | null {
  if (us === null) return null;
  const second = Math.floor(us / 1e6);
  const date = new Date(second * 1000);
  if (Number.isNaN(date.getTime())) return null;
  return `${date.toISOString().slice(0, -5)}.${String(us - second * 1e6).padStart(6, '0')}Z`;
}
