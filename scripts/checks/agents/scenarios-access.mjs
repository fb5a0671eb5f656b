// Who may not: wrong and missing tokens, an unknown authority, plain HTTP to the port of TLS. Each is told so in words,
// nothing is stored, and no secret is repeated.

import { copyFileSync } from 'node:fs';
import { until } from '../live/programs.mjs';
import { curl as browse } from '../live/traffic.mjs';
import { certificates, threeHosts, tokenFiles } from './laboratory.mjs';
import { rowDifferences, settled } from './log-agreement.mjs';
import { CentralServer, NodeAgent } from './programs.mjs';

const RECORD = JSON.stringify({
  timestamp: '2026-11-21T07:42:00Z',
  src_ip: '10.0.0.1',
  src_port: 40_000,
  dst_ip: '10.0.0.2',
  dst_port: 80,
  http_method: 'GET',
  http_path: '/',
  status_code: 200,
});
const POST = ['-H', 'Content-Type: application/json', '-d', RECORD];
const SQL = ['-H', 'Content-Type: application/json', '-d', '{"sql":"SELECT 1"}'];

async function access({ lab, checks }) {
  const hosts = await threeHosts(lab);
  const tokens = tokenFiles(lab);
  const tls = certificates(lab);
  const server = new CentralServer(hosts, { data: lab.file('data'), tokens, tls });
  await server.start();
  await byToken(checks, server);
  await byCommand(checks, server, tls);
  await laterToken({ lab, checks, hosts, server, tls });
  const { code } = await server.stop();
  checks.report('the server has stayed well', code === 0 ? [] : [`it ended with ${code}`]);
}

async function byToken(checks, server) {
  const endpoints = [
    ['/api/v1/upload', 'agents', POST],
    ['/api/v1/upload/streams/abc', 'agents', []],
    ['/api/v1/agents/one', 'agents', ['-X', 'PUT', '-H', 'Content-Type: application/json', '-d', '{}']],
    ['/api/v1/exchanges', 'readers', []],
    ['/api/v1/exchanges/1', 'readers', []],
    ['/api/v1/query?ip=10.0.0.1', 'readers', []],
    ['/api/v1/red', 'readers', []],
    ['/api/v1/agents', 'readers', []],
    ['/api/v1/live', 'readers', ['-m', '2']],
    ['/api/v1/sql', 'readers', SQL],
    ['/metrics', 'readers', []],
  ];
  const problems = [];
  for (const [target, kind, words] of endpoints) {
    for (const [what, other, should] of [
      ['no token', null, 401],
      ['an unknown token', 'unknown-token-5512', 401],
      [`the token of the other kind`, kind === 'agents' ? 'readers' : 'agents', 403],
    ]) {
      const { status, body } = await server.curl(target, { kind: other, words });
      if (status !== should) problems.push(`${target} with ${what}: ${status} instead of ${should}`);
      if (!body.includes('"error"')) problems.push(`${target} with ${what}: no error in ${body}`);
      if (body.includes('5512')) problems.push(`${target} repeats the token`);
    }
  }
  const stored = (await server.rows()).length;
  if (stored !== 0) problems.push(`${stored} exchanges were stored`);
  checks.report(`${endpoints.length} endpoints refuse no token, an unknown and the other one`, problems);
  const open = [];
  for (const target of ['/healthz', '/readyz', '/api/v1/openapi.json']) {
    const { status } = await server.curl(target, { kind: null });
    if (status !== 200) open.push(`${target}: ${status}`);
  }
  checks.report('health and the description need no token', open);
}

async function byCommand(checks, server, tls) {
  const url = server.url('central');
  const told = async (name, reach, words, env = {}) => {
    const { code, stdout, stderr } = await server.query([], { reach, env });
    const missing = words.filter((word) => !stderr.toLowerCase().includes(word.toLowerCase()));
    checks.report(`query ${name} is told so`, [
      ...(code !== null && code > 0 && code < 10 ? [] : [`it ended with ${code}`]),
      ...(stdout === '' ? [] : [`standard output: ${stdout}`]),
      ...(missing.length > 0 ? [`no word of ${missing.join(', ')}: ${stderr.trim()}`] : []),
      ...(stderr.includes('nobody-knows') ? ['the token is repeated'] : []),
      ...(/\n\s+at /.test(stderr) ? ['a stack trace'] : []),
    ]);
  };
  const { tokens } = server;
  await told('without a token', ['--server', url, '--tls-ca', tls.ca], ['token']);
  await told(
    'with a wrong token',
    ['--server', url, '--tls-ca', tls.ca, '--token-file', tokens.wrong],
    ['token'],
  );
  await told(
    "with an agent's token",
    ['--server', url, '--tls-ca', tls.ca, '--token-file', tokens.agents],
    ['token'],
  );
  await told('without the authority', ['--server', url, '--token-file', tokens.readers], ['--tls-ca']);
  const other = ['--server', url, '--token-file', tokens.readers, '--tls-ca', tls.other];
  await told('with another authority', other, ['certificate']);
  const plain = ['--server', url.replace('https', 'http'), '--token-file', tokens.readers];
  await told('over plain HTTP to the port of TLS', plain, ['https']);
  await told('of an address where nobody listens', ['--server', 'http://127.0.0.1:9'], ['nothing listens']);
  const fromEnv = { WIRELENS_TOKEN: tokens.text.readers, WIRELENS_SERVER: url };
  const good = await server.query(['--format', 'json'], { reach: ['--tls-ca', tls.ca], env: fromEnv });
  checks.report('query takes server and token from the environment', good.code === 0 ? [] : [good.stderr]);
}

/** An agent whose token is wrong at first captures, says so, and sends everything when the right one is there. */
async function laterToken({ lab, checks, hosts, server, tls }) {
  const file = lab.file('later.token');
  copyFileSync(server.tokens.wrong, file);
  const reach = ['--server', server.url('client'), '--token-file', file, '--tls-ca', tls.ca];
  const words = ['--retry-denied', '1s'];
  const agent = new NodeAgent(hosts.client, { name: 'later', reach, spool: lab.file('spool-later'), words });
  await agent.start();
  await browse(hosts.client, `http://${hosts.address}:8000`, [
    '/small/token-1',
    '/page/token-2',
    '/missing/token-3',
  ]);
  await until(() => /401|token/i.test(agent.said), 'word of the wrong token', 10_000);
  copyFileSync(server.tokens.agents, file);
  await browse(hosts.client, `http://${hosts.address}:8000`, ['/small/token-4']);
  const log = await hosts.nginx.stop();
  await settled(server, log.length, 20_000);
  checks.report(
    'an agent with a wrong token keeps everything until the right one is there',
    rowDifferences(await server.rows(), log),
  );
  await agent.stop();
  const said = agent.said.includes('nobody-knows') ? ['it repeats the token'] : [];
  checks.report('and does not repeat the wrong one', said);
}

export const scenarios = [{ name: 'access', run: access }];
