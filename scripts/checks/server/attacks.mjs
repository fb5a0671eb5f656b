// Uploads and SQL that mean harm.
import path from 'node:path';
import { gzipSync } from 'node:zlib';

const BATCH = 'application/vnd.wirelens.batch+json';
const LINES = 'application/x-ndjson';

/** Bodies for POST /api/v1/upload. */
export function bombs() {
  const agent = { 'x-wirelens-agent': 'check' };
  const plain = (name, type, body) => ({ name, headers: { ...agent, 'content-type': type }, body });
  const packed = (name, type, body) => ({
    name,
    headers: { ...agent, 'content-type': type, 'content-encoding': 'gzip' },
    body: gzipSync(body, { level: 9 }),
  });
  const spaces = Buffer.alloc(1024 * 1024 * 1024, 0x20);
  const bomb = gzipSync(spaces, { level: 9 });
  const columns = (text) => `{"v":1,"rows":1,"columns":{${text}}}`;
  return [
    {
      name: 'a gigabyte of spaces in a megabyte of gzip',
      headers: { ...agent, 'content-type': BATCH, 'content-encoding': 'gzip' },
      body: bomb,
    },
    {
      name: 'the same as lines',
      headers: { ...agent, 'content-type': LINES, 'content-encoding': 'gzip' },
      body: bomb,
    },
    {
      name: 'the same as a LightObs object',
      headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: bomb,
    },
    {
      name: 'the bomb within gzip',
      headers: { ...agent, 'content-type': BATCH, 'content-encoding': 'gzip' },
      body: gzipSync(bomb),
    },
    {
      name: 'two codings',
      headers: { ...agent, 'content-type': BATCH, 'content-encoding': 'gzip, gzip' },
      body: gzipSync(bomb),
    },
    plain('17 MB as they are', LINES, Buffer.alloc(17 * 1024 * 1024, 0x20)),
    plain('no gzip at all', BATCH, Buffer.from('nothing')),
    {
      name: 'gzip that is cut off',
      headers: { ...agent, 'content-type': BATCH, 'content-encoding': 'gzip' },
      body: gzipSync(Buffer.alloc(100_000, 0x61)).subarray(0, 60),
    },
    packed('10^5 levels of arrays', BATCH, '['.repeat(100_000) + ']'.repeat(100_000)),
    packed('10^5 levels of objects', BATCH, '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)),
    packed('10^5 levels in a line', LINES, '['.repeat(100_000) + ']'.repeat(100_000)),
    packed(
      '10^5 levels in a LightObs object',
      'application/json',
      `{"src_ip":${'['.repeat(100_000)}${']'.repeat(100_000)}}`,
    ),
    packed(
      '10^6 columns',
      BATCH,
      columns(Array.from({ length: 1_000_000 }, (_, index) => `"c${index}":[1]`).join(',')),
    ),
    packed(
      '10^9 rows of one value each',
      BATCH,
      `{"v":1,"rows":1000000000,"columns":{"started_us":{"all":1}}}`,
    ),
    packed('rows beyond 2^53', BATCH, `{"v":1,"rows":1e300,"columns":{}}`),
    packed('rows that are no number', BATCH, `{"v":1,"rows":"1","columns":{}}`),
    packed('__proto__ as a column', BATCH, columns('"__proto__":{"all":1}')),
    packed('constructor as a column', BATCH, columns('"constructor":{"all":1}')),
    packed('a batch that is an array', BATCH, '[]'),
    packed('a batch that is null', BATCH, 'null'),
    packed('invalid UTF-8', BATCH, Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
    packed('invalid UTF-8 in a line', LINES, Buffer.from([0x7b, 0x22, 0xc0, 0xaf, 0x22, 0x7d])),
    packed('a lone surrogate in a name', LINES, '{"\\ud800":1}'),
    packed('NUL', LINES, '\0'),
    packed('an empty line only', LINES, '\n\n'),
    packed('nothing', LINES, ''),
    packed('a line of 20 MB', LINES, `"${'a'.repeat(20_000_000)}"`),
    packed('a record of another kind', LINES, '{"v":1,"id":"x"}'),
    packed('numbers that are texts', LINES, '{"v":1,"id":"1","status":"200"}'),
    packed('10^6 empty objects', LINES, '{}\n'.repeat(1_000_000)),
    plain('text for a LightObs object', 'application/json', '"hello"'),
    plain(
      'a port beyond',
      'application/json',
      '{"src_ip":"10.0.0.1","src_port":70000,"dst_ip":"10.0.0.2","dst_port":80,"http_method":"GET","http_path":"/","status_code":200}',
    ),
    plain('another type', 'text/csv', 'a,b'),
    { name: 'no type', headers: { ...agent, 'content-type': '' }, body: 'x' },
    {
      name: 'a name that is a path with control characters',
      headers: { 'content-type': BATCH, 'x-wirelens-agent': 'a\tb' },
      body: '{}',
    },
    {
      name: 'a stream that is a path',
      headers: { ...agent, 'content-type': BATCH, 'x-wirelens-stream': '../../x', 'x-wirelens-batch': '1' },
      body: '{}',
    },
    {
      name: 'a number that is none',
      headers: { ...agent, 'content-type': BATCH, 'x-wirelens-stream': 's', 'x-wirelens-batch': '1; DROP' },
      body: '{}',
    },
  ];
}

/** Statements for POST /api/v1/sql. `folder`: where a file would appear. */
export function attacksInSql(folder) {
  const file = path.join(folder, 'stolen');
  return [
    // writing
    'INSERT INTO exchanges SELECT * FROM exchanges',
    'DELETE FROM exchanges',
    'UPDATE exchanges SET status = 1',
    'DROP VIEW exchanges',
    'TRUNCATE batches',
    'CREATE TABLE mine AS SELECT 1',
    'CREATE TEMP TABLE mine AS SELECT 1',
    'CREATE OR REPLACE MACRO abs(x) AS 1',
    'ALTER TABLE batches ADD COLUMN x INT',
    'SELECT 1; DELETE FROM batches',
    'COMMIT; DELETE FROM batches',
    'EXPLAIN ANALYZE DELETE FROM batches',
    'EXPLAIN ANALYZE SELECT 1',
    'WITH gone AS (DELETE FROM batches RETURNING *) SELECT * FROM gone',
    'CHECKPOINT',
    'FORCE CHECKPOINT',
    'VACUUM',
    'BEGIN',
    'PREPARE p AS SELECT 1',
    'CALL checkpoint()',
    'SELECT * FROM checkpoint()',
    // files and the network
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/proc/self/environ')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM read_json('/proc/self/status')",
    "SELECT * FROM read_parquet('x.parquet')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM sniff_csv('/etc/passwd')",
    "SELECT * FROM parquet_metadata('x')",
    "SELECT * FROM 'http://127.0.0.1:1/x.csv'",
    `COPY (SELECT 1) TO '${file}.csv'`,
    `COPY batches FROM '/etc/passwd'`,
    `EXPORT DATABASE '${file}'`,
    `ATTACH '${file}.duckdb' AS other`,
    "ATTACH ':memory:' AS other",
    'DETACH exchanges',
    "SELECT getenv('WIRELENS_AGENT_TOKEN')",
    // extensions, settings, secrets
    'INSTALL httpfs',
    'LOAD httpfs',
    'UPDATE EXTENSIONS',
    "SET memory_limit = '100GB'",
    'SET lock_configuration = false',
    'RESET memory_limit',
    "PRAGMA temp_directory = '/tmp'",
    'PRAGMA enable_profiling',
    'PRAGMA database_list',
    "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    'SELECT * FROM duckdb_secrets()',
    'SELECT * FROM duckdb_settings()',
    'SELECT * FROM duckdb_databases()',
    'SELECT * FROM pragma_database_list()',
    "SELECT current_setting('temp_directory')",
    'SELECT enable_profiling()',
    'SELECT * FROM enable_logging()',
    'SELECT * FROM duckdb_logs()',
    "SELECT write_log('x')",
    "SELECT * FROM query('SELECT 1')",
    "SELECT * FROM query_table('batches')",
    // for ever
    'SELECT count(*) FROM exchanges a, exchanges b, exchanges c, exchanges d, exchanges e, exchanges f, exchanges g',
    'WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t',
    'SELECT sum(n) FROM range(1000000000000) t(n)',
    // memory
    'SELECT len(range(100000000))',
    "SELECT len(repeat('x', 1000000000))",
    "SELECT length(lpad('x', 1000000000, 'y'))",
    "SELECT length(printf('%1000000000d', 1))",
    "SELECT length(format('{:1000000000d}', 1))",
    'SELECT len(generate_series(1, 100000000))',
    'SELECT len([x + y for x in range(10000) for y in range(10000)])',
    "SELECT length(string_agg(a.target || b.target || c.target || d.target, ',')) FROM exchanges a, exchanges b, exchanges c, exchanges d",
    "SELECT length(replace(repeat('a', 100000), 'a', repeat('b', 100000)))",
    'SELECT 2 ** 2 ** 2 ** 2 ** 100 ** 100 +',
    `SELECT ${Array.from({ length: 5000 }, () => '1').join(' + ')} FROM nothing`,
    // nonsense
    '',
    ' ',
    ';',
    'nonsense',
    'SELECT * FROM nothing',
    'SELECT \u0000',
    "SELECT '",
  ];
}
