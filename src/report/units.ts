/** Numbers as people read them. Three significant digits, decimal prefixes, one space before the unit. */

/** `1,234,567`. Whole numbers only. */
export function formatCount(count: number): string {
  const digits = String(Math.round(count));
  return digits.length < 4 ? digits : digits.replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Three significant digits, never more than needed: 1.23, 12.3, 123. */
function threeDigits(value: number): string {
  if (value < 9.995) return value.toFixed(2);
  if (value < 99.95) return value.toFixed(1);
  return value.toFixed(0);
}

const DURATION_UNITS = [
  [1e3, 'µs'],
  [1e6, 'ms'],
  [1e9, 's'],
] as const;

/** `0 ns`, `12.3 µs`, `1.23 ms`, `98.7 s`, `2 min 3 s`, `5 h 12 min`, `3 d 4 h`; an en dash for null. */
export function formatDuration(ns: number | null): string {
  if (ns === null) return '–';
  if (ns < 0) return `-${formatDuration(-ns)}`;
  if (ns < 1000) return `${Math.round(ns)} ns`;
  for (const [scale, unit] of DURATION_UNITS) {
    if (ns / scale < 999.5 && !(unit === 's' && ns >= 119.5e9)) return `${threeDigits(ns / scale)} ${unit}`;
  }
  const seconds = Math.round(ns / 1e9);
  if (seconds < 7200) return twoUnits(seconds, 60, 'min', 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 2880) return twoUnits(minutes, 60, 'h', 'min');
  return twoUnits(Math.round(minutes / 60), 24, 'd', 'h');
}

function twoUnits(value: number, per: number, large: string, small: string): string {
  const rest = value % per;
  return `${formatCount((value - rest) / per)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`;
}

const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `512 B`, `1.46 kB`, `911 MB`: powers of 1000. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`;
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${threeDigits(value)} ${BYTE_UNITS[unit]}`;
}

/** Events per second without the unit: `27,700`, `12.3`, `0.05`, `<0.01`; an en dash for null. */
export function formatRate(perSecond: number | null): string {
  if (perSecond === null) return '–';
  if (perSecond === 0) return '0';
  if (perSecond >= 99.95) return formatCount(perSecond);
  return perSecond < 0.01 ? '<0.01' : threeDigits(perSecond);
}

/** `1 packet`, `2 packets`, with the count grouped. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${formatCount(count)} ${count === 1 ? singular : plural}`;
}
