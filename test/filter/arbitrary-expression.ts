import fc from 'fast-check';
import type { Field } from '../../src/filter/field.ts';
import { FIELDS } from '../../src/filter/fields.ts';
import { quoted } from '../../src/filter/lexer.ts';

/** Arbitrary expressions that are right, from the whole grammar. */

const pick = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const space = pick('', ' ', ' ', '  ', '\n\t');
const around = (sign: string): fc.Arbitrary<string> =>
  fc.tuple(space, space).map(([before, after]) => `${before}${sign}${after}`);
const word = (name: string): string => ` ${name} `;

/** Texts that occur in arbitrary exchanges, parts of them, and others. */
const texts = fc.oneof(
  pick('/', '/users/1', '/users/2?q=1', '/users/{id}', 'q=1', 'GET', 'OK', 'example.test', '1.1', 'users', 'a', '', '\0', 'a\0b', '😀', "'", '"', '\\', '\n', 'É', 'example'), // biome-ignore format: a list
  fc.string({ unit: 'binary', maxLength: 3 }).map((text) => Buffer.from(text, 'utf8').toString('utf8')),
);
const patterns = pick('', 'a', '^/', 'users/\\d+', '[0-9]$', '^(GET|POST)$', 'e.*t', '(?i)GET', '\\x00', '\\.', '^$', 'É', '.', '(a|b)+c?', '\\bOK\\b', '\\p{L}', '1\\.1', "'", '"'); // biome-ignore format: a list
const quote = (text: string): string => quoted(text);

const whole = fc.oneof(fc.nat(6), pick(100, 200, 404, 500, 503, 4095), fc.nat(999), fc.nat(65_535));
const numbers = whole.map(String);
const durations = fc.oneof(
  fc
    .tuple(fc.nat(2000), pick('ns', 'us', 'µs', 'ms', 's', 'min', 'h'))
    .map(([value, unit]) => `${value}${unit}`),
  pick('1.5s', '0.25ms', '0.001us', '500h', '1000h'),
);
const sizes = fc.oneof(
  whole.map(String),
  fc
    .tuple(fc.nat(64), pick('B', 'k', 'kB', 'KiB', 'MB', 'MiB', 'GB', 'TiB'))
    .map(([value, unit]) => `${value}${unit}`),
);
/** Around the epoch of the runs under test, 2023-11-14T22:13:20Z. */
const times = fc.oneof(
  fc
    .integer({ min: -2, max: 9_000_000 })
    .map((second) => `${new Date((1_700_000_000 + second) * 1000).toISOString().slice(0, 19)}Z`),
  pick(
    '2023-11-14T22:13:20Z',
    '2023-11-14T22:13:21Z',
    '2023-11-14T22:13:20.000000001Z',
    '2023-11-14T23:13:20+01:00',
    '1970-01-01T00:00:00Z',
    '9999-12-31T23:59:59.9Z',
  ),
  durations.map((duration) => `+${duration}`),
  pick('+0s', '+1s', '+1.5s', '+1us'),
);
const networks = fc.oneof(
  fc.tuple(fc.ipV4(), fc.nat(32)).map(([address, bits]) => `${address}/${bits}`),
  fc
    .tuple(pick('0.0.0.0', '128.0.0.0', '10.0.0.0'), fc.nat(2))
    .map(([address, bits]) => `${address}/${bits}`),
  pick(
    '::/0',
    '::/1',
    '8000::/1',
    '::ffff:0:0/96',
    '10.0.0.1',
    '::1',
    '::ffff:10.0.0.1',
    '2001:db8::/32',
    'fe80::1',
  ),
);

const literals = (field: Field): fc.Arbitrary<string> => {
  if (field.type === 'duration') return durations;
  if (field.type === 'bytes') return sizes;
  return field.type === 'time' ? times : numbers;
};

const range = (
  values: fc.Arbitrary<string>,
  compare: (text: string) => number | null,
): fc.Arbitrary<string> =>
  fc.tuple(values, values).map(([one, other]) => {
    const [first, second] = [compare(one), compare(other)];
    if (first === null || second === null) return `${one}..${one}`;
    return first <= second ? `${one}..${other}` : `${other}..${one}`;
  });

const set = (members: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .array(members, { minLength: 1, maxLength: 5 })
    .chain((list) => fc.tuple(around(','), space).map(([comma, pad]) => `{${pad}${list.join(comma)}${pad}}`));

const MULTIPLE: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, min: 6e10, h: 3.6e12, B: 1, '': 1, k: 1e3, kB: 1e3, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, TiB: 1024 ** 4 }; // biome-ignore format: a table
function size(text: string): number {
  const match = /^([\d.]+)(.*)$/.exec(text);
  return Number(match?.[1]) * (MULTIPLE[match?.[2] ?? ''] ?? Number.NaN);
}
/** Order of two literals; null where it depends on the run. */
function order(text: string): number | null {
  if (text.startsWith('+')) return null;
  if (!/^\d{4}-/.test(text)) return size(text);
  return text.includes('.000000001') ? Date.parse(text.replace('.000000001', '')) + 0.01 : Date.parse(text);
}

const COMPARISONS = ['==', '!=', '<', '<=', '>', '>='];
const TURNED: Readonly<Record<string, string>> = {
  '==': '==',
  '!=': '!=',
  '<': '>',
  '<=': '>=',
  '>': '<',
  '>=': '<=',
};

