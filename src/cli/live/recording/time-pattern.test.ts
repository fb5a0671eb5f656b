import { describe, expect, it } from 'vitest';
import { TimePattern } from './time-pattern.ts';

describe('a name with the time', () => {
  // Local times are made from parts, so that the test holds wherever it runs.
  const time = new Date(2026, 0, 9, 4, 5, 6).getTime() / 1000;

  it('is that of strftime', () => {
    const name = new TimePattern('%Y-%m-%d %H:%M:%S %y %j %e %I%p %b %B %a %A %F %T %R %u %w %C 100%%').at(
      time,
    );
    expect(name).toBe(
      '2026-01-09 04:05:06 26 009  9 04AM Jan January Fri Friday 2026-01-09 04:05:06 04:05 5 5 20 100%',
    );
    expect(new TimePattern('x%s').at(time)).toBe(`x${time}`);
    // Weeks that begin on Sunday the 4th and Monday the 5th.
    expect(new TimePattern('%U %W').at(time)).toBe('01 01');
    expect(new TimePattern('%I%p').at(new Date(2026, 0, 9, 12, 0, 0).getTime() / 1000)).toBe('12PM');
  });

  it.each([
    ['%H', 3600, true],
    ['%Y%m%d', 86_400, false],
    ['%Y%m%d-%H%M%S', 1, false],
    ['%s', 1, false],
    ['%m%d-%H', 3600, true],
    ['%Y%m%d-%M', 60, true],
    ['%Y%m%d-%H%S', 1, true],
    ['%F_%T', 1, false],
    ['%%', null, true],
  ])('%s changes every %s seconds; comes again: %s', (pattern, seconds, recurs) => {
    expect(new TimePattern(pattern).stepSeconds).toBe(seconds);
    expect(new TimePattern(pattern).recurs).toBe(recurs);
  });
});
