import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { Database } from './database.ts';
import { loadEngine, SqliteError } from './engine.ts';

describe('what the engine takes for granted of sql.js', () => {
  it('hands out its memory and its handle, and exports a database in memory as a file', async () => {
    const engine = await loadEngine();
    const database = new Database(engine);
    expect(database.handle).toBeGreaterThan(0);
    expect(database.rows('PRAGMA database_list')).toEqual([[0, 'main', '']]);
    database.run("CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 'x'), (NULL, '')");
    const bytes = database.export();
    database.close();
    expect(Buffer.from(bytes.subarray(0, 15)).toString()).toBe('SQLite format 3');
    const copy = new Database(engine, bytes);
    expect(copy.rows('SELECT * FROM t')).toEqual([[1, 'x'], [null, '']]); // biome-ignore format: rows
    copy.close();
  });

  it('keeps its view of the memory valid while the memory grows', async () => {
    const engine = await loadEngine();
    const before = engine.heap.length;
    const database = new Database(engine);
    database.run('CREATE TABLE t (a)');
    const insert = database.prepare('INSERT INTO t VALUES (?)');
    const text = 'wire'.repeat(1_000_000);
    for (let index = 0; engine.heap.length === before && index < 100; index++) {
      insert.bindText(1, text);
      insert.execute();
    }
    expect(engine.heap.length).toBeGreaterThan(before);
    const [[last]] = database.rows('SELECT a FROM t ORDER BY rowid DESC LIMIT 1');
    insert.finalize();
    expect(last === text).toBe(true);
    database.close();
  });

  it("gives SQLite's own message", async () => {
    const database = new Database(await loadEngine());
    expect(() => database.run('nonsense')).toThrow(SqliteError);
    expect(() => database.prepare('SELECT absent')).toThrow('no such column: absent');
    database.close();
  });

  it('loads nothing of sql.js before a store is used', () => {
    const dist = (name: string): string =>
      JSON.stringify(new URL(`../../dist/store/${name}`, import.meta.url).href);
    const script = `await import(${dist('sqlite-sink.js')}); await import(${dist('query.js')});
      const { createRequire } = await import('node:module');
      const cache = createRequire(${dist('query.js')}).cache;
      console.log(Object.keys(cache).filter((name) => name.includes('sql.js')).length);`;
    const ended = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' });
    expect(ended.stderr).toBe('');
    expect(ended.stdout.trim()).toBe('0');
  });
});
