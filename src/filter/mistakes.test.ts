import { describe, expect, it } from 'vitest';
import { EXIT, UserError } from '../model/errors.ts';
import { excerptLines } from '../report/excerpt.ts';
import { parseFilter } from './filter.ts';
import { FILTER_LIMITS } from './limits.ts';

/** What the user sees: message, hint, and which part of the expression is underlined. */
function complaint(text: string): { message: string; hint: string | null; under: string } {
  try {
    parseFilter(text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.code).toBe('filter');
    expect(error.exitCode).toBe(EXIT.usage);
    const { excerpt } = error;
    if (excerpt === null) throw new Error('no excerpt');
    const [line, carets] = excerptLines(excerpt, 1000);
    const from = carets.indexOf('^');
    return {
      message: error.message.replace(/^filter: /, ''),
      hint: error.hint,
      under: line.slice(from, carets.length),
    };
  }
  throw new Error(`no complaint about ${text}`);
}

describe('a mistake in a filter', () => {
  it.each([
    ['statsu >= 500', 'statsu', 'did you mean status?'],
    ['wait > 1s && reponse.bytes > 1MB', 'reponse.bytes', 'did you mean response.bytes?'],
    ['useragent ~ "curl"', 'useragent', 'did you mean user_agent?'],
    ['url ~ "x"', 'url', 'did you mean target?'],
    ['Status == 1', 'Status', 'did you mean status?'],
    ['http.response.code == 500', 'http.response.code', 'did you mean status?'],
    ['xyzzy == 1', 'xyzzy', 'wirelens fields lists them'],
    ['headers["via"]', 'headers', 'header fields are header["content-type"]'],
    ['header ~ "x"', 'header', 'write header["content-type"]'],
    ['wait > 200', '200', 'write 200ms or 200s'],
    ['wait > 200sec', '200sec', 'write s'],
    ['wait > 5m', '5m', 'write min or ms'],
    ['wait > 5MS', '5MS', 'write ms'],
    ['wait > 3weeks', '3weeks', 'units are ns, us, ms, s, min and h'],
    ['request.bytes > 3ms', '3ms', 'units are B, kB, MB, GB, TB, KiB, MiB, GiB and TiB'],
    ['1MB != error', '1MB != error', 'write error or !error'],
    ['status = 500', '=', 'use == to compare'],
    ['status === 500', '===', 'use =='],
    ['host =~ "a"', '=~', 'use ~'],
    ['status <> 500', '<>', 'use !='],
    ['status eq 500', 'eq', 'use =='],
    ['host matches "a"', 'matches', 'use ~'],
    ['error & status == 500', '&', 'use && or the word and'],
    ['error | status == 500', '|', 'use || or the word or'],
    ['status == 500 && (error', '(', 'add )'],
    ['error)', ')', 'take it away'],
    ['(error && )', ')', 'put a condition before it'],
    ['100ms < wait < 1s', '<', 'join two with &&, or use in LOW..HIGH'],
    ['status ~ "^5"', '~', 'write status == 5xx'],
    ['status >= 5xx', '>=', 'write status >= 500'],
    ['status == "500"', '"500"', 'write 500 without quotes'],
    ['method == GET', 'GET', 'write method == "GET"'],
    ['method in "GET"', '"GET"', 'write method in {"GET"}'],
    ['host > "a"', '>', 'it takes ==, !=, ~, !~, contains, startsWith, endsWith and in'],
    ['client ~ "^10"', '~', 'it takes ==, != and in'],
    ['client == 10.0.0.1:80', '10.0.0.1:80', 'ports are a field of their own: client.port == 80'],
    ['client in 10.0.0.0/33', '10.0.0.0/33', 'write client in 10.0.0.1, 10.0.0.0/8 or 2001:db8::/32'],
    ['client in 10.0.0.1..10.0.0.9', '10.0.0.1..10.0.0.9', 'use a network, as 10.0.0.0/24'],
    ['outcome == no-respnse', 'no-respnse', 'did you mean no-response?'],
    ['anomaly == "pipelind"', '"pipelind"', 'did you mean pipelined?'],
    ['pairing == sure', 'sure', 'it is one of exact, inferred, ambiguous'],
    ['error > 1', '>', 'write error or !error'],
    ['error == null', '==', 'write error or !error'],
    ['wait < null', '<', 'use == null or != null'],
    ['status in 500', '500', 'write status == 500, or in {500}'],
    ['status in (500, 502)', '(', 'write status in {…}'],
    ['status in {500 502}', '502', 'separate values with commas'],
    ['status in {}', '{', 'put values into it, separated by commas'],
    ['status in {1, 2', '{', 'add }'],
    ['status in 500..400', '500..400', 'put the lower end first'],
    ['status == 500..599', '..', 'use status in 500..…'],
    ['status 500', '500', 'join conditions with && or ||'],
    ['time > 2026-11-21', '2026-11-21', 'write 2026-11-21T00:00:00Z for UTC'],
    ['time > 2026-11-21T10:00', '2026-11-21T10:00', 'write 2026-11-21T10:00:00Z for UTC'],
    ['time > 30s', '30s', '+30s is that long after the run began'],
    ['"a" in host', 'in', 'write host contains …'],
    ['host == method', 'method', 'if it is a text: host == "method"'],
    ['host ~ "(?=a)"', '"(?=a)"', 'look-around and back references are not there (RE2)'],
    ['host == "a', '"', 'close it with "'],
    ['host == “a”', '“', 'use plain quotes, "…"'],
    ['true', 'true', 'compare it with a field'],
  ])('%s: points at %s and says %s', (text, under, hint) => {
    const found = complaint(text);
    expect(found.under).toBe(under);
    expect(found.hint).toBe(hint);
  });

  it('is told in words that name it', () => {
    expect(complaint('statsu >= 500').message).toBe('there is no field statsu');
    expect(complaint('wait > 200').message).toBe('200 has no unit');
    expect(complaint('host ~ "("').message).toMatch(/^not a regular expression: .*missing closing \)/);
    expect(complaint('status ~ "5"').message).toBe('status is a number, which does not go with ~');
    expect(complaint('time > 2026-02-30T00:00:00Z').message).toBe(
      'there is no such time as 2026-02-30T00:00:00Z',
    );
    expect(complaint('wait > 1.5ns').message).toBe('1.5ns is finer than a nanosecond');
    expect(complaint('status == -1').message).toBe('there are no negative numbers');
    expect(complaint('').message).toBe('the expression is empty');
    expect(complaint('status ==').message).toBe('the expression ends early: a value follows ==');
    expect(complaint('status >= 500 &&').message).toBe('the expression ends where a condition should follow');
  });

  it('is a limit reached, by name', () => {
    const { characters, nesting, patternCharacters, patterns, setElements } = FILTER_LIMITS;
    expect(complaint('x'.repeat(characters + 1)).message).toContain(`longer than ${characters} characters`);
    expect(complaint(`${'('.repeat(nesting + 1)}error`).message).toContain(`deeper than ${nesting}`);
    expect(complaint(`host ~ "${'a'.repeat(patternCharacters + 1)}"`).message).toContain(
      `longer than ${patternCharacters} characters`,
    );
    expect(complaint(Array.from({ length: patterns + 1 }, () => 'host ~ "a"').join('||')).message).toContain(
      `more than ${patterns} regular`,
    );
    expect(complaint(`id in {${Array.from({ length: setElements + 1 }, () => 1).join()}}`).message).toContain(
      `at most ${setElements} elements`,
    );
  });
});
