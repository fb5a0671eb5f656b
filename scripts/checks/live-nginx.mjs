// A capture made on the spot: nginx, curl and wrk on loopback in a network namespace of its own, compared with nginx's log.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Checks } from './checks.mjs';

const checks = new Checks();
const missing = ['nginx', 'curl', 'tcpdump', 'unshare', 'ip'].filter(
  (tool) => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0,
);
if (process.platform !== 'linux' || process.getuid() !== 0)
  checks.skip('live capture', 'it needs Linux and root');
else if (missing.length > 0) checks.skip('live capture', `not installed: ${missing.join(', ')}`);
else if (spawnSync('unshare', ['--net', 'true']).status !== 0) {
  checks.skip('live capture', 'this system does not allow a network namespace');
} else await live();
checks.finish();

async function live() {
  const { enterOwnNamespace, runAside } = await import('../../fixtures/make/namespace.mjs');
  enterOwnNamespace();
  const { startRecorder } = await import('../../fixtures/make/recorder.mjs');
  const { startNginx } = await import('../../fixtures/make/servers.mjs');
  const { exchangesOf } = await import('../expected-exchanges.mjs');
  const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-live-'));
  try {
    const recorder = await startRecorder(
      { tcpdump: ['-i', 'lo', '-s', '0'] },
      path.join(folder, 'capture.pcap'),
      [],
    );
    const nginx = await startNginx();
    const targets = ['/', '/style.css', '/data.json?x=1', '/not/there', '/moved', '/large.bin', '/docs/'];
    for (let round = 0; round < 30; round++) {
      const urls = targets.map((target) => `http://127.0.0.1:8000${target}`);
      await runAside('curl', '-s', '--compressed', ...urls.flatMap((url) => ['-o', '/dev/null', url]));
    }
    const log = (await nginx.stop())
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
    await new Promise((resolve) => setTimeout(resolve, 1300));
    await recorder.stop();
    const exchanges = await exchangesOf(folder, 'capture.pcap');
    const byNginx = log.map(
      (one) => `${one.clientPort} ${one.position} ${one.request} ${one.status} ${one.bodyBytes}`,
    );
    const byWirelens = exchanges.map(
      (one) =>
        `${one.client.split(':').at(-1)} ${one.position} ${one.method} ${one.target} HTTP/${one.http_version} ${one.status} ${one.response?.body_bytes}`,
    );
    const found = new Set(byWirelens);
    const logged = new Set(byNginx);
    checks.report(
      `live capture: ${log.length} requests in nginx's log`,
      log.length === 210 ? [] : ['210 were sent'],
    );
    checks.report('live capture: the same exchanges', [
      ...byNginx.filter((line) => !found.has(line)).map((line) => `only in nginx's log: ${line}`),
      ...byWirelens.filter((line) => !logged.has(line)).map((line) => `only in the capture: ${line}`),
    ]);
    const notWhole = exchanges.filter((one) => one.outcome !== 'complete' || one.pairing !== 'exact');
    checks.report(
      'live capture: all complete and exact',
      notWhole.map((one) => `${one.target}: ${one.outcome}, ${one.pairing}`),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
