// Two agents, one server over TLS with tokens: what it answers beside nginx's access log, on a line that takes 20 ms.

import { setTimeout as sleep } from 'node:timers/promises';
import { recordsOf } from '../live/capture.mjs';
import { until } from '../live/programs.mjs';
import { median } from '../live/scenarios-latency.mjs';
import { ask, curl, mixed } from '../live/traffic.mjs';
import { certificates, threeHosts, tokenFiles } from './laboratory.mjs';
import { count, rowDifferences, settled } from './log-agreement.mjs';
import { recordTimes } from './packet-times.mjs';
import { CentralServer, NodeAgent, startWirelens } from './programs.mjs';

const LINE_MS = 20;
const WITHIN_MS = 1;
/** nginx logs whole milliseconds, of a clock that it reads once in a turn of its loop. */
const LOG_WITHIN_MS = 2;
const SLOW_MS = [0, 30, 120];
const SLOW_REQUESTS = 30;
const FAR = ['--limit', '100000'];

/** Server, both agents, and a follower; the traffic; then all questions. */
async function agreement({ lab, checks }) {
  const hosts = await threeHosts(lab, { delayMs: LINE_MS });
  const tokens = tokenFiles(lab);
  const server = new CentralServer(hosts, { data: lab.file('data'), tokens, tls: certificates(lab) });
  await server.start();
  const agents = {};
  for (const name of ['client', 'web']) {
    const reach = server.reach(name, 'agents');
    agents[name] = new NodeAgent(hosts[name], { name, reach, spool: lab.file(`spool-${name}`) });
    await agents[name].start();
  }
  const follower = startWirelens(hosts.central, [
    'query',
    ...server.reach('central'),
    '--follow',
    '--format',
    'json',
  ]);
  const failures = startWirelens(hosts.central, [
    ...['query', ...server.reach('central'), '--follow', '--format', 'json'],
    ...['--where', 'status >= 400'],
  ]);
  await server.followed(2);
  const recorders = await Promise.all(['client', 'web'].map((name) => recordTimes(lab, hosts[name], name)));
  await traffic(hosts);
  await sleep(300);
  const [near, far] = await Promise.all(recorders.map((recorder) => recorder.stop()));
  const log = await hosts.nginx.stop();
  const label = `${log.length} requests in nginx's log, ${hosts.how}`;
  const stored = await settled(server, 2 * log.length);
  checks.report(`two agents, one server over TLS: ${label}: each was observed twice`, [
    ...(stored === 2 * log.length ? [] : [`${stored} observations are stored`]),
  ]);

  const rows = await server.rows(...FAR);
  checks.report('query says what the log says', rowDifferences(rows, log));
  checks.report('each observed twice is one exchange', await joined(server, log));
  await following(checks, { follower, failures }, log);
  await questions({ checks, server, rows, log });
  await times({ checks, server, rows, log, lineMs: (target) => near.get(target) - far.get(target) });
  await whoReports({ checks, server, agents, log });
  await stopping({ checks, server, agents });
}

async function traffic({ client, address }) {
  await mixed(client, address, { scale: 0.7 });
  const targets = Array.from(
    { length: SLOW_REQUESTS },
    (_, i) => `/slow/${SLOW_MS[i % SLOW_MS.length]}/${i}`,
  );
  const origin = `http://${address}:8000`;
  await curl(client, origin, targets);
  // Slowly read: the response takes its time, not the server.
  await curl(client, origin, ['/large/limited'], ['--limit-rate', '400k']);
  await ask(client, {
    host: address,
    tag: 'post',
    method: 'POST',
    bodyBytes: 3000,
    kinds: ['upload'],
    requests: 5,
  });
}

async function joined(server, log) {
  const problems = [];
  const is = async (what, sql, should) => {
    const found = await count(server, sql);
    if (found !== should) problems.push(`${what}: ${found} instead of ${should}`);
  };
  await is('exchanges', 'SELECT count(*) FROM exchanges', log.length);
  await is('observations', 'SELECT count(*) FROM observations', 2 * log.length);
  const pairs = 'SELECT uid FROM observations GROUP BY uid HAVING count(*) = 2 AND count(DISTINCT agent) = 2';
  await is('uids with one observation of each agent', `SELECT count(*) FROM (${pairs})`, log.length);
  return problems;
}

async function following(checks, { follower, failures }, log) {
  const failed = log.filter(({ status }) => status >= 400);
  const lines = (program) => program.text('stdout').split('\n').length - 1;
  await until(
    () => lines(follower) >= log.length && lines(failures) >= failed.length,
    'the followers',
    20_000,
  ).catch(() => {});
  // What comes twice would come late.
  await sleep(500);
  for (const [name, program, should] of [
    ['query --follow shows every exchange once', follower, log],
    ['query --follow --where shows every failure once', failures, failed],
  ]) {
    program.child.kill('SIGINT');
    const { code, stdout, stderr } = await program.ended;
    const ending = code === 0 || code === 130 ? [] : [`it ended with ${code}: ${stderr}`];
    checks.report(name, [...ending, ...rowDifferences(recordsOf(stdout), should)]);
  }
}

