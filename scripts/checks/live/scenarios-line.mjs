// Bad lines: what TCP repairs must not be seen in the exchanges.

import { exerciseAll } from './exercise.mjs';
import { badLine } from './line.mjs';
import { mixed } from './traffic.mjs';

const LINES = [
  { what: 'delay of 20 ms', delayMs: 20 },
  { what: 'loss of 2 %', delayMs: 4, loss: 0.02 },
  { what: 'reorder', delayMs: 4, reorder: 0.1 },
  { what: 'duplicates', delayMs: 4, double: 0.05 },
  { what: 'loss, reorder and duplicates', delayMs: 10, loss: 0.02, reorder: 0.05, double: 0.02 },
];

async function lines(t) {
  for (const { what, ...how } of LINES) {
    const line = await badLine(t.lab, how);
    const traffic = () => mixed(line.client, line.address, { scale: 0.4 });
    // On the client's side its lost requests are seen, on the server's side the lost answers.
    const repaired = (end) => {
      const tcp = end.exchanges.map((one) => Object.values(one.tcp).reduce((sum, count) => sum + count, 0));
      const told = tcp.some((count) => count > 0);
      return (how.loss ?? 0) > 0 && !told ? ['no exchange tells of a retransmission'] : [];
    };
    const name = `${what} (${line.how})`;
    const views = [
      { name: `${name}, in the client`, at: line.client, also: repaired },
      { name: `${name}, in the server`, at: line.server },
    ];
    await exerciseAll(t, views, { ...line, traffic });
  }
}

export const scenarios = [{ name: 'line', run: lines }];
