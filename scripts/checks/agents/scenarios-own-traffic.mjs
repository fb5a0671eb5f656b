// An agent that captures everything on the way to its server, over plain HTTP, sees its own uploads. It must not report
// each with the next one for ever.

import { setTimeout as sleep } from 'node:timers/promises';
import { curl } from '../live/traffic.mjs';
import { threeHosts, tokenFiles } from './laboratory.mjs';
import { rowDifferences, settled } from './log-agreement.mjs';
import { CentralServer, NodeAgent } from './programs.mjs';

const WATCHED_MS = 5000;
/** Heartbeats (one a second) and what belongs to them; a loop would be a batch for every batch. */
const MOST = 2;

async function ownTraffic({ lab, checks }) {
  const hosts = await threeHosts(lab);
  const server = new CentralServer(hosts, { data: lab.file('data'), tokens: tokenFiles(lab) });
  await server.start();
  const agents = [];
  for (const name of ['client', 'web']) {
    const reach = server.reach(name, 'agents');
    const agent = new NodeAgent(hosts[name], {
      name,
      reach,
      spool: lab.file(`spool-${name}`),
      capture: ['-i', 'any'],
    });
    await agent.start();
    agents.push(agent);
  }
  await curl(hosts.client, `http://${hosts.address}:8000`, ['/small/own-1', '/page/own-2', '/missing/own-3']);
  const log = await hosts.nginx.stop();
  await settled(server, 2 * log.length);
  const before = await server.json('/api/v1/agents');
  await sleep(WATCHED_MS);
  const after = await server.json('/api/v1/agents');
  const grown = after.agents.map(({ agent, stored }) => {
    const was = before.agents.find((one) => one.agent === agent)?.stored ?? 0;
    return { agent, more: stored - was };
  });
  checks.report(
    'an agent that sees its own uploads does not report them for ever',
    grown
      .filter(({ more }) => more > MOST)
      .map(({ agent, more }) => `${agent}: ${more} more in ${WATCHED_MS / 1000} s`),
  );
  checks.report(
    'and reports everything else',
    rowDifferences(await server.rows('--where', 'server.port == 8000'), log),
  );
  for (const one of [...agents, server]) await one.stop();
}

export const scenarios = [{ name: 'own-traffic', run: ownTraffic }];
