// The agents and clients of LightObs work unchanged: one record a POST, its words for what is wrong, its query.

import { threeHosts, tokenFiles } from './laboratory.mjs';
import { CentralServer } from './programs.mjs';

const RECORD = {
  timestamp: '2026-11-21T07:42:00.123456789Z',
  src_ip: '10.244.0.7',
  src_port: 40_123,
  dst_ip: '10.244.0.9',
  dst_port: 80,
  pid: 4711,
  http_method: 'GET',
  http_path: '/index.html?x=1',
  status_code: 200,
  latency_ms: 12,
  packet_size: 850,
};

/** What LightObs refuses, and a word that its error has. */
const REFUSED = [
  ['an address that is none', { src_ip: 'pod-7' }, 'src_ip'],
  ['no destination', { dst_ip: undefined }, 'dst_ip'],
  ['port 0', { src_port: 0 }, 'port'],
  ['port 65536', { dst_port: 65_536 }, 'port'],
  ['no method', { http_method: '' }, 'method'],
  ['no path', { http_path: undefined }, 'path'],
  ['no status', { status_code: 0 }, 'status'],
];

async function lightobs({ lab, checks }) {
  const hosts = await threeHosts(lab);
  // LightObs knows neither TLS nor tokens.
  const server = new CentralServer(hosts, {
    data: lab.file('data'),
    tokens: tokenFiles(lab),
    words: ['--insecure'],
  });
  server.words = server.words.filter(
    (word, at, all) => !/token/.test(word) && !/token-file/.test(all[at - 1] ?? ''),
  );
  await server.start();
  const upload = (body) =>
    server.curl('/api/v1/upload', {
      kind: null,
      words: ['-H', 'Content-Type: application/json', '-d', body],
    });
  const query = async (words) => {
    const { status, body } = await server.curl(`/api/v1/query?${words}`, { kind: null });
    return { status, records: JSON.parse(body) };
  };

  const empty = await query('ip=10.244.0.7');
  checks.report('LightObs: nothing stored is []', [
    ...(empty.status === 200 && Array.isArray(empty.records) && empty.records.length === 0
      ? []
      : [JSON.stringify(empty)]),
  ]);

  const good = await upload(JSON.stringify(RECORD));
  checks.report('LightObs: one record is 204 without a body', [
    ...(good.status === 204 ? [] : [`it is ${good.status}: ${good.body}`]),
    ...(good.body === '' ? [] : [`a body: ${good.body}`]),
  ]);

  for (const [what, change, word] of REFUSED) {
    const { status, body } = await upload(JSON.stringify({ ...RECORD, ...change }));
    const error = status === 400 ? JSON.parse(body).error : null;
    checks.report(`LightObs: ${what} is refused`, [
      ...(status === 400 ? [] : [`it is ${status}: ${body}`]),
      ...(typeof error === 'string' && error.includes(word) ? [] : [`the error is ${body}`]),
    ]);
  }
  const broken = await upload('{"timestamp":');
  checks.report(
    'LightObs: broken JSON is refused',
    broken.status === 400 ? [] : [`${broken.status}: ${broken.body}`],
  );

  const older = { ...RECORD, timestamp: '2026-11-21T07:41:00Z', http_path: '/older', src_ip: '10.244.0.8' };
  await upload(JSON.stringify(older));
  await upload(
    JSON.stringify({ ...RECORD, timestamp: '2026-11-21T07:43:00Z', http_path: '/v6', src_ip: 'fd09::7' }),
  );
  await asked(checks, query);
  const { code } = await server.stop();
  checks.report('LightObs: the server ends well', code === 0 ? [] : [`it ended with ${code}`]);
}

async function asked(checks, query) {
  const { records } = await query('ip=10.244.0.9');
  const paths = records.map((one) => one.http_path);
  checks.report('LightObs: query by ip, newest first', [
    ...(JSON.stringify(paths) === JSON.stringify(['/v6', RECORD.http_path, '/older'])
      ? []
      : [`paths: ${paths}`]),
  ]);
  const [found = {}] = records.filter((one) => one.http_path === RECORD.http_path);
  // No process is known for an exchange of which only packets were seen, and LightObs says 0 for that.
  const should = { ...RECORD, pid: 0 };
  const problems = Object.keys(should)
    .filter((key) => !(key in found))
    .map((key) => `no ${key}`);
  for (const key of Object.keys(found))
    if (!(key in should)) problems.push(`${key} is not a field of LightObs`);
  for (const [key, value] of Object.entries(should)) {
    const same =
      key === 'timestamp' ? Math.abs(Date.parse(found[key]) - Date.parse(value)) < 1 : found[key] === value;
    if (!same) problems.push(`${key} is ${found[key]}, not ${value}`);
  }
  checks.report('LightObs: a record comes back with its 11 fields', problems);
  for (const [words, should, what] of [
    ['ip=10.244.0.8', 1, 'by the source'],
    ['ip=fd09::7', 1, 'by an IPv6 address'],
    ['ip=10.244.0.9&limit=2', 2, 'limit=2'],
    ['ip=10.244.0.9&limit=0', 3, 'limit=0 is 200'],
    ['ip=10.244.0.9&limit=many', 3, 'limit=many is 200'],
    ['pid=4711', 0, 'by pid'],
    ['pid=4711&ip=10.244.0.9', 0, 'pid wins'],
  ]) {
    const { status, records: found } = await query(words);
    checks.report(
      `LightObs: ${what}`,
      found.length === should && status === 200 ? [] : [`${status}, ${found.length}`],
    );
  }
  const neither = await query('limit=5');
  checks.report('LightObs: neither ip nor pid is 400', [
    ...(neither.status === 400 && typeof neither.records.error === 'string' ? [] : [JSON.stringify(neither)]),
  ]);
}

export const scenarios = [{ name: 'lightobs', run: lightobs }];
