// An agent and a server that are killed, cut off, slowed down and out of disk, with real packets. Afterwards every
// exchange that came into the spool is at the server exactly once, or counted as dropped.
//
//     node scripts/checks/agent-faults.mjs [--seed N] [--rounds N] [--only WORD]
//
// Everything runs in network namespaces of its own; disks that fill up are small tmpfs. The seed of each run is printed.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Site } from './agent/site.mjs';
import { Checks } from './checks.mjs';
import { Lab } from './live/namespaces.mjs';
import { installed, start, until } from './live/programs.mjs';
import { randomFrom } from './seeded.mjs';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    wirelens: { type: 'string', default: path.resolve(import.meta.dirname, '../../bin/wirelens.js') },
  },
});
const WIRELENS = values.wirelens;
const checks = new Checks();

const scenarios = [
  ['the agent is killed again and again', agentKilled],
  ['the server is killed again and again', serverKilled],
  ['the server is away for 30 s', serverAway],
  ['connections are cut, answers are slow, late and 500', faultyWay],
  ['the spool is too small for the time that the server is away', spoolFull],
  ['the disk of the spool is full for a while', diskFull],
  ['the agent ends while the server is away, and goes on later', agentEnds],
];

/** Problems of a run in which the agent lived all the time. */
function agreeing(answered, said, stored, { losses = false } = {}) {
  const problems = [];
  if (answered < 100) problems.push(`only ${answered} requests were made`);
  if (said.exchanges !== answered)
    problems.push(`${answered} requests, ${said.exchanges} exchanges captured`);
  if (said.waiting !== 0) problems.push(`${said.waiting} exchanges were left in the spool`);
  if (said.sent + said.lost !== said.exchanges)
    problems.push(`${said.exchanges} exchanges, ${said.sent} sent and ${said.lost} counted as lost`);
  if (losses ? said.lost === 0 : said.lost !== 0) problems.push(`${said.lost} exchanges counted as lost`);
  return [...problems, ...once(stored, said.sent)];
}

/** Problems of what the server has. */
function once({ rows, paths }, sent) {
  const problems = [];
  if (rows !== paths) problems.push(`${rows} exchanges at the server, but ${paths} different ones`);
  if (rows !== sent) problems.push(`${sent} exchanges were acknowledged, ${rows} are at the server`);
  return problems;
}

const balanced = ({ sent, refused, dropped, damaged, doneRows, writtenRows }) =>
  sent + refused + dropped + damaged === doneRows && doneRows === writtenRows
    ? []
    : [
        `the spool's account does not balance: ${JSON.stringify({ sent, refused, dropped, damaged, doneRows, writtenRows })}`,
      ];

async function agentKilled(site, random) {
  await site.server();
  const traffic = await site.traffic();
  for (let round = 0; round < Number(values.rounds) * 3; round++) {
    const agent = await site.agent();
    await sleep(200 + random() * 2500);
    agent.child.kill('SIGKILL');
    await agent.ended;
  }
  const agent = await site.agent();
  await sleep(1500);
  const answered = await traffic.stop();
  await sleep(500);
  const said = await site.endOf(agent);
  const ledger = site.ledger();
  const stored = await site.stored();
  const problems = [...balanced(ledger), ...once(stored, ledger.sent)];
  if (said.waiting !== 0) problems.push(`${said.waiting} exchanges were left in the spool`);
  if (ledger.dropped + ledger.refused + ledger.unwritten !== 0)
    problems.push(`dropped: ${JSON.stringify(ledger)}`);
  if (stored.rows < 100) problems.push(`only ${stored.rows} of ${answered} requests were stored`);
  return problems;
}

async function serverKilled(site, random) {
  let server = await site.server();
  const agent = await site.agent();
  const traffic = await site.traffic();
  for (let round = 0; round < Number(values.rounds); round++) {
    await sleep(500 + random() * 2500);
    server.child.kill('SIGKILL');
    await server.ended;
    await sleep(random() * 1500);
    server = await site.server();
  }
  return settledAgreement(site, agent, traffic);
}

