import { EXIT, UserError } from '../../../model/errors.ts';

/** Width of what a conversion tells apart, in seconds; 0: it tells no time. */
interface Conversion {
  readonly seconds: number;
  text(time: Date): string;
}

const DAY = 86_400;
const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December',
]; // biome-ignore format: one line reads better

const two = (value: number): string => String(value).padStart(2, '0');
const three = (value: number): string => String(value).padStart(3, '0');
const hour12 = (time: Date): number => time.getHours() % 12 || 12;

/** Days since the first of January, by the calendar. */
function dayOfYear(time: Date): number {
  const midnight = Date.UTC(time.getFullYear(), time.getMonth(), time.getDate());
  return (midnight - Date.UTC(time.getFullYear(), 0, 1)) / (DAY * 1000);
}

/** `+0100` */
function zone(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${two(size % 60)}`;
}

const CONVERSIONS: Readonly<Record<string, Conversion>> = {
  s: { seconds: 1, text: (time) => String(Math.floor(time.getTime() / 1000)) },
  S: { seconds: 1, text: (time) => two(time.getSeconds()) },
  T: { seconds: 1, text: (time) => `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}` },
  M: { seconds: 60, text: (time) => two(time.getMinutes()) },
  R: { seconds: 60, text: (time) => `${two(time.getHours())}:${two(time.getMinutes())}` },
  H: { seconds: 3600, text: (time) => two(time.getHours()) },
  I: { seconds: 3600, text: (time) => two(hour12(time)) },
  p: { seconds: 12 * 3600, text: (time) => (time.getHours() < 12 ? 'AM' : 'PM') },
  d: { seconds: DAY, text: (time) => two(time.getDate()) },
  e: { seconds: DAY, text: (time) => String(time.getDate()).padStart(2, ' ') },
  j: { seconds: DAY, text: (time) => three(dayOfYear(time) + 1) },
  u: { seconds: DAY, text: (time) => String(time.getDay() || 7) },
  w: { seconds: DAY, text: (time) => String(time.getDay()) },
  a: { seconds: DAY, text: (time) => DAYS[time.getDay()].slice(0, 3) },
  A: { seconds: DAY, text: (time) => DAYS[time.getDay()] },
  F: { seconds: DAY, text: (time) => `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}` },
  U: { seconds: 7 * DAY, text: (time) => two(Math.floor((dayOfYear(time) + 7 - time.getDay()) / 7)) },
  W: { seconds: 7 * DAY, text: (time) => two(Math.floor((dayOfYear(time) + 7 - ((time.getDay() + 6) % 7)) / 7)) },
  m: { seconds: 28 * DAY, text: (time) => two(time.getMonth() + 1) },
  b: { seconds: 28 * DAY, text: (time) => MONTHS[time.getMonth()].slice(0, 3) },
  h: { seconds: 28 * DAY, text: (time) => MONTHS[time.getMonth()].slice(0, 3) },
  B: { seconds: 28 * DAY, text: (time) => MONTHS[time.getMonth()] },
  y: { seconds: 365 * DAY, text: (time) => two(time.getFullYear() % 100) },
  Y: { seconds: 365 * DAY, text: (time) => String(time.getFullYear()) },
  C: { seconds: 36_524 * DAY, text: (time) => two(Math.floor(time.getFullYear() / 100)) },
  z: { seconds: 0, text: zone },
  '%': { seconds: 0, text: () => '%' },
}; // biome-ignore format: one line each

/** What makes a day of the calendar unmistakable, as conversions that must all be there. */
const DATES = ['Ymd', 'Yme', 'Ybd', 'Yhd', 'YBd', 'Yj', 'F', 'ymd', 'yj'];
/** What makes a time of the day unmistakable down to the hour. */
const HOURS = ['H', 'T', 'R', 'Ip'];

/**
 * A file name with conversions of strftime(3), in local time and the C locale as tcpdump -G takes it. What would put
 * a slash into the name, or depends on the system, is refused.
 */
export class TimePattern {
  readonly #pattern: string;
  /** Letters of the conversions in it. */
  readonly #letters: readonly string[];

  /** @throws UserError (usage) for a conversion that is not understood */
  constructor(pattern: string) {
    this.#pattern = pattern;
    this.#letters = [...pattern.matchAll(/%(.?)/gsu)].map(([, letter]) => letter);
    const unknown = this.#letters.find((letter) => CONVERSIONS[letter] === undefined);
    if (unknown !== undefined) {
      throw new UserError('usage', `-w: '%${unknown}' is not understood in the name of a file`, {
        hint: `understood are %${Object.keys(CONVERSIONS).join(' %')}`,
        exitCode: EXIT.usage,
      });
    }
  }

  /** Shortest time after which the name is certain to be another one, in seconds; null: it never is. */
  get stepSeconds(): number | null {
    const steps = this.#letters.map((letter) => CONVERSIONS[letter].seconds).filter((seconds) => seconds > 0);
    return steps.length === 0 ? null : Math.min(...steps);
  }

  /** True: the same names come again after a while, as with `%H` alone. */
  get recurs(): boolean {
    if (this.#letters.includes('s')) return false;
    const has = (letters: string): boolean => [...letters].every((letter) => this.#letters.includes(letter));
    if (!DATES.some(has)) return true;
    // A gap in the letters: the hour is missing between the date and the minutes.
    const step = this.stepSeconds ?? DAY;
    if (step >= DAY) return false;
    if (!HOURS.some(has)) return true;
    return step < 60 && !has('T') && !has('M') && !has('R');
  }

  /** The name for a time, in whole seconds since 1970. */
  at(unixSeconds: number): string {
    const time = new Date(unixSeconds * 1000);
    return this.#pattern.replace(/%(.)/gsu, (_, letter: string) => CONVERSIONS[letter].text(time));
  }

  /** True for names that the pattern may give, as far as the place of its conversions tells. */
  mayGive(name: string): boolean {
    const literal = this.#pattern
      .split(/%.?/su)
      .map((text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('[^/]+');
    return new RegExp(`^${literal}\\d*$`, 's').test(name);
  }
}
