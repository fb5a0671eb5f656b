import { expect } from 'vitest';
import { UserError } from '../src/model/errors.ts';
import type { RowBatch } from '../src/model/row-batch.ts';
import { BATCH_COLUMN, BATCH_COLUMNS } from '../src/transfer/batch-columns.ts';
import { rowsOf } from '../src/transfer/rows-of.ts';

/** What is sent by somebody who means harm: refused with a UserError, or a batch on which a store can rely. */

/** The bytes of a text in UTF-8. */
export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The error that reading must give; anything else that is thrown is thrown on. */
export function refusal(read: () => unknown): UserError {
  try {
    read();
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error('it was taken');
}

/** Expects everything that a store relies on. */
export function expectSound({ rows, columns }: RowBatch): void {
  expect(Object.keys(columns)).toEqual(BATCH_COLUMNS.map(({ name }) => name));
  for (const column of Object.values(columns)) {
    if (column.form === 'codes') {
      expect(column.codes.length).toBe(rows);
      for (const code of column.codes) expect(code >= -1 && code < column.texts.length).toBe(true);
    } else if (column.form === 'numbers') expect(column.values.length).toBe(rows);
  }
  for (const row of rowsOf({ rows, columns })) {
    for (const [name, value] of Object.entries(row)) {
      const facts = BATCH_COLUMN.get(name);
      if (facts === undefined) throw new Error(name);
      if (value === null) expect(facts.nullable).toBe(true);
      else if (facts.type === 'text') {
        expect(typeof value).toBe('string');
        expect(Buffer.from(String(value)).toString()).toBe(value);
        expect(Buffer.byteLength(String(value))).toBeLessThanOrEqual(facts.maxBytes);
        if (facts.words !== null) expect(facts.words).toContain(value);
      } else {
        expect(Number.isFinite(value)).toBe(true);
        if (facts.type === 'integer') expect(Number.isSafeInteger(value)).toBe(true);
        expect(Number(value) >= facts.minimum && Number(value) <= facts.maximum).toBe(true);
      }
    }
  }
}
