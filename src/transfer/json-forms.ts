import { ANOMALIES } from '../model/anomaly.ts';
import { TUNNEL_KINDS } from '../model/exchange.ts';
import type { TextForm } from './batch-columns.ts';
import { type JsonBounds, parseBounded } from './bounded-json.ts';
import { splitEndpoint } from './endpoint-text.ts';
import { isWellFormed } from './well-formed.ts';

/**
 * The JSON texts that some columns hold. Each is taken apart and written anew, so that what is stored has exactly
 * the shape that the documents say, whoever sent it.
 */

/** A head of 256 KiB holds no more fields than this, a sighting no more tunnels. */
const BOUNDS: JsonBounds = { depth: 4, containers: 131_072, members: 131_072 };

type Shape = (value: unknown) => unknown;

/** Thrown inside this file only. */
class Misshapen extends Error {}

function refuse(): never {
  throw new Misshapen();
}

const text: Shape = (value) => (typeof value === 'string' && isWellFormed(value) ? value : refuse());
const textOrNull: Shape = (value) => (value === null ? null : text(value));
const whole =
  (least: number, most: number): Shape =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most ? value : refuse();
const LARGEST = Number.MAX_SAFE_INTEGER;
const count = whole(0, LARGEST);
const anyWhole = whole(-LARGEST, LARGEST);
const wholeOrNull: Shape = (value) => (value === null ? null : anyWhole(value));
const milliseconds: Shape = (value) =>
  value === null || (typeof value === 'number' && Number.isFinite(value)) ? value : refuse();
const address: Shape = (value) =>
  typeof value === 'string' && splitEndpoint(value) !== null ? value : refuse();
const among =
  (words: readonly string[]): Shape =>
  (value) =>
    words.includes(value as string) ? value : refuse();

const list =
  (each: Shape): Shape =>
  (value) =>
    Array.isArray(value) ? value.map((one) => each(one)) : refuse();

/** Members in the order given; others are left out. */
const record =
  (members: Readonly<Record<string, Shape>>): Shape =>
  (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse();
    const made: Record<string, unknown> = {};
    for (const [name, shape] of Object.entries(members)) {
      if (!Object.hasOwn(value, name)) return refuse();
      made[name] = shape((value as Record<string, unknown>)[name]);
    }
    return made;
  };

const pair: Shape = (value) =>
  Array.isArray(value) && value.length === 2 ? [text(value[0]), text(value[1])] : refuse();
const vlans = list(whole(0, 65_535));
const tunnels = list(record({ kind: among(TUNNEL_KINDS), id: wholeOrNull }));

const SHAPES: Readonly<Record<Exclude<TextForm, 'any' | 'address' | 'uid'>, Shape>> = {
  headers: list(pair),
  interim: list(record({ status: whole(0, 999), after_ns: anyWhole })),
  anomalies: list((value) =>
    typeof value === 'string' && Object.hasOwn(ANOMALIES, value) ? value : refuse(),
  ),
  vlans,
  tunnels,
  sightings: list(
    record({
      capture: count,
      interface: textOrNull,
      interface_number: count,
      interface_index: wholeOrNull,
      client: address,
      server: address,
      tunnels,
      vlans,
      request_ms: milliseconds,
      response_ms: milliseconds,
    }),
  ),
};

export type JsonForm = keyof typeof SHAPES;

/** What each form is, for who got it wrong. */
export const FORM_WORDS: Readonly<Record<JsonForm, string>> = {
  headers: 'a JSON array of [name, value]',
  interim: 'a JSON array of {"status", "after_ns"}',
  anomalies: 'a JSON array of anomalies that this version knows',
  vlans: 'a JSON array of VLAN ids',
  tunnels: 'a JSON array of {"kind", "id"}',
  sightings: 'a JSON array of sightings as in the JSON record',
};

/** The JSON text of a value of this shape; null where the value has another shape. `[]` of an empty array. */
export function formText(form: JsonForm, value: unknown): string | null {
  try {
    return JSON.stringify(SHAPES[form](value));
  } catch (error) {
    if (error instanceof Misshapen) return null;
    throw error;
  }
}

/** The same of a JSON text. Throws UserError where it is no JSON at all. */
export function canonicalForm(form: JsonForm, json: string): string | null {
  return formText(form, parseBounded(json, BOUNDS));
}
