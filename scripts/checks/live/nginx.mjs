// nginx in a namespace, whose access log says what there was to see.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { start, until } from './programs.mjs';

/** First words of a path, and what is answered to them. */
const BODY_BYTES = { small: 100, page: 2_500, large: 150_000, huge: 8_000_000 };

const LOG_FORMAT = [
  '"time":$msec',
  '"seconds":$request_time',
  '"request":"$request"',
  '"status":$status',
  '"bodyBytes":$body_bytes_sent',
  '"requestBytes":$request_length',
  '"connection":$connection',
  '"position":$connection_requests',
  '"client":"$remote_addr"',
  '"clientPort":$remote_port',
  '"id":"$http_x_request_id"',
].join(',');

let number = 0;

/**
 * Starts nginx on port 8000 of all addresses of the host. Paths: /small, /page, /large, /huge (bodies of those sizes),
 * /missing, /moved, /empty, /broken (404, 301, 204, 503), /upload (takes a body), /slow (from a program behind a Unix
 * socket, `slowSocket`); anything may follow. `site` has the bodies as files. `hasAnswered()`: somebody. `stop()` gives the access log, a record for
 * each request.
 */
export async function startNginx(lab, host, { slowSocket = lab.file('slow.sock') } = {}) {
  const folder = lab.file(`nginx-${++number}`);
  const site = path.join(folder, 'site');
  mkdirSync(site, { recursive: true });
  for (const [name, bytes] of Object.entries(BODY_BYTES))
    writeFileSync(path.join(site, `${name}.bin`), `${name} `.repeat(bytes).slice(0, bytes));
  const file = path.join(folder, 'nginx.conf');
  writeFileSync(file, configuration(folder, slowSocket));
  const server = start([...host.in, 'nginx', '-p', folder, '-c', file]);
  await until(() => existsSync(path.join(folder, 'nginx.pid')), `start of nginx ${server.text('stderr')}`);
  const log = path.join(folder, 'access.log');
  return {
    site,
    hasAnswered: () => existsSync(log) && statSync(log).size > 0,
    async stop() {
      // Its log lines are written as requests end; this waits for the last ones.
      server.child.kill('SIGQUIT');
      const forced = setTimeout(() => server.child.kill('SIGTERM'), 700);
      await server.ended;
      clearTimeout(forced);
      const lines = readFileSync(log, 'utf8').split('\n');
      return lines.filter((line) => line !== '').map((line) => JSON.parse(line));
    },
  };
}

function configuration(folder, slowSocket) {
  return `
daemon off;
master_process off;
user root;
pid ${folder}/nginx.pid;
error_log ${folder}/error.log crit;
events { worker_connections 4096; }
http {
  client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi;
  scgi_temp_path ${folder}/scgi;
  log_format oracle escape=json '{${LOG_FORMAT}}';
  access_log ${folder}/access.log oracle;
  keepalive_requests 100000000;
  client_max_body_size 0;
  default_type application/octet-stream;
  server {
    listen unix:${folder}/sink.sock;
    access_log off;
    client_max_body_size 0;
    location / { return 201 "stored\\n"; }
  }
  server {
    listen 8000;
    listen [::]:8000;
    root ${folder}/site;
    location ~ ^/(small|page|large|huge)/ { try_files /$1.bin =404; }
    location /moved/ { return 301 /small/; }
    location /empty/ { return 204; }
    location /broken/ { return 503; }
    location /upload/ { proxy_pass http://unix:${folder}/sink.sock; }
    location /slow/ { proxy_pass http://unix:${slowSocket}; }
  }
}
`;
}
