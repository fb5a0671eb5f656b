import type { Instant } from './syntax.ts';

/** Values as people write them. Each reader gives the value, or a Complaint about the text. */

export class Complaint {
  readonly message: string;
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    this.message = message;
    this.hint = hint;
  }
}

const LONGEST_LITERAL = 40;
const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);
const WITH_UNIT = /^(\d+)(?:\.(\d+))?([^\d.]*)$/u;

/** `digits.fraction` times `scale`, exact; null: not whole. */
function scaled(digits: string, fraction: string, scale: bigint): bigint | null {
  const numerator = BigInt(digits + fraction) * scale;
  const denominator = 10n ** BigInt(fraction.length);
  return numerator % denominator === 0n ? numerator / denominator : null;
}

function tooLarge(): Complaint {
  return new Complaint('the number is too large', `the largest is ${LARGEST}`);
}

/** `500`: a whole number from 0. */
export function readNumber(text: string): number | Complaint {
  if (/^\d{1,40}$/.test(text)) return BigInt(text) > LARGEST ? tooLarge() : Number(text);
  if (/^-\d/.test(text)) return new Complaint('there are no negative numbers');
  if (/^\d+[.]\d+$/.test(text)) return new Complaint(`${text} is not a whole number`);
  return new Complaint(`${text} is not a number`, 'write digits only, as 500');
}

const NS_PER: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  min: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const DURATION_UNITS = 'ns, us, ms, s, min and h';
const MEANT: Readonly<Record<string, string>> = {
  m: 'min or ms',
  msec: 'ms',
  millis: 'ms',
  usec: 'us',
  nsec: 'ns',
  sec: 's',
  secs: 's',
  second: 's',
  seconds: 's',
  mins: 'min',
  minutes: 'min',
  hours: 'h',
  hrs: 'h',
  d: 'h (24h is a day)',
};

/** `200ms`, `1.5s`, in ns. A number without a unit is refused: nobody knows what was meant. */
export function readDuration(text: string): number | Complaint {
  const match = text.length > LONGEST_LITERAL ? null : WITH_UNIT.exec(text);
  if (match === null) return new Complaint(`${text} is not a duration`, 'write it as 250us, 200ms or 1.5s');
  const [, digits, fraction = '', unit] = match;
  if (unit === '') return new Complaint(`${text} has no unit`, `write ${text}ms or ${text}s`);
  if (!Object.hasOwn(NS_PER, unit)) {
    const meant =
      MEANT[unit.toLowerCase()] ?? (Object.hasOwn(NS_PER, unit.toLowerCase()) ? unit.toLowerCase() : null);
    return new Complaint(
      `${unit} is not a unit of time`,
      meant === null ? `units are ${DURATION_UNITS}` : `write ${meant}`,
    );
  }
  const ns = scaled(digits, fraction, NS_PER[unit]);
  if (ns === null) return new Complaint(`${text} is finer than a nanosecond`);
  return ns > LARGEST ? new Complaint('the duration is too long', 'the longest is 2501h') : Number(ns);
}

const BYTES_PER: Readonly<Record<string, bigint>> = {
  '': 1n,
  b: 1n,
  k: 1_000n,
  kb: 1_000n,
  m: 1_000_000n,
  mb: 1_000_000n,
  g: 1_000_000_000n,
  gb: 1_000_000_000n,
  t: 1_000_000_000_000n,
  tb: 1_000_000_000_000n,
  ki: 1024n,
  kib: 1024n,
  mi: 1024n ** 2n,
  mib: 1024n ** 2n,
  gi: 1024n ** 3n,
  gib: 1024n ** 3n,
  ti: 1024n ** 4n,
  tib: 1024n ** 4n,
};

/** `1500`, `64KiB`, `1.5MB`, in bytes. Units with an i are powers of 1024, the others of 1000; case does not matter. */
export function readSize(text: string): number | Complaint {
  const match = text.length > LONGEST_LITERAL ? null : WITH_UNIT.exec(text);
  if (match === null) return new Complaint(`${text} is not a size`, 'write it as 1500, 64KiB or 1.5MB');
  const [, digits, fraction = '', unit] = match;
  const scale = BYTES_PER[unit.toLowerCase()];
  if (!Object.hasOwn(BYTES_PER, unit.toLowerCase()))
    return new Complaint(
      `${unit} is not a unit of size`,
      'units are B, kB, MB, GB, TB, KiB, MiB, GiB and TiB',
    );
  const bytes = scaled(digits, fraction, scale);
  if (bytes === null) return new Complaint(`${text} is not a whole number of bytes`);
  return bytes > LARGEST ? tooLarge() : Number(bytes);
}

const DATE_TIME =
  /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?([Zz]|[+-]\d\d:?\d\d)?$/;

/**
 * `2026-11-21T10:00:00.5Z` (RFC 3339, at most nine digits after the second), or `+30s`: since the whole second in
 * which the run's first packet was captured.
 */
export function readTime(text: string): Instant | Complaint {
  if (/^\+\d/.test(text) && !/^\+\d\d:/.test(text)) {
    const ns = readDuration(text.slice(1));
    if (ns instanceof Complaint) return ns;
    return { relative: true, seconds: Math.floor(ns / 1e9), ns: ns % 1e9 };
  }
  const match = text.length > LONGEST_LITERAL ? null : DATE_TIME.exec(text);
  if (match === null) {
    const duration = readDuration(text);
    const hint =
      typeof duration === 'number'
        ? `+${text} is that long after the run began`
        : 'write it as 2026-11-21T10:00:00Z, or as +30s after the run began';
    return new Complaint(`${text} is not a time`, hint);
  }
  const [, year, month, day, hour, minute, second, fraction = '', zone] = match;
  if (second === undefined || zone === undefined) {
    const whole = `${year}-${month}-${day}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}${fraction === '' ? '' : `.${fraction}`}`;
    return new Complaint(
      'the time is not whole',
      `write ${whole}${zone ?? 'Z'}${zone === undefined ? ' for UTC' : ''}`,
    );
  }
  const date = new Date(0);
  // Not Date.UTC, which takes years below 100 for those of the last century.
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  const offset = /[Zz]/.test(zone) ? 0 : offsetMinutes(zone);
  const exists =
    date.getUTCMonth() === Number(month) - 1 &&
    date.getUTCDate() === Number(day) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) <= 60;
  if (!exists || offset === null) return new Complaint(`there is no such time as ${text}`);
  return {
    relative: false,
    seconds: date.getTime() / 1000 + Number(hour) * 3600 + (Number(minute) - offset) * 60 + Number(second),
    ns: Number(fraction.padEnd(9, '0')),
  };
}

function offsetMinutes(zone: string): number | null {
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(-2))];
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}
