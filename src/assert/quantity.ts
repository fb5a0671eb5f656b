import { Complaint, readDuration, readSize } from '../filter/literals.ts';
import { formatCount } from '../report/units.ts';
import type { Quantity } from './expectation.ts';

const DECIMAL = /^\d{1,15}(?:\.\d{1,15})?$/;
const RATE = /^(\d{1,15}(?:\.\d{1,15})?)\/(s|sec|min|m|h)$/;
const SECONDS: Readonly<Record<string, number>> = { s: 1, sec: 1, min: 60, m: 60, h: 3600 };

export const QUANTITY_NAMES: Readonly<Record<Quantity, string>> = {
  number: 'a number such as 10',
  duration: 'a duration such as 300ms',
  size: 'a size such as 10kB',
  share: 'a share such as 1%',
  rate: 'a rate such as 5/s',
};

/** A value as written beside something of that quantity. */
export function readQuantity(text: string, quantity: Quantity): number | Complaint {
  if (quantity === 'duration') return text === '0' ? 0 : readDuration(text);
  if (quantity === 'size') return readSize(text);
  if (quantity === 'share') return readShare(text);
  if (quantity === 'rate') return readRate(text);
  if (DECIMAL.test(text)) return Number(text);
  return new Complaint(`${text} is not a number`, 'write it as 10 or 2.5');
}

function readShare(text: string): number | Complaint {
  const percent = text.endsWith('%');
  const digits = percent ? text.slice(0, -1) : text;
  if (!DECIMAL.test(digits)) return new Complaint(`${text} is not a share`, 'write it as 1% or 0.01');
  const value = percent ? Number(digits) / 100 : Number(digits);
  if (value > 1)
    return new Complaint(`${text} is more than everything`, percent ? undefined : `did you mean ${text}%?`);
  return value;
}

function readRate(text: string): number | Complaint {
  const match = RATE.exec(text);
  if (match !== null) return Number(match[1]) / SECONDS[match[2]];
  if (DECIMAL.test(text)) return new Complaint(`${text} has no unit`, `write ${text}/s or ${text}/min`);
  return new Complaint(`${text} is not a rate`, 'write it as 5/s or 100/min');
}

const DURATION_STEPS = [
  [1e9, 's'],
  [1e6, 'ms'],
  [1e3, 'µs'],
] as const;
const SIZE_STEPS = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const;

/** Six significant digits: a bound of 300ms and what broke it by little must not look the same. */
function scaled(value: number, steps: readonly (readonly [number, string])[], smallest: string): string {
  const [scale, unit] = steps.find(([least]) => value >= least) ?? [1, smallest];
  return `${Number((value / scale).toPrecision(6))} ${unit}`;
}

/** A measured value for people. */
export function quantityText(value: number | null, quantity: Quantity): string {
  if (value === null) return 'unknown';
  if (quantity === 'duration') return scaled(value, DURATION_STEPS, 'ns');
  if (quantity === 'size') return scaled(value, SIZE_STEPS, 'B');
  if (quantity === 'share') return `${shortNumber(value * 100)} %`;
  return quantity === 'rate' ? `${shortNumber(value)}/s` : shortNumber(value);
}

/** Five significant digits, whole numbers in full. */
function shortNumber(value: number): string {
  if (Number.isInteger(value)) return formatCount(value);
  return String(Number(value.toPrecision(5)));
}