async function serverAway(site) {
  const server = await site.server();
  const agent = await site.agent();
  const traffic = await site.traffic(200);
  await sleep(1500);
  server.child.kill('SIGKILL');
  await server.ended;
  await sleep(30_000);
  await site.server();
  return settledAgreement(site, agent, traffic);
}

async function faultyWay(site, random) {
  await site.server();
  await site.proxy(Math.floor(random() * 1e9));
  const agent = await site.agent({ options: ['--upload-timeout', '1s', '--stop-timeout', '60s'] });
  const traffic = await site.traffic();
  await sleep(Number(values.rounds) * 5000);
  // The way stays as it is while the agent ends.
  return settledAgreement(site, agent, traffic);
}

async function spoolFull(site) {
  const agent = await site.agent({
    options: ['--spool-size', '1MiB', '--batch-rows', '5', '--stop-timeout', '60s'],
  });
  const traffic = await site.traffic(3000);
  await until(() => agent.text('stderr').includes('the spool is full'), 'a full spool', 120_000);
  await sleep(1000);
  await site.server();
  return settledAgreement(site, agent, traffic, { losses: true });
}

async function diskFull(site) {
  const spool = site.lab.file('small');
  const flag = site.lab.file('room');
  // Somebody else fills the disk, and makes room later.
  const before =
    `mkdir -p ${spool} && mount -t tmpfs -o size=2m none ${spool} && mkdir ${spool}/s && ` +
    `head -c 1800k /dev/zero > ${spool}/ballast && ` +
    `{ (while ! [ -e ${flag} ]; do sleep 0.2; done; rm ${spool}/ballast) & } &&`;
  const agent = await site.agent({
    spool: `${spool}/s`,
    before,
    options: ['--max-memory', '128MiB', '--batch-rows', '20', '--stop-timeout', '60s'],
  });
  const traffic = await site.traffic(3000);
  await until(() => agent.text('stderr').includes('the spool cannot be written'), 'a full disk', 120_000);
  await sleep(2000);
  const alive = agent.child.exitCode === null ? [] : ['the agent ended'];
  await site.server();
  start(['touch', flag]);
  await until(() => agent.text('stderr').includes('can be written again'), 'room on the disk', 60_000);
  const problems = await settledAgreement(site, agent, traffic, { losses: null });
  return [...alive, ...problems];
}

async function agentEnds(site) {
  const first = await site.agent({ options: ['--stop-timeout', '200ms'] });
  const traffic = await site.traffic();
  await sleep(2000);
  const answered = await traffic.stop();
  await sleep(500);
  const said = await site.endOf(first);
  const problems = [];
  if (said.sent !== 0 || said.waiting !== answered || said.exchanges !== answered)
    problems.push(`after the first life: ${answered} requests, ${JSON.stringify(said)}`);
  await site.server();
  const again = await site.endOf(await site.agent());
  if (again.sent !== answered || again.waiting !== 0)
    problems.push(`after the second life: ${JSON.stringify(again)}`);
  return [...problems, ...balanced(site.ledger()), ...once(await site.stored(), answered)];
}

/** The traffic ends, the agent sends what is left, and everybody's numbers are compared. */
async function settledAgreement(site, agent, traffic, { losses = false } = {}) {
  await sleep(1000);
  const answered = await traffic.stop();
  await sleep(3000);
  const said = await site.endOf(agent);
  const stored = await site.stored();
  const expected = losses === null ? said.lost > 0 : losses;
  return agreeing(answered, said, stored, { losses: expected });
}

if (process.platform !== 'linux' || process.getuid() !== 0)
  checks.skip('agent under faults', 'it needs Linux and root');
else if (!installed('ip')) checks.skip('agent under faults', 'not installed: ip');
else {
  console.log(`seed ${values.seed}`);
  for (const [name, scenario] of scenarios) {
    if (values.only !== undefined && !name.includes(values.only)) continue;
    const lab = new Lab();
    try {
      checks.report(name, await scenario(new Site(lab, WIRELENS), randomFrom(Number(values.seed))));
    } catch (error) {
      checks.report(name, [error.stack]);
    } finally {
      lab.remove();
    }
  }
}
checks.finish();