async function questions({ checks, server, rows, log }) {
  const same = async (name, words, should) => {
    const found = await server.rows(...words, ...FAR);
    checks.report(`query ${name}`, rowDifferences(found, should));
  };
  const statusIs = (test) => log.filter(({ status }) => test(status));
  await same('--ip of the client', ['--ip', '10.9.0.1'], log);
  await same('--ip of the web server', ['--ip', '10.9.0.2'], log);
  await same('--ip of nobody', ['--ip', '10.9.0.3'], []);
  await same(
    "--where 'status >= 500'",
    ['--where', 'status >= 500'],
    statusIs((status) => status >= 500),
  );
  const posts = log.filter(({ request }) => request.startsWith('POST'));
  await same("--where 'method == POST'", ['--where', 'method == "POST"'], posts);
  await same(
    '--where with a path',
    ['--where', "path ~ '^/large/'"],
    log.filter(({ request }) => request.includes(' /large/')),
  );
  await same('--agent web', ['--agent', 'web'], log);
  await same('--agent of nobody', ['--agent', 'nobody'], []);
  await same('--node node-client', ['--node', 'node-client'], log);
  const [from, to] = [0.25, 0.75].map((share) => {
    const times = rows.map(({ started_us }) => started_us).sort((a, b) => a - b);
    return times[Math.floor(times.length * share)];
  });
  const within = rows.filter(({ started_us: at }) => at >= from && at < to).map(({ target }) => target);
  const range = ['--from', new Date(Math.floor(from / 1000)).toISOString(), '--to', String(to / 1e6)];
  const ranged = await server.rows(...range, ...FAR);
  const lost = within.filter((target) => !ranged.some((row) => row.target === target));
  // --from was said in whole ms.
  const tooMany = ranged.filter(({ started_us: at }) => at < from - 1000 || at >= to);
  checks.report('query --from --to', [
    ...(lost.length > 0 ? [`${lost.length} of ${within.length} are missing, such as ${lost[0]}`] : []),
    ...tooMany.map(({ target }) => `out of the range: ${target}`),
  ]);
  const paged = await server.rows('--limit', '7');
  const newest = [...rows].sort((a, b) => b.started_us - a.started_us).slice(0, 7);
  checks.report('query --limit gives the newest', [
    ...(paged.length === 7 ? [] : [`${paged.length} came`]),
    ...newest
      .filter((row) => !paged.some(({ id }) => id === row.id))
      .map(({ target }) => `missing: ${target}`),
  ]);
  const csv = await server.query(['--format', 'csv', ...FAR]);
  const csvLines = csv.stdout.split(/\r?\n/).filter((line) => line !== '').length - 1;
  checks.report(
    'query --format csv has a line for each',
    csvLines === log.length ? [] : [`${csvLines} lines`],
  );
  const table = await server.query(['--ip', '10.9.0.1', '--limit', '5']);
  const words = ['Time', 'Source', 'Destination', 'Method', 'Path', 'Status', 'Latency(ms)', 'Size'];
  const [head = ''] = table.stdout.split('\n');
  checks.report("query's table has the columns that LightObs has", [
    ...words.filter((word) => !head.includes(word)).map((word) => `no ${word} in: ${head}`),
    ...(table.stdout.trim().split('\n').length >= 6 ? [] : [`too few lines: ${table.stdout}`]),
  ]);
  await red({ checks, server, log });
}

/** RED by status: the counts are those of the log. */
async function red({ checks, server, log }) {
  const groups = await server.rows('--red', 'status');
  const byStatus = new Map();
  for (const { status } of log) byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  const problems = [];
  for (const [status, requests] of byStatus) {
    const group = groups.find((one) => Number(one.status) === status);
    if (group?.requests !== requests) problems.push(`${status}: ${group?.requests} instead of ${requests}`);
    if (group === undefined) continue;
    const error = status >= 500 ? requests : 0;
    if (group.server_errors !== error) problems.push(`${status}: ${group.server_errors} server errors`);
    const client = status >= 400 && status < 500 ? requests : 0;
    if (group.client_errors !== client) problems.push(`${status}: ${group.client_errors} client errors`);
  }
  if (groups.length !== byStatus.size) problems.push(`${groups.length} groups instead of ${byStatus.size}`);
  checks.report('query --red status counts as the log does', problems);
  const [all] = await server.rows('--red', 'server');
  const broken = log.filter(({ status }) => status >= 500).length;
  checks.report('query --red server: one server with the ratio of errors of the log', [
    ...(all?.requests === log.length ? [] : [`${all?.requests} requests`]),
    ...(Math.abs((all?.error_ratio ?? -1) - broken / log.length) < 1e-3 ? [] : [`ratio ${all?.error_ratio}`]),
  ]);
}

