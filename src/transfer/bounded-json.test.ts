import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBounded } from './bounded-json.ts';

interface Measured {
  depth: number;
  containers: number;
  members: number;
}

/** What the value takes, counted over the value itself. */
function measure(
  value: unknown,
  level = 0,
  into: Measured = { depth: 0, containers: 0, members: 0 },
): Measured {
  if (typeof value !== 'object' || value === null) return into;
  into.depth = Math.max(into.depth, level + 1);
  into.containers += 1;
  if (!Array.isArray(value)) into.members += Object.keys(value).length;
  for (const one of Object.values(value)) measure(one, level + 1, into);
  return into;
}

const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null));
const text = fc.oneof(fc.string(), fc.constantFrom('[1,2]', ']', '{"a":', '\\', '"[', '-1]'));
const { value: json } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    number,
    text,
    fc.array(number, { maxLength: 30 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.array(fc.oneof(number, tie('value')), { maxLength: 8 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
}));

describe('JSON within bounds', () => {
  it('is taken with as much as it has, and refused with less', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(undefined, 1), (value, indent) => {
        const written = JSON.stringify(value, null, indent);
        const has = measure(value);
        expect(parseBounded(written, has)).toEqual(JSON.parse(written));
        for (const bound of ['depth', 'containers', 'members'] as const) {
          if (has[bound] === 0) continue;
          const less = { ...has, [bound]: has[bound] - 1 };
          expect(() => parseBounded(written, less), bound).toThrow(/^the JSON has more than/);
        }
      }),
      { numRuns: 500 },
    );
  });
});
