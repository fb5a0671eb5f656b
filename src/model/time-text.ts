/** Times as text. `ns` counts from the run's epoch, which is a whole second of Unix time; see RunClock. */

let lastSecond = Number.NaN;
let lastPrefix = '';

/** `2026-11-21T07:42:00`, in UTC, for a whole second of Unix time. Years beyond what a Date can hold become 1970. */
function dateTime(second: number): string {
  if (second !== lastSecond) {
    const date = new Date(second * 1000);
    const valid = !Number.isNaN(date.getTime());
    lastPrefix = (valid ? date : new Date(0)).toISOString().slice(0, -5);
    lastSecond = second;
  }
  return lastPrefix;
}

/**
 * RFC 3339 in UTC with 6 or 9 digits after the second: `2026-11-21T07:42:00.123456789Z`. Exact: seconds and
 * nanoseconds are never one number. `digits` 6 becomes 9 when it would lose something.
 */
export function rfc3339(epochSeconds: number | null, ns: number, digits: 6 | 9): string {
  const whole = Math.floor(ns / 1e9);
  const fraction = Math.round(ns - whole * 1e9);
  const text = String(1_000_000_000 + fraction);
  const shown = digits === 6 && fraction % 1000 === 0 ? text.slice(1, 7) : text.slice(1);
  return `${dateTime((epochSeconds ?? 0) + whole)}.${shown}Z`;
}
