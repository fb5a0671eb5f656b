import { UserError } from '../model/errors.ts';
import type { BatchColumn, RowBatch } from '../model/row-batch.ts';
import { acceptedText, misplaced } from './batch-builder.ts';
import {
  BATCH_COLUMN,
  BATCH_COLUMNS,
  BATCH_VERSION,
  type BatchColumnFacts,
  TRANSFER_LIMITS,
  type TransferLimits,
} from './batch-columns.ts';
import { type JsonBounds, parseBounded, utf8Text } from './bounded-json.ts';
import { numberMistake } from './value-rules.ts';

/** Arrays, objects and members that a batch has: a handful for each column, whatever the number of rows. */
const BOUNDS: JsonBounds = {
  depth: 4,
  containers: 4 * BATCH_COLUMNS.length,
  members: 4 * BATCH_COLUMNS.length,
};
/** Characters of a stranger's name that are repeated to him. */
const NAME_CHARS = 40;

type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a body of type BATCH_TYPE, decompressed. Takes memory for a small multiple of it. Throws UserError with a
 * stable code, and with `place.row` and `place.column` where one is to blame.
 */
export function decodeBatch(body: Uint8Array, limits: TransferLimits = TRANSFER_LIMITS): RowBatch {
  refuseLarge(body, limits);
  const root = parseBounded(utf8Text(body), BOUNDS);
  if (!isObject(root)) throw new UserError('bad-batch', 'a batch is a JSON object');
  const version = member(root, 'v');
  if (version !== BATCH_VERSION) {
    throw new UserError('unknown-version', `a batch of another version than ${BATCH_VERSION}`, {
      hint: 'upgrade the server before the agents',
    });
  }
  const rows = rowCount(member(root, 'rows'), limits);
  const given = member(root, 'columns');
  if (!isObject(given)) throw new UserError('bad-batch', 'there are no "columns"');
  for (const name of Object.keys(given)) if (!BATCH_COLUMN.has(name)) throw unknownColumn(name);
  const columns: Record<string, BatchColumn> = {};
  for (const facts of BATCH_COLUMNS) {
    const value = member(given, facts.name);
    columns[facts.name] = value === undefined ? absent(facts) : columnOf(facts, value, rows);
  }
  return { rows, columns };
}

/** Throws UserError when the body is beyond the limit. */
export function refuseLarge(body: Uint8Array, { bodyBytes }: TransferLimits): void {
  if (body.length <= bodyBytes) return;
  throw new UserError('too-large', `the body is more than ${bodyBytes} bytes`, {
    hint: 'send fewer exchanges at once',
  });
}

/** Throws UserError when there are more rows than the limit. */
export function refuseManyRows(rows: number, limits: TransferLimits): void {
  if (rows <= limits.rows) return;
  throw new UserError('too-many-rows', `more than ${limits.rows} exchanges in one body`, {
    hint: 'send fewer exchanges at once',
  });
}

function rowCount(value: unknown, limits: TransferLimits): number {
  if (!Number.isSafeInteger(value) || (value as number) < 1)
    throw new UserError('bad-batch', '"rows" is not a number from 1 on');
  refuseManyRows(value as number, limits);
  return value as number;
}

function unknownColumn(name: string): UserError {
  const shown = name.length <= NAME_CHARS ? name : `${name.slice(0, NAME_CHARS)}…`;
  return new UserError('unknown-column', `there is no column ${JSON.stringify(shown)}`, {
    hint: 'upgrade the server before the agents',
  });
}

/** A column that was left out. */
function absent(facts: BatchColumnFacts): BatchColumn {
  if (!facts.nullable) throw misplaced(null, facts, 'the column is missing');
  return { form: 'all', value: null };
}

function columnOf(facts: BatchColumnFacts, value: unknown, rows: number): BatchColumn {
  if (Array.isArray(value)) {
    if (value.length !== rows) throw misplaced(null, facts, `it has not ${rows} values`);
    return facts.type === 'text' ? textsOf(facts, value) : numbersOf(facts, value);
  }
  if (isObject(value)) {
    const names = Object.keys(value);
    if (names.length === 1 && names[0] === 'all') return oneForAll(facts, value.all);
    if (names.length === 2 && facts.type === 'text')
      return codesOf(facts, member(value, 'texts'), member(value, 'codes'), rows);
  }
  throw misplaced(null, facts, `the column is none of ${FORMS[facts.type === 'text' ? 'text' : 'number']}`);
}

const FORMS = {
  text: '[values], {"all": value}, {"texts": [...], "codes": [...]}',
  number: '[values], {"all": value}',
};

function oneForAll(facts: BatchColumnFacts, value: unknown): BatchColumn {
  if (value === null) return absent(facts);
  if (facts.type !== 'text') return { form: 'all', value: numberOf(facts, value, null) };
  if (typeof value !== 'string') throw misplaced(null, facts, 'this is not a text');
  return { form: 'all', value: acceptedText(facts, value, null) };
}

function numberOf(facts: BatchColumnFacts, value: unknown, row: number | null): number {
  const mistake = typeof value === 'number' ? numberMistake(facts, value) : 'not a number';
  if (mistake !== null) throw misplaced(row, facts, `this is ${mistake}`);
  return (value as number) + 0;
}

function numbersOf(facts: BatchColumnFacts, given: readonly unknown[]): BatchColumn {
  const values = new Float64Array(given.length);
  let nulls: Uint8Array | null = null;
  for (let row = 0; row < given.length; row += 1) {
    const value = given[row];
    if (value === null) {
      if (!facts.nullable) throw misplaced(row + 1, facts, 'there is no value');
      nulls ??= new Uint8Array(given.length);
      nulls[row] = 1;
    } else values[row] = numberOf(facts, value, row + 1);
  }
  return { form: 'numbers', values, nulls };
}

/** Texts one by one, mostly distinct. */
function textsOf(facts: BatchColumnFacts, given: readonly unknown[]): BatchColumn {
  const texts: string[] = [];
  const codes = new Int32Array(given.length);
  for (let row = 0; row < given.length; row += 1) {
    const value = given[row];
    if (value === null) {
      if (!facts.nullable) throw misplaced(row + 1, facts, 'there is no value');
      codes[row] = -1;
    } else if (typeof value === 'string') {
      codes[row] = texts.length;
      texts.push(acceptedText(facts, value, row + 1));
    } else throw misplaced(row + 1, facts, 'this is not a text');
  }
  return { form: 'codes', texts, codes };
}

function codesOf(facts: BatchColumnFacts, given: unknown, places: unknown, rows: number): BatchColumn {
  if (!Array.isArray(given) || !Array.isArray(places))
    throw misplaced(null, facts, '"texts" and "codes" are not both arrays');
  if (given.length > rows) throw misplaced(null, facts, 'it has more texts than rows');
  if (places.length !== rows) throw misplaced(null, facts, `it has not ${rows} codes`);
  const texts = given.map((text: unknown): string => {
    if (typeof text !== 'string') throw misplaced(null, facts, 'not all of "texts" are texts');
    return acceptedText(facts, text, null);
  });
  const least = facts.nullable ? -1 : 0;
  const codes = new Int32Array(rows);
  for (let row = 0; row < rows; row += 1) {
    const code: unknown = places[row];
    if (!Number.isInteger(code) || (code as number) < least || (code as number) >= texts.length)
      throw misplaced(row + 1, facts, `its code is not a number from ${least} to ${texts.length - 1}`);
    codes[row] = code as number;
  }
  return { form: 'codes', texts, codes };
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
