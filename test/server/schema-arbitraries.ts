import fc from 'fast-check';

/** The part of JSON Schema 2020-12 that the OpenAPI document uses. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

/** Texts that break things: markers, traversal, terminators, lone surrogates, SQL, right-to-left. */
const NASTY_TEXTS = [
  '',
  '\0',
  '../../etc/passwd',
  "' OR 1=1 --",
  '\ud800',
  '\u202e',
  '😀'.repeat(10),
  '%00',
  '__proto__',
  'constructor',
  'NaN',
  '1e999',
  '-0',
  'x'.repeat(5000),
  '\r\nSet-Cookie: a=b',
  'SELECT 1; DROP TABLE exchanges',
];
const NASTY_VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1.5,
  2 ** 53,
  1e308,
  -1e308,
  [],
  {},
  [[]],
  { __proto__: null, a: 1 },
  ...NASTY_TEXTS,
];

export const nastyText = fc.oneof(
  fc.constantFrom(...NASTY_TEXTS),
  fc.string({ unit: 'binary', maxLength: 30 }),
);
export const nastyValue = fc.oneof(fc.constantFrom(...NASTY_VALUES), fc.jsonValue({ maxDepth: 3 }));

const LONGEST = 40;
const MANY = 5;

/** Values that the schema takes. */
export function valid(schema: Schema, resolve: (ref: string) => Schema): fc.Arbitrary<unknown> {
  const { example = schema.examples?.[0] } = schema;
  const made = fitting(schema, resolve);
  // Examples are what reaches the work behind the checks.
  return example === undefined
    ? made
    : fc.oneof({ weight: 4, arbitrary: fc.constant(example) }, { weight: 1, arbitrary: made });
}

function fitting(schema: Schema, resolve: (ref: string) => Schema): fc.Arbitrary<unknown> {
  const of = (one: Schema) => valid(one, resolve);
  if (schema.$ref !== undefined) return of(resolve(schema.$ref));
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  if (schema.anyOf !== undefined) return fc.oneof(...schema.anyOf.map(of));
  switch (schema.type) {
    case 'string':
      return text(schema);
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? -1000, -(2 ** 31)),
        max: Math.min(schema.maximum ?? 1000, 2 ** 31),
      });
    case 'number':
      return fc.double({
        min: schema.minimum ?? -1e6,
        max: Math.min(schema.maximum ?? 1e6, 1e9),
        noNaN: true,
      });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(of(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? MANY, MANY),
      });
    case 'object': {
      const { properties = {}, required = [] } = schema;
      const members = Object.fromEntries(Object.entries(properties).map(([name, one]) => [name, of(one)]));
      return fc.record(members, { requiredKeys: [...required] } as never);
    }
    default:
      return fc.jsonValue({ maxDepth: 2 });
  }
}

function text({ pattern, minLength = 0, maxLength = LONGEST }: Schema): fc.Arbitrary<string> {
  const most = Math.min(maxLength, LONGEST);
  const plain = fc.string({ minLength, maxLength: most });
  if (pattern === undefined) return plain;
  const shape = new RegExp(pattern, 'u');
  // A class of characters that patterns of fast-check do not know is tried; what does not fit is left out.
  if (pattern.includes('\\p{')) return plain.filter((one) => shape.test(one));
  return fc
    .stringMatching(new RegExp(pattern))
    .filter((one) => one.length >= minLength && one.length <= maxLength);
}

/** Values that the schema nearly takes: one thing in them is something else. Some are valid by chance. */
export function nearly(schema: Schema, resolve: (ref: string) => Schema): fc.Arbitrary<unknown> {
  const whole = valid(schema, resolve);
  return fc.tuple(whole, nastyValue, nastyText, fc.nat(1000)).map(([value, nasty, name, where]) => {
    if (typeof value !== 'object' || value === null) return nasty;
    const copy = structuredClone(value) as Record<string, unknown>;
    const keys = Object.keys(copy);
    const key = where % 4 === 0 || keys.length === 0 ? name : (keys[where % keys.length] as string);
    if (where % 7 === 0) delete copy[key];
    else
      Object.defineProperty(copy, key, {
        value: nasty,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    return copy;
  });
}
