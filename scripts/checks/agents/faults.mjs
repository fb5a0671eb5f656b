// What the fault scenarios share: a server and two agents under load, and what must be true afterwards.

import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { start, until } from '../live/programs.mjs';
import { ask } from '../live/traffic.mjs';
import { randomFrom } from '../seeded.mjs';
import { certificates, threeHosts, tokenFiles } from './laboratory.mjs';
import { count, observationsOf, onceEach, rowDifferences, settled, withoutHalves } from './log-agreement.mjs';
import { CentralServer, NodeAgent } from './programs.mjs';

/** Waits of agents between attempts; shorter than usual, so that a check need not take long. */
const IMPATIENT = ['--retry-first', '100ms', '--retry-longest', '1s', '--upload-timeout', '5s'];
const PROXY_PORT = 9443;
/** Connections at one time. */
const TOGETHER = 6;
const KINDS = ['small', 'page', 'missing', 'moved', 'empty', 'broken'];

/**
 * One round of a fault: everything is started, `course(world)` happens, and the comparison is reported. `random` of the
 * world is made from the seed, which is in the name of the check.
 */
export class World {
  constructor({ lab, checks, seed, round }, name) {
    this.lab = lab;
    this.checks = checks;
    this.round = round;
    this.seed = seed + round;
    this.name = `${name}, seed ${this.seed}`;
    this.random = randomFrom(this.seed);
    this.number = 0;
  }

  /**
   * `plain`: HTTP without TLS. `proxy`: what faulty-proxy.mjs does between agents and server. `agents`: which there are.
   * `agentWords`, `how` and `serverWords`: for their command lines and processes.
   */
  async start({
    plain = false,
    proxy = null,
    agents = ['client', 'web'],
    agentWords = [],
    serverWords = [],
    how = {},
  } = {}) {
    const { lab } = this;
    this.hosts = await threeHosts(lab);
    const tls = plain ? null : certificates(lab);
    // A round has a server and spools of its own: what the one before left there is not in its log.
    const own = (name) => lab.file(`${name}-${this.round}`);
    const data = own('data');
    const tokens = tokenFiles(lab);
    this.server = new CentralServer(this.hosts, { data, tokens, tls, words: serverWords, ...how });
    await this.server.start();
    if (proxy !== null) await this.#startProxy(proxy);
    this.agents = {};
    for (const name of agents) {
      const reach = this.server.reach(name, 'agents', proxy === null ? undefined : PROXY_PORT);
      const words = [...IMPATIENT, ...agentWords];
      this.agents[name] = new NodeAgent(this.hosts[name], {
        name,
        reach,
        spool: own(`spool-${name}`),
        words,
        ...how,
      });
      await this.agents[name].start();
    }
  }

  async #startProxy(how) {
    const plan = { listen: PROXY_PORT, to: this.server.port, seed: this.seed, ...how };
    const program = path.join(import.meta.dirname, 'faulty-proxy.mjs');
    this.proxy = start([...this.hosts.central.in, process.execPath, program, JSON.stringify(plan)]);
    await until(
      () => this.proxy.text('stdout').includes('ready'),
      `start of the proxy ${this.proxy.text('stderr')}`,
    );
  }

  /** Requests for so long, some hundred a second, and at least on so many connections, ten on each. Each asks for its own target. */
  load(seconds, connections = 1) {
    return ask(this.hosts.client, {
      host: this.hosts.address,
      tag: `load-${++this.number}`,
      kinds: KINDS,
      requests: 10,
      together: TOGETHER,
      pauseMs: 10,
      connections,
      lastingMs: seconds * 1000,
    });
  }

  pause(fromMs, toMs) {
    return sleep(fromMs + this.random() * (toMs - fromMs));
  }

  /**
   * Stops nginx, waits until all is there, and reports. `missing`: agents that lost something without saying so, because
   * they were killed, `kills` times together; what they have not seen the others have. `also`: further problems.
   */
  async finish({ missing = [], kills = 0, also = async () => [] } = {}) {
    const log = await this.hosts.nginx.stop();
    const names = Object.keys(this.agents);
    const whole = names.filter((name) => !missing.includes(name));
    await this.#allSent(whole, log.length);
    const rows = await this.server.rows('--limit', '1000000');
    const problems = [
      ...(log.length > 100 ? [] : [`only ${log.length} requests`]),
      ...this.#compare(rows, log, { missing, kills }),
    ];
    for (const name of names) {
      const own = await observationsOf(this.server, name);
      const seen = withoutHalves(own, missing, kills * TOGETHER);
      const times = onceEach(seen.whole, log).filter(
        (text) => !missing.includes(name) || !text.includes('are missing'),
      );
      problems.push(...[...seen.problems, ...times].map((text) => `${name}: ${text}`));
    }
    const pairs =
      'SELECT uid FROM observations GROUP BY uid HAVING count(*) <> 2 OR count(DISTINCT agent) <> 2';
    const single = await count(this.server, `SELECT count(*) FROM (${pairs})`);
    if (missing.length === 0 && names.length === 2 && single > 0)
      problems.push(`${single} uids were not observed twice`);
    problems.push(...(await also(log, rows)));
    this.checks.report(`${this.name}: ${log.length} requests, each there exactly once`, problems);
    await this.#end();
  }

  #compare(rows, log, { missing, kills }) {
    if (missing.length === 0) return rowDifferences(rows, log);
    // Who began in the middle of a connection cannot know how many requests it had before.
    const { whole, problems } = withoutHalves(rows, missing, kills * TOGETHER);
    return [...problems, ...onceEach(whole, log)];
  }

  async #allSent(names, requests) {
    await settled(this.server, names.length * requests, 30_000);
    await until(
      async () => {
        const { agents } = await this.server.json('/api/v1/agents').catch(() => ({ agents: [] }));
        return names.every((name) => (agents.find(({ agent }) => agent === name)?.stored ?? 0) >= requests);
      },
      'all',
      30_000,
    ).catch(() => {});
    // What is doubled comes after.
    await sleep(1500);
  }

  async #end() {
    this.proxy?.child.kill('SIGTERM');
    const ends = [];
    for (const one of [...Object.values(this.agents), this.server]) ends.push(await one.stop());
    const bad = ends
      .filter(({ code }) => code !== 0)
      .map(({ code, stderr }) => `it ended with ${code}: ${stderr.slice(-600)}`);
    if (bad.length > 0) this.checks.report(`${this.name}: all end well`, bad);
  }
}
