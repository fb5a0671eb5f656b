// A client to be run inside a namespace, that does what curl and wrk do not: every target is its own, requests are
// pipelined, connections are short. Written on sockets, so that it knows what went over which connection.
//
//     node client.mjs '{"host":"10.9.0.2","connections":8,"requests":25}'
//
// Prints {answered, failed, statuses}.

import net from 'node:net';

const plan = {
  port: 8000,
  connections: 1,
  /** Connections open at once. */
  together: 8,
  requests: 1,
  /** Requests sent before the answer to the first of them is there. */
  depth: 1,
  kinds: ['small'],
  method: 'GET',
  bodyBytes: 0,
  tag: 'client',
  close: true,
  /** Pause after each answer, ms. */
  pauseMs: 0,
  /** Goes round again until so long has passed, ms; 0: one round. */
  lastingMs: 0,
  ...JSON.parse(process.argv[2]),
};
const HOST = plan.host.includes(':') ? `[${plan.host}]` : plan.host;
const body = Buffer.alloc(plan.bodyBytes, 'upload ');
const statuses = {};
const result = { answered: 0, failed: 0, statuses };
const endMs = Date.now() + plan.lastingMs;

let next = 0;
async function worker() {
  while (next < plan.connections || Date.now() < endMs) {
    const failed = await connection(next++);
    result.failed += failed;
  }
}
await Promise.all(Array.from({ length: plan.together }, worker));
process.stdout.write(`${JSON.stringify(result)}\n`);

function requestText(connectionNumber, number, last) {
  const kind = plan.kinds[(connectionNumber + number) % plan.kinds.length];
  const id = `${plan.tag}-${connectionNumber}-${number}`;
  const length = plan.bodyBytes > 0 ? `Content-Length: ${plan.bodyBytes}\r\n` : '';
  const close = last && plan.close ? 'Connection: close\r\n' : '';
  return `${plan.method} /${kind}/${id} HTTP/1.1\r\nHost: ${HOST}\r\nX-Request-Id: ${id}\r\n${length}${close}\r\n`;
}

/** Resolves to the number of requests without an answer. */
function connection(connectionNumber) {
  return new Promise((resolve) => {
    const socket = net.connect({ host: plan.host, port: plan.port, noDelay: true });
    let sent = 0;
    let answered = 0;
    const send = () => {
      let text = '';
      for (; sent < plan.requests && sent - answered < plan.depth; sent++) {
        text += requestText(connectionNumber, sent, sent === plan.requests - 1);
        if (body.length === 0) continue;
        socket.write(text);
        socket.write(body);
        text = '';
      }
      if (text !== '') socket.write(text);
    };
    const answer = (status) => {
      answered++;
      result.answered++;
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (answered === plan.requests) return socket.end();
      if (answered % plan.depth === 0 || plan.depth === 1) setTimeout(send, plan.pauseMs);
    };
    socket.on('connect', send);
    socket.on('data', responses(answer));
    socket.on('error', () => {});
    socket.setTimeout(20_000, () => socket.destroy());
    socket.on('close', () => resolve(plan.requests - answered));
  });
}

/** A reader of responses of known length that calls `answer(status)` at the end of each. */
function responses(answer) {
  let head = '';
  let bodyLeft = 0;
  let status = 0;
  return (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      if (bodyLeft > 0) {
        const taken = Math.min(bodyLeft, bytes.length - at);
        bodyLeft -= taken;
        at += taken;
        if (bodyLeft === 0) answer(status);
        continue;
      }
      const before = head.length;
      head += bytes.toString('latin1', at);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) return;
      at += end + 4 - before;
      const own = head.slice(0, end);
      status = Number(own.slice(9, 12));
      bodyLeft = plan.method === 'HEAD' ? 0 : Number(/\r\ncontent-length: (\d+)/i.exec(own)?.[1] ?? 0);
      head = '';
      if (bodyLeft === 0) answer(status);
    }
  };
}
