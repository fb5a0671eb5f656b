// Everything fails that can fail, at moments drawn from a seed, under load. Afterwards every request of nginx's log is at
// the server exactly once, or an agent counts it as dropped.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { World } from './faults.mjs';
import { settled } from './log-agreement.mjs';

const CLOCK_STEP = path.join(import.meta.dirname, 'clock-step.mjs');

/** kill -9 of the server, again and again. */
async function serverKilled(world, { kills = 3 }) {
  await world.start();
  const load = world.load(kills * 1.6 + 1);
  for (let number = 0; number < kills; number++) {
    await world.pause(300, 1500);
    await world.server.kill();
    await world.pause(0, 500);
    await world.server.start();
  }
  await load;
  await world.finish();
}

/** kill -9 of the agent beside nginx, while the other one sees everything. */
async function agentKilled(world, { kills = 3 }) {
  await world.start();
  const load = world.load(kills * 1.6 + 1);
  for (let number = 0; number < kills; number++) {
    await world.pause(300, 1500);
    await world.agents.web.kill();
    await world.pause(0, 500);
    await world.agents.web.start();
  }
  await load;
  await world.finish({ missing: ['web'], kills });
}

/** Both agents and the server are killed while batches wait on disk. What was sealed is sent by the next ones. */
async function spoolSurvives(world) {
  await world.start();
  await world.load(1.5);
  await world.server.kill();
  await world.load(1.5);
  // A batch is closed after 1 s.
  await sleep(2500);
  for (const agent of Object.values(world.agents)) await agent.kill();
  await world.server.start();
  for (const agent of Object.values(world.agents)) await agent.start();
  await world.finish();
}

/** The server is away under load; capture goes on. */
async function serverAway(world, { awayMs }) {
  await world.start();
  const load = world.load(awayMs / 1000 + 2);
  await sleep(1000);
  await world.server.kill();
  await sleep(awayMs);
  await world.server.start();
  await load;
  await world.finish({
    also: async () => {
      const { agents } = await world.server.json('/api/v1/agents');
      return agents
        .filter(({ packets_dropped, exchanges_dropped }) => packets_dropped + exchanges_dropped > 0)
        .map(
          (one) => `${one.agent} dropped ${one.packets_dropped} packets, ${one.exchanges_dropped} exchanges`,
        );
    },
  });
}

/** A server that stands still for seconds, longer than an agent waits for an answer. */
async function serverSlow(world) {
  await world.start({ agentWords: ['--upload-timeout', '1s'] });
  const load = world.load(6);
  for (let number = 0; number < 2; number++) {
    await world.pause(200, 900);
    world.server.signal('SIGSTOP');
    await world.pause(1200, 2500);
    world.server.signal('SIGCONT');
  }
  await load;
  await world.finish();
}

async function connectionsCut(world) {
  await world.start({ proxy: { how: 'cut', share: 0.85 }, agentWords: ['--batch-time', '200ms'] });
  await loadUntilFaults(world);
  await world.finish({ also: () => faultsHappened(world) });
}

async function wrongAnswers(world) {
  await world.start({
    plain: true,
    proxy: { how: 'answers', share: 0.5 },
    agentWords: ['--batch-time', '200ms'],
  });
  await loadUntilFaults(world);
  await world.finish({ also: () => faultsHappened(world) });
}

const FEWEST_FAULTS = 3;

/** How many uploads there are, and so how many faults, is a matter of time: a slow machine is given more of it. */
async function loadUntilFaults(world) {
  const faults = () => world.proxy.text('stdout').split('fault\n').length - 1;
  for (let round = 0; round === 0 || (round < 5 && faults() < FEWEST_FAULTS); round++) await world.load(4);
}

async function faultsHappened({ proxy }) {
  proxy.child.kill('SIGTERM');
  const { stdout } = await proxy.ended;
  const { faults } = JSON.parse(stdout.trim().split('\n').at(-1));
  return faults >= FEWEST_FAULTS ? [] : [`only ${faults} faults of the proxy, so the check says little`];
}

/** A spool too small for what comes while the server is away: the oldest go, and are counted. */
async function spoolFull(world) {
  const words = ['--spool-size', '1MiB', '--batch-rows', '1'];
  await world.start({ agents: ['client'], agentWords: words });
  const { answered } = await world.load(1);
  await settled(world.server, answered);
  await world.server.kill();
  await world.load(1, 400);
  await sleep(1500);
  await world.server.start();
  const log = await world.hosts.nginx.stop();
  let told;
  for (let tries = 0; tries < 100; tries++) {
    await sleep(1000);
    [told] = (await world.server.json('/api/v1/agents')).agents;
    if (told.backlog_batches === 0 && told.stored + told.exchanges_dropped >= log.length) break;
  }
  const targets = (await world.server.rows('--limit', '1000000')).map(({ target }) => target);
  const logged = new Set(log.map(({ request }) => request.split(' ')[1]));
  const sum = targets.length + told.exchanges_dropped;
  world.checks.report(
    `${world.name}: ${log.length} requests are there (${targets.length}) or counted as dropped`,
    [
      ...(told.exchanges_dropped > 0 ? [] : ['nothing was dropped, so the check says nothing']),
      ...(sum === log.length
        ? []
        : [
            `${targets.length} and ${told.exchanges_dropped} dropped are ${sum}; ${told.backlog_batches} wait`,
          ]),
      ...(new Set(targets).size === targets.length ? [] : ['some are there twice']),
      ...targets.filter((target) => !logged.has(target)),
      // What the server had before its end is not touched by it.
      ...(targets.filter((target) => target.includes('/load-1-')).length > 0
        ? []
        : ['what came before is not there']),
    ],
  );
  for (const one of [world.agents.client, world.server]) await one.stop();
}

/** The clocks of server and agents go an hour back in the middle. */
async function clockBack(world) {
  const how = { node: ['--import', CLOCK_STEP], env: { CHECK_CLOCK_STEP: '4000,3600000' } };
  await world.start({ how });
  await world.load(5);
  await world.server.kill();
  await world.load(1);
  await world.server.start();
  await world.load(1);
  await world.finish();
}

const FAULTS = {
  'server-killed': ['kill -9 of the server', serverKilled],
  'agent-killed': ['kill -9 of an agent', agentKilled],
  'spool-survives': ['kill -9 of everything while batches wait', spoolSurvives],
  'server-away': ['the server is away', serverAway],
  'server-slow': ['a server that stands still', serverSlow],
  cuts: ['connections cut in the middle', connectionsCut],
  answers: ['500, 502, 503, 429 and silence', wrongAnswers],
  'spool-full': ['a spool that is too small', spoolFull],
  clock: ['clocks that go an hour back', clockBack],
};

export const scenarios = Object.entries(FAULTS).map(([name, [what, course]]) => ({
  name,
  async run(t) {
    for (let round = 0; round < t.rounds; round++) {
      const world = new World({ ...t, round }, what);
      await course(world, { awayMs: t.rounds > 1 ? 30_000 : 10_000 });
    }
  },
}));
