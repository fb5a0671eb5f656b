// Stands between an agent and a server, and harms: cuts connections after some bytes of the request or of the answer,
// makes them slow, answers 500 and 503 itself, or hangs. What happens is drawn from a seed.
//
//     node faulty-proxy.mjs PORT SERVER-PORT SEED

import net from 'node:net';

const [port, serverPort, seed] = process.argv.slice(2).map(Number);
let state = seed >>> 0;
function random() {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return state / 2 ** 32;
}

const BODY = '{"error":"a fault that was drawn","code":"drawn"}';
const answer = (status, more = '') =>
  `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\n${more}content-length: ${BODY.length}\r\nconnection: close\r\n\r\n${BODY}`;

const server = net.createServer((client) => {
  const fault = random();
  client.on('error', () => {});
  if (fault < 0.1) return void client.destroy();
  if (fault < 0.2) return void client.once('data', () => client.end(answer('500 Internal Server Error')));
  if (fault < 0.3)
    return void client.once('data', () =>
      client.end(answer('503 Service Unavailable', 'retry-after: 1\r\n')),
    );
  if (fault < 0.33) return void client.resume();
  const upstream = net.connect(serverPort, '127.0.0.1');
  upstream.on('error', () => client.destroy());
  upstream.on('close', () => client.destroy());
  client.on('close', () => upstream.destroy());
  // Somewhere in a request, or after it has arrived and before its answer has.
  const cutSent = fault < 0.5 ? Math.floor(random() * 8000) : Number.POSITIVE_INFINITY;
  const cutAnswered = fault >= 0.5 && fault < 0.7 ? Math.floor(random() * 1500) : Number.POSITIVE_INFINITY;
  const delayMs = fault >= 0.7 && fault < 0.85 ? random() * 1500 : 0;
  let sent = 0;
  let answered = 0;
  client.on('data', (bytes) => {
    sent += bytes.length;
    if (sent > cutSent) {
      upstream.write(bytes.subarray(0, bytes.length - (sent - cutSent)));
      setTimeout(() => client.destroy(), 20);
    } else upstream.write(bytes);
  });
  upstream.on('data', (bytes) => {
    answered += bytes.length;
    if (answered > cutAnswered) client.destroy();
    else setTimeout(() => client.write(bytes), delayMs);
  });
});
server.listen(port, '127.0.0.1', () => console.log('ready'));
