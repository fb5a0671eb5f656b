// A server and a client of it in one process: numbered requests at about a rate, on connections that are kept and on
// new ones. Prints how many were answered when SIGTERM ends it, after the last answer.
//
//     node traffic.mjs PORT RATE

import http from 'node:http';

const [port, rate] = process.argv.slice(2).map(Number);
const server = http.createServer((request, response) => response.end(`answer to ${request.url}\n`));
server.keepAliveTimeout = 60_000;
const kept = new http.Agent({ keepAlive: true, maxSockets: 16 });
const fresh = new http.Agent({ maxSockets: 64 });
let number = 0;
let answered = 0;
let waiting = 0;

function ask() {
  number += 1;
  waiting += 1;
  const agent = number % 10 === 0 ? fresh : kept;
  http
    .get({ host: '127.0.0.1', port, path: `/r/${process.pid}-${number}`, agent }, (answer) => {
      answer.resume();
      answer.on('end', () => {
        answered += 1;
        waiting -= 1;
      });
    })
    .on('error', () => {
      waiting -= 1;
    });
}

server.listen(port, '127.0.0.1', () => {
  console.log('ready');
  let owed = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    owed = Math.min(rate, owed + ((now - last) / 1000) * rate);
    last = now;
    for (; owed >= 1 && waiting < 200; owed -= 1) ask();
  }, 10);
  process.on('SIGTERM', () => {
    clearInterval(timer);
    setInterval(() => {
      if (waiting > 0) return;
      console.log(`answered ${answered}`);
      process.exit(0);
    }, 20);
  });
});