/**
 * Time apart: what lies between both sides is what the line took, and the server's side is nginx's own time. On a busy
 * machine the line takes longer than it was told to, so each request is compared with what tshark finds it took.
 */
async function times({ checks, server, rows, log, lineMs }) {
  const slow = rows.filter(({ target }) => target.startsWith('/slow/'));
  const details = [];
  for (const { id } of slow) details.push(await server.json(`/api/v1/exchanges/${id}`));
  const without = details.filter(({ apart }) => apart === null);
  const apart = details.filter(({ apart: known }) => known !== null);
  const problems = without.map(({ exchange }) => `${exchange.target}: no time apart`);
  const order = apart.filter(({ observations: [first] }) => first.agent !== 'client');
  if (order.length > 0) problems.push(`${order.length} do not begin with the client's side`);
  // tshark has no time for an answer in several segments.
  const known = apart.filter((one) => !Number.isNaN(lineMs(one.exchange.target)));
  if (known.length < SLOW_REQUESTS * 0.8) problems.push(`tshark has the time of ${known.length} only`);
  const off = known.filter((one) => Math.abs(one.apart.network_ms - lineMs(one.exchange.target)) > WITHIN_MS);
  if (off.length > 0) {
    const [{ apart: said, exchange }] = off;
    problems.push(
      `${off.length} are not what the line took: ${said.network_ms} ms, ${lineMs(exchange.target)} in packets`,
    );
  }
  const tooShort = apart.filter((one) => one.apart.network_ms < LINE_MS - WITHIN_MS);
  if (tooShort.length > 0)
    problems.push(
      `${tooShort.length} took less than the line does, such as ${JSON.stringify(tooShort[0].apart)}`,
    );
  // Both have one clock. The way there and the way back are delayed alike only as far as the machine lets them.
  const offset = median(apart.map((one) => one.apart.clock_offset_ms));
  if (Math.abs(offset) > LINE_MS / 4) problems.push(`one clock of both, and its offset is ${offset} ms`);
  const name = `${apart.length} times apart: client's side, ${LINE_MS} ms of network, server's side`;
  checks.report(name, [
    ...(apart.length === SLOW_REQUESTS ? [] : [`${apart.length} of ${SLOW_REQUESTS}`]),
    ...problems,
  ]);
  const logged = new Map(log.map((one) => [one.request.split(' ')[1], one.seconds * 1000]));
  const middle = median(apart.map((one) => one.apart.server_side_ms - logged.get(one.exchange.target)));
  checks.report(
    "the server's side takes as long as nginx says",
    Math.abs(middle) <= LOG_WITHIN_MS ? [] : [`${middle} ms more in the median`],
  );
  const one = await server.query(['--id', String(slow[0].id)]);
  const missing = ['client', 'web', 'network'].filter((word) => !one.stdout.toLowerCase().includes(word));
  checks.report('query --id draws both sides', [
    ...(one.code === 0 ? [] : [`it ended with ${one.code}: ${one.stderr}`]),
    ...missing.map((word) => `no word of ${word}: ${one.stdout}`),
  ]);
}

async function whoReports({ checks, server, agents, log }) {
  // Two heartbeats after the last exchange.
  await sleep(2200);
  const rows = await server.rows('--agents');
  const problems = [];
  for (const name of Object.keys(agents)) {
    const found = rows.find(({ agent }) => agent === name);
    if (found === undefined) {
      problems.push(`${name} is not listed`);
      continue;
    }
    const should = {
      node: `node-${name}`,
      exchanges: log.length,
      exchanges_sent: log.length,
      exchanges_dropped: 0,
      packets_dropped: 0,
      backlog_batches: 0,
      stored: log.length,
      problem: null,
    };
    for (const [key, value] of Object.entries(should))
      if (found[key] !== value)
        problems.push(`${name}: ${key} is ${JSON.stringify(found[key])}, not ${value}`);
    if (!(found.packets > 2 * log.length)) problems.push(`${name}: ${found.packets} packets`);
  }
  if (rows.length !== 2) problems.push(`${rows.length} agents`);
  checks.report('query --agents: both, with counters that add up', problems);
}

async function stopping({ checks, server, agents }) {
  for (const [name, agent] of Object.entries(agents)) {
    const { code, stderr } = await agent.stop();
    checks.report(
      `agent ${name} ends well on SIGTERM`,
      code === 0 ? [] : [`it ended with ${code}: ${stderr}`],
    );
  }
  const { code, stderr } = await server.stop();
  checks.report('the server ends well on SIGTERM', code === 0 ? [] : [`it ended with ${code}: ${stderr}`]);
  const secrets = Object.values(server.tokens.text);
  const said = [server, ...Object.values(agents)].map((one) => one.said).join('\n');
  checks.report(
    'no token is in what they say',
    secrets.filter((secret) => said.includes(secret)).map((secret) => `${secret} is`),
  );
}

export const scenarios = [{ name: 'agreement', run: agreement }];
