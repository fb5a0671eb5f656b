// Stands between agents and the server and misbehaves, as a seed says.
//
//     node faulty-proxy.mjs '{"listen":9443,"to":8443,"seed":7,"how":"cut"}'
//
// how: cut: connections break after some bytes, in either direction; answers: requests are answered with 500, 502, 503 or
// 429, or with nothing, some before the server sees them and some after. `share`: of what goes wrong, 0 to 1.
// Prints "ready", and at the end (SIGTERM) {"connections":n,"faults":n}.

import http from 'node:http';
import net from 'node:net';
import { randomFrom } from '../seeded.mjs';

const { listen, to, seed, how, share = 0.5, longestBytes = 8000 } = JSON.parse(process.argv[2]);
const random = randomFrom(seed);
const told = { connections: 0, faults: 0 };

/** Told at once, for who goes on until there were enough. */
function fault() {
  told.faults++;
  console.log('fault');
}
const STATUSES = [500, 502, 503, 429];

const server = how === 'cut' ? net.createServer(cutting) : http.createServer(answering);
server.listen(listen, '0.0.0.0', () => console.log('ready'));
process.on('SIGTERM', () => {
  console.log(JSON.stringify(told));
  process.exit(0);
});

/** Passes bytes on until so many have passed, then breaks both connections. */
function cutting(near) {
  told.connections++;
  const far = net.connect(to, '127.0.0.1');
  let left = random() < share ? Math.floor(random() * longestBytes) : Number.POSITIVE_INFINITY;
  const end = () => {
    near.destroy();
    far.destroy();
  };
  const pass = (other) => (bytes) => {
    if (bytes.length < left) {
      left -= bytes.length;
      other.write(bytes);
      return;
    }
    fault();
    other.write(bytes.subarray(0, left), end);
    left = 0;
  };
  near.on('data', pass(far));
  far.on('data', pass(near));
  for (const one of [near, far]) one.on('error', end).on('close', end);
}

/** Reads the whole request; then one of: the server's answer, an error before it, an error after it, silence. */
async function answering(request, response) {
  told.connections++;
  const parts = [];
  request.on('error', () => {});
  for await (const part of request) parts.push(part);
  const kind = random() < share ? Math.floor(random() * 4) : null;
  const status = STATUSES[Math.floor(random() * STATUSES.length)];
  if (kind !== null) fault();
  if (kind === 0) return wrong(response, status);
  const { method, url: path, headers } = request;
  const asked = http.request(
    { host: '127.0.0.1', port: to, method, path, headers, agent: false },
    async (answer) => {
      const body = [];
      for await (const part of answer) body.push(part);
      if (kind === 1 || kind === 2) return wrong(response, status);
      if (kind === 3) return response.destroy();
      response.writeHead(answer.statusCode, answer.headers).end(Buffer.concat(body));
    },
  );
  asked.on('error', () => wrong(response, 502));
  asked.end(Buffer.concat(parts));
}

function wrong(response, status) {
  response.writeHead(status, { 'Content-Type': 'text/html' }).end(`<h1>${status}</h1>`);
}
