// Agents on nodes, one server, and who asks it: network namespaces as nodes, real nginx and curl, compared with what
// nginx logged; and the same with everything failing that can fail.
//
//     node scripts/checks/agents.mjs [--only NAME,…] [--rounds N] [--seed N] [--jobs N]
//
// --rounds: of each fault (1); CI has time for few, a night for many. --jobs: scenarios at once (3).

import { parseArgs } from 'node:util';
import { Checks } from './checks.mjs';
import { Lab } from './live/namespaces.mjs';
import { installed, succeeds } from './live/programs.mjs';

const PARTS = ['agreement', 'access', 'lightobs', 'nat', 'own-traffic', 'faults'];

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    jobs: { type: 'string', default: '3' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});
const only = values.only?.split(',') ?? null;
const checks = new Checks();
const reason = whyNot();
if (reason === null) await all();
else checks.skip('agents, server and query in namespaces', reason);
checks.finish();

/** Why nothing of it can run here, or null. */
function whyNot() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'it needs Linux and root';
  const tools = ['ip', 'nginx', 'curl', 'ethtool', 'openssl', 'python3', 'tcpdump', 'tshark'];
  const missing = tools.filter((tool) => !installed(tool));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  return succeeds('unshare', '--net', 'true') ? null : 'this system does not allow a network namespace';
}

async function all() {
  const how = { rounds: Number(values.rounds), seed: Number(values.seed) };
  const asked = [];
  for (const part of PARTS) {
    const { scenarios } = await import(`./agents/scenarios-${part}.mjs`);
    for (const scenario of scenarios)
      if (only === null || only.includes(scenario.name) || only.includes(part))
        asked.push({ part, ...scenario });
  }
  // What compares times has the machine for itself. The others wait most of the time.
  for (const one of asked) if (one.part === 'agreement') await scenario(one, how);
  const others = asked.filter(({ part }) => part !== 'agreement');
  const worker = async () => {
    for (let next = others.shift(); next !== undefined; next = others.shift()) await scenario(next, how);
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, worker));
}

async function scenario({ name, run }, how) {
  const lab = new Lab();
  const startedMs = Date.now();
  try {
    await run({ lab, checks, ...how });
  } catch (error) {
    checks.report(name, [error.stack ?? String(error)]);
  } finally {
    lab.remove();
  }
  if (process.env.WIRELENS_CHECK_TIMES) console.log(`        ${name}: ${Date.now() - startedMs} ms`);
}
