import { describe, expect, it } from 'vitest';
import { Database, type SqlFunction } from './database.ts';
import { loadEngine } from './engine.ts';

describe('a function made known to SQL', () => {
  it('gets as many arguments as it says, blobs whole, NULL as null, and gives back numbers, texts and NULL', async () => {
    const seen: unknown[][] = [];
    const probe: SqlFunction = {
      name: 'probe',
      arity: 3,
      call(...values) {
        seen.push(values);
        return typeof values[0] === 'number' ? values[0] + 1 : null;
      },
    };
    const shout: SqlFunction = { name: 'shout', arity: 1, call: (text) => `${String(text)}!` };
    const database = new Database(await loadEngine());
    database.register([probe, shout]);
    expect(
      database.rows(
        "SELECT probe(1, 'é', NULL), shout('a'), probe(NULL, CAST(char(65279, 0, 97) AS BLOB), 2.5)",
      ),
    ).toEqual([[2, 'a!', null]]);
    expect(seen[0]).toEqual([1, 'é', null]);
    expect(seen[1]).toEqual([null, new Uint8Array([0xef, 0xbb, 0xbf, 0, 0x61]), 2.5]);
    expect(() => database.rows('SELECT probe(1)')).toThrow(/wrong number of arguments/);
    database.close();
  });
});
