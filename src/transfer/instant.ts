/** A moment, exact: whole seconds of Unix time, and 0 to 999,999,999 ns beyond. */
export interface Instant {
  readonly seconds: number;
  readonly ns: number;
}

const RFC_3339 =
  /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

/** A time of RFC 3339 with up to 9 digits after the second. null: it is none. A leap second is the next one. */
export function parseInstant(text: string): Instant | null {
  const found = RFC_3339.exec(text);
  if (found === null) return null;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (hour > 23 || minute > 59 || second > 60) return null;
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // The 31st of a month that has 30 days would become the 1st of the next.
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  const offsetHours = Number(found[9] ?? 0);
  const offsetMinutes = Number(found[10] ?? 0);
  if (offsetHours > 23 || offsetMinutes > 59) return null;
  const aheadSeconds = (offsetHours * 60 + offsetMinutes) * 60 * (found[8] === '-' ? -1 : 1);
  const seconds = date.getTime() / 1000 + hour * 3600 + minute * 60 + second - aheadSeconds;
  return { seconds, ns: Number((found[7] ?? '').padEnd(9, '0')) };
}
