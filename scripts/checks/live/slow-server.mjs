// Stands behind nginx on a Unix socket and takes its time: /slow/<ms>/… answers after so many milliseconds.

import http from 'node:http';

http
  .createServer((request, response) => {
    const ms = Number(/^\/slow\/(\d+)\//.exec(request.url)?.[1] ?? 0);
    setTimeout(() => response.end(`after ${ms} ms\n`), ms);
  })
  .listen(process.argv[2], () => console.log('ready'));
