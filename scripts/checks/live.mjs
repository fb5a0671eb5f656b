// Live capture in network namespaces made here, compared with what the server logged, with curl's own times, with
// tcpdump and with tshark.
//
//     node scripts/checks/live.mjs [--only NAME,…]

import { parseArgs } from 'node:util';
import { Checks } from './checks.mjs';
import { Lab } from './live/namespaces.mjs';
import { installed, succeeds } from './live/programs.mjs';

const { values } = parseArgs({ options: { only: { type: 'string' } } });
const only = values.only?.split(',') ?? null;
const checks = new Checks();
const reason = whyNot();
if (reason === null) await all();
else checks.skip('live capture in namespaces', reason);
checks.finish();

/** Why nothing of it can run here, or null. */
function whyNot() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return 'it needs Linux and root';
  const tools = ['ip', 'nginx', 'curl', 'wrk', 'ethtool', 'tcpdump', 'tshark', 'python3', 'sqlite3'];
  const missing = tools.filter((tool) => !installed(tool));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  return succeeds('unshare', '--net', 'true') ? null : 'this system does not allow a network namespace';
}

async function all() {
  const parts = [
    'interfaces',
    'nat',
    'line',
    'load',
    'filters',
    'recording',
    'endings',
    'drivers',
    'latency',
    'pressure',
    'rights',
  ];
  for (const part of parts) {
    const { scenarios } = await import(`./live/scenarios-${part}.mjs`);
    for (const { name, run } of scenarios) {
      if (only !== null && !only.includes(name)) continue;
      const lab = new Lab();
      const startedMs = Date.now();
      try {
        await run({ lab, checks });
      } catch (error) {
        checks.report(name, [error.stack ?? String(error)]);
      } finally {
        lab.remove();
      }
      if (process.env.WIRELENS_CHECK_TIMES) console.log(`        ${name}: ${Date.now() - startedMs} ms`);
    }
  }
}