function numberCondition(field: Field): fc.Arbitrary<string> {
  const values = literals(field);
  const compared = fc
    .tuple(pick(...COMPARISONS), values, fc.boolean())
    .chain(([sign, value, turned]) =>
      around(sign).map((spaced) =>
        turned
          ? value + spaced.replace(sign, TURNED[sign] as string) + field.name
          : field.name + spaced + value,
      ),
    );
  const ranges = range(values, order);
  const isIn = pick(' in ', ' not in ', ' IN ', ' !in ');
  const classes = field.type === 'number' && field.hasClasses ? [pick('2xx', '4XX', '5xx')] : [];
  return fc.oneof(
    compared,
    fc.tuple(isIn, ranges).map(([sign, value]) => field.name + sign + value),
    fc
      .tuple(isIn, set(fc.oneof(values, ranges, ...classes)))
      .map(([sign, value]) => field.name + sign + value),
    ...classes.map((group) =>
      fc.tuple(pick('==', '!='), group).map(([sign, value]) => `${field.name} ${sign} ${value}`),
    ),
  );
}

function textCondition(field: Field): fc.Arbitrary<string> {
  const { words } = field;
  const exact = words === null ? texts.map(quote) : fc.oneof(pick(...words).map(quote), pick(...words));
  const list = field.type === 'words' ? [exact.map((value) => `${value} in ${field.name}`)] : [];
  return fc.oneof(
    fc.tuple(pick('==', '!='), exact).map(([sign, value]) => `${field.name} ${sign} ${value}`),
    fc
      .tuple(pick('~', '!~', '~*', '!~*'), patterns)
      .chain(([sign, value]) => around(sign).map((spaced) => field.name + spaced + quote(value))),
    fc
      .tuple(pick('contains', 'startsWith', 'endsWith', 'CONTAINS'), texts)
      .map(([sign, value]) => field.name + word(sign) + quote(value)),
    fc.tuple(pick('in', 'not in'), set(exact)).map(([sign, value]) => field.name + word(sign) + value),
    ...list,
  );
}

function condition(field: Field): fc.Arbitrary<string> {
  if (field.type === 'boolean')
    return pick(field.name, `${field.name} == true`, `${field.name} != true`, `${field.name} == false`);
  const existence = pick(field.name, `${field.name} == null`, `${field.name} != null`);
  const compared =
    field.type === 'address'
      ? fc.oneof(
          fc
            .tuple(pick(' == ', ' != ', ' in ', ' not in '), networks)
            .map(([sign, value]) => field.name + sign + value),
          set(networks).map((value) => `${field.name} in ${value}`),
        )
      : field.type === 'text' || field.type === 'word' || field.type === 'words' || field.type === 'texts'
        ? textCondition(field)
        : numberCondition(field);
  return fc.oneof({ weight: 1, arbitrary: existence }, { weight: 5, arbitrary: compared });
}

const headers = fc
  .tuple(
    pick('header', 'request.header', 'response.header'),
    pick('accept', 'server', 'via', 'host', 'user-agent', 'Content-Type', "it's"),
  )
  .map(([side, name]) => `${side}["${name}"]`);
const headerCondition = headers.chain((name) =>
  fc.oneof(
    pick(name, `${name} == null`),
    fc.tuple(pick('==', '!='), texts).map(([sign, value]) => `${name} ${sign} ${quote(value)}`),
    fc.tuple(pick('~', '!~'), patterns).map(([sign, value]) => `${name} ${sign} ${quote(value)}`),
    fc
      .tuple(pick('contains', 'startsWith', 'endsWith'), texts)
      .map(([sign, value]) => `${name} ${sign} ${quote(value)}`),
    set(texts.map(quote)).map((value) => `${name} in ${value}`),
  ),
);

const leaf = fc.oneof(
  { weight: 6, arbitrary: fc.oneof(...FIELDS.map(condition)) },
  { weight: 1, arbitrary: headerCondition },
);

/** Conditions joined, negated and in parentheses. */
export const expression: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    leaf,
    fc
      .tuple(tie('node'), pick('&&', '||', word('and'), word('or'), word('OR')), tie('node'))
      .chain(([left, joint, right]) => around(joint).map((spaced) => left + spaced + right)),
    fc.tuple(pick('!', 'not ', '! ! '), tie('node')).map(([sign, node]) => `${sign}(${node})`),
    leaf.map((one) => `!${one}`),
    tie('node').map((node) => `(${node})`),
  ),
})).node;

/** Expressions with one thing changed: mostly wrong. */
export const almost: fc.Arbitrary<string> = fc
  .tuple(expression, fc.nat(), fc.nat(4), fc.oneof(pick('"', "'", '(', ')', '{', '}', '[', ']', '..', ',', '!', '=', '~', '\\', '&', '|', '\u{1f600}', '\ud800', ' in ', ' not ', '5xx', '::', '+', '/', 'status', 'header'), fc.string({ unit: 'binary', maxLength: 3 })))
  .map(([text, place, length, insert]) => {
    const at = place % (text.length + 1);
    return text.slice(0, at) + insert + text.slice(at + length);
  }); // biome-ignore format: a list
