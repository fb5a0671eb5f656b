// A real capture of many small exchanges: nginx and wrk on loopback, recorded by tcpdump.

import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Body that nginx serves: with the heads and the capture's own headers one exchange takes about 2.6 kB. */
const BODY_BYTES = 2230;
const CONNECTIONS = 16;

/** Why a real capture cannot be made here, or null when it can. */
export function nginxCaptureMissing() {
  if (process.platform !== 'linux') return 'it needs Linux';
  if (process.getuid() !== 0) return 'capturing on loopback needs root';
  for (const tool of ['nginx', 'wrk', 'tcpdump']) {
    if (spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0) return `${tool} is not installed`;
  }
  return null;
}

/**
 * Records until `file` has `targetBytes`. Everything it starts is stopped before it returns.
 * Returns the number of packets that the kernel dropped (0 is what one wants).
 */
export async function recordNginx(file, targetBytes) {
  const folder = mkdtempSync(path.join(tmpdir(), 'wirelens-bench-'));
  const port = await freePort();
  mkdirSync(path.join(folder, 'www/items'), { recursive: true });
  for (let item = 0; item < 50; item++) {
    writeFileSync(
      path.join(folder, `www/items/${item}`),
      `{"item":${item},"text":"`.padEnd(BODY_BYTES, 'wire '),
    );
  }
  writeFileSync(path.join(folder, 'nginx.conf'), nginxConfiguration(folder, port));
  writeFileSync(path.join(folder, 'items.lua'), WRK_SCRIPT);
  const nginx = spawn('nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf')], { stdio: 'inherit' });
  const tcpdump = spawn(
    'tcpdump',
    ['-i', 'lo', '-s', '0', '-B', '262144', '-w', file, '-Z', 'root', 'tcp', 'port', String(port)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  let report = '';
  tcpdump.stderr.on('data', (bytes) => {
    report += bytes;
  });
  const tcpdumpEnded = new Promise((resolve) => tcpdump.on('close', resolve));
  try {
    while (!report.includes('listening on')) {
      if (tcpdump.exitCode !== null) throw new Error(`tcpdump: ${report.trim()}`);
      await sleep(50);
    }
    await sleep(300);
    while (sizeOf(file) < targetBytes) {
      const seconds = targetBytes > 100e6 ? 1 : 0.2;
      const url = `http://127.0.0.1:${port}/`;
      const wrk = spawn('wrk', [
        `-t1`,
        `-c${CONNECTIONS}`,
        `-d${Math.ceil(seconds)}s`,
        '-s',
        path.join(folder, 'items.lua'),
        url,
      ]);
      if (seconds < 1) setTimeout(() => wrk.kill('SIGINT'), seconds * 1000);
      await new Promise((resolve) => wrk.on('close', resolve));
      await sleep(200);
    }
  } finally {
    tcpdump.kill('SIGINT');
    nginx.kill('SIGTERM');
    await tcpdumpEnded;
    rmSync(folder, { recursive: true, force: true });
  }
  return Number(/(\d+) packets dropped by kernel/.exec(report)?.[1] ?? 0);
}

function sizeOf(file) {
  return existsSync(file) ? statSync(file).size : 0;
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

const WRK_SCRIPT = `
local item = 0
request = function()
  item = (item + 1) % 50
  return wrk.format("GET", "/items/" .. item .. "?page=" .. (item % 7))
end
`;

function nginxConfiguration(folder, port) {
  return `
daemon off;
user root;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile off;
  keepalive_requests 100000000;
  default_type application/json;
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  server { listen 127.0.0.1:${port}; root ${folder}/www; }
}
`;
}
