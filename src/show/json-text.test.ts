import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonText } from './json-text.ts';

describe('jsonText', () => {
  it('is the same JSON, laid out', () => {
    fc.assert(
      fc.property(fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue())), (value) => {
        const laidOut = jsonText(JSON.stringify(value), false);
        expect(laidOut?.fault).toBe(false);
        // JSON.stringify is the judge of both sides: -0 and __proto__ are not what this is about.
        expect(JSON.stringify(JSON.parse(laidOut?.text ?? ''))).toBe(
          JSON.stringify(JSON.parse(JSON.stringify(value))),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('keeps numbers as sent', () => {
    expect(jsonText('{"a":1.00000000000000000001,"b":1e400}', true)?.text).toBe(
      '{\n  "a": 1.00000000000000000001,\n  "b": 1e400\n}',
    );
  });

  it('masks what is named like a secret, at any depth and of any type', () => {
    const text = JSON.stringify({
      user: 'ada',
      password: 'hunter2',
      nested: [{ accessToken: 'hunter2', api_key: ['hunter2', { x: 'hunter2' }], count: 3 }],
      secret: { deep: 'hunter2' },
      pin: 424242,
      token: null,
      after: 'shown',
    });
    const masked = jsonText(text, true)?.text ?? '';
    expect(masked).not.toContain('hunter2');
    expect(masked).not.toContain('424242');
    expect(JSON.parse(masked)).toEqual({
      user: 'ada',
      password: 'REDACTED',
      nested: [{ accessToken: 'REDACTED', api_key: 'REDACTED', count: 3 }],
      secret: 'REDACTED',
      pin: 'REDACTED',
      token: null,
      after: 'shown',
    });
  });

  it('shows no secret of a text that is cut anywhere', () => {
    const text =
      '{"user":"ada","password":"hunter2-hunter2","list":[{"token":"hunter2-hunter2"}],"secret":["hunter2-hunter2"]}';
    for (let end = 1; end <= text.length; end += 1)
      expect(jsonText(text.slice(0, end), true)?.text).not.toContain('hunter2');
  });

  it('shows no secret after a mistake', () => {
    expect(jsonText('{"a":1,, oops "password":"hunter2"}', true)?.text).not.toContain('hunter2');
  });

  it('is quick on hostile texts', () => {
    for (const text of [
      '['.repeat(200_000),
      `["${'\\'.repeat(200_001)}`,
      `{${'"a":{'.repeat(50_000)}`,
      `[${' '.repeat(200_000)}`,
    ])
      expect(jsonText(text, true)?.fault).toBe(true);
  });
});
