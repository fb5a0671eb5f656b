import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzRuns } from '../../test/pipeline-run.ts';
import { describeError, UserError } from '../model/errors.ts';
import { ASSERT_LIMITS } from './limits.ts';
import { headersOf } from './rule.ts';
import { parseRules } from './rules-file.ts';

const rulesOf = (text: string) => parseRules(text, 'rules.yaml', ASSERT_LIMITS);

function mistakeIn(text: string): UserError {
  try {
    rulesOf(text);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('the file was understood');
}

const HEAD = 'version: 1\nrules:\n';

describe('a file of rules', () => {
  it('is read with names, lines, severities and defaults', () => {
    const rules = rulesOf(`# rules of the shop
version: 1
rules:
  - name: no server errors on checkout
    where: route ~ "^/checkout"   # a comment
    none: status >= 500
  - expect: >
      p99(total) < 300ms &&
      error_share < 1%
    by: [method, route]
    min_group: 20
    severity: warning
  - {name: 404, all: "header['x-request-id']", min_count: 5}
`);
    expect(rules.map(({ name, line, severity }) => [name, line, severity])).toEqual([
      ['no server errors on checkout', 4, 'error'],
      ['rule 2', 7, 'warning'],
      ['404', 13, 'error'],
    ]);
    expect(rules[0].minCount).toBe(1);
    expect(rules[1].by.map(({ name }) => name)).toEqual(['method', 'route']);
    expect(rules[1].minGroup).toBe(20);
    expect(rules[2].minCount).toBe(5);
    expect(headersOf(rules)).toEqual(['x-request-id']);
  });

  it('looks as docs/assert.md says', () => {
    const page = readFileSync(new URL('../../docs/assert.md', import.meta.url), 'utf8');
    const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
    expect(rulesOf(example)).toHaveLength(3);
  });

  it('may use anchors and aliases', () => {
    const rules = rulesOf(
      `${HEAD}  - {name: a, where: &shop host == "shop", none: error}\n  - {name: b, where: *shop, none: error}\n`,
    );
    expect(rules[1].where?.text).toBe('host == "shop"');
  });

  it.each([
    ['', 'the file is empty'],
    ['rules: []', 'version is missing'],
    ['version: 2\nrules: []', 'line 1, column 10: this version'],
    ['version: 1', 'rules are missing'],
    ['version: 1\nrules: []', 'no list of rules'],
    [`${HEAD}  - just text`, 'line 3, column 5: rule 1 is no map'],
    [`${HEAD}  - name: a`, 'line 3, column 5: the rule demands nothing'],
    [`${HEAD}  - none: error\n    all: error`, 'line 4, column 10: the rule has none and all'],
    [`${HEAD}  - non: error`, 'line 3, column 5: there is no non here; did you mean none?'],
    [`${HEAD}  - none:`, 'line 3, column 5: none has no value'],
    [`${HEAD}  - none: [error]`, 'must be a text'],
    [`${HEAD}  - none: error\n    by: host`, 'line 4, column 9: by belongs to expect'],
    [
      `${HEAD}  - expect: count < 1\n    by: hots`,
      'line 4, column 9: there is no field hots; did you mean host?',
    ],
    [`${HEAD}  - expect: count < 1\n    by: time`, 'too many values to group by'],
    [`${HEAD}  - expect: count < 1\n    min_group: 3`, 'min_group needs groups'],
    [`${HEAD}  - none: error\n    severity: fatal`, 'line 4, column 15: severity is error or warning'],
    [`${HEAD}  - none: error\n    min_count: -1`, 'whole number from 0'],
    [`${HEAD}  - none: error\n    allow_empty: maybe`, 'true or false'],
    [`${HEAD}  - none: error\n    allow_empty: true\n    min_count: 3`, 'contradicts'],
    [
      `${HEAD}  - {name: x, none: error}\n  - {name: x, none: error}`,
      'line 4, column 1: a second rule called "x", the first is in line 3',
    ],
    [`${HEAD}  - none: error\n    none: error`, 'not valid YAML'],
    [`${HEAD}  - none: *nothing`, 'line 3, column 11: this alias stands for nothing'],
    [`${HEAD}  - none: !error`, 'put the expression into quotes'],
    ['version: 1\n\trules: 3', 'not valid YAML'],
    // Expressions: the place inside of them, plain, in quotes, and folded.
    [`${HEAD}  - none: status >= 500 && hots == "a"`, 'line 3, column 28: there is no field hots'],
    [`${HEAD}  - none: 'status === 5'`, 'line 3, column 19: there is no ==='],
    [
      `${HEAD}  - expect: >\n      count < 1 &&\n      p99(totl) < 1s`,
      'line 3, column 13: there is no field totl',
    ],
  ])('%j: %s', (text, message) => {
    const error = mistakeIn(text);
    expect(describeError(error)).toContain(message);
    expect(describeError(error)).toMatch(/^rules\.yaml: /);
    expect(error.exitCode).toBe(2);
  });

  it('shows the line, with the mistake marked', () => {
    const { excerpt } = mistakeIn(`${HEAD}  - none: error\n    severity: fatal`);
    expect(excerpt).toEqual({ text: '    severity: fatal', start: 14, end: 15 });
  });

  it('hostile files end with a mistake, not with an alias bomb, a deep pit or a flood', () => {
    const size = 10_000;
    const bomb = [
      'a0: &a0 [x, x]',
      ...Array.from({ length: 30 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}, *a${n}]`),
    ].join('\n');
    const files = [
      bomb,
      '['.repeat(size),
      '{a: '.repeat(size / 4),
      '- '.repeat(size / 2),
      '&a '.repeat(size / 3),
      '"'.repeat(size),
      `${HEAD}  - &a [*a]`,
      `${HEAD}${'  - none: error\n'.repeat(1001)}`,
      'x'.repeat(ASSERT_LIMITS.fileBytes + 1),
      '\u0000\u0001\uffff',
    ];
    for (const file of files) expect(() => rulesOf(file)).toThrow(UserError);
  });

  it('anything at all is understood or refused', () => {
    const lines = ['version: 1', 'rules:', '  - name: a', '    none: error', '    where: status == 200', '    expect: count < 1', '  - all: error', '    by: [host, route]', '  - {', '}', '- &a', '*a', '    allow_empty: true', '"', "'", '|', '>', '  ', ':', '? ', '!x', '#']; // biome-ignore format: a list
    const texts = fc.oneof(
      fc.array(fc.constantFrom(...lines), { maxLength: 15 }).map((parts) => parts.join('\n')),
      fc.string({ unit: 'binary', maxLength: 200 }).map((text) => HEAD + text),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          rulesOf(text);
        } catch (error) {
          if (!(error instanceof UserError)) throw error;
          expect(error.place.file).toBe('rules.yaml');
        }
      }),
      { numRuns: fuzzRuns(1000) },
    );
  });
});
