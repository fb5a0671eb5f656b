// Filters: what is asked for comes, all of it and nothing else.

import { badEnd, differences } from './agreement.mjs';
import { startCapture } from './capture.mjs';
import { twoHosts } from './namespaces.mjs';
import { startNginx } from './nginx.mjs';
import { ask } from './traffic.mjs';

const ADDRESSES = ['10.9.0.2', '10.9.0.3', 'fd09::2'];

/** Words for the command line, and which of the addresses are meant by them. */
const FILTERS = [
  { words: ['--port', '8000'], to: ADDRESSES },
  { words: ['--port', '81'], to: [] },
  { words: ['--host', '10.9.0.3'], to: ['10.9.0.3'] },
  { words: ['--host', 'fd09::2'], to: ['fd09::2'] },
  { words: ['--net', '10.9.0.2/31'], to: ['10.9.0.2', '10.9.0.3'] },
  { words: ['--net', 'fd09::/16', '--port', '8000'], to: ['fd09::2'] },
  { words: ['--host', '10.9.0.2', '--host', 'fd09::2'], to: ['10.9.0.2', 'fd09::2'] },
  { words: ['tcp', 'port', '8000', 'and', 'host', '10.9.0.2'], to: ['10.9.0.2'] },
  { words: ['ip6', 'and', 'port', '8000'], to: ['fd09::2'] },
  { words: ['not', 'host', '10.9.0.2'], to: ['10.9.0.3', 'fd09::2'] },
  { words: ['tcp port 8000 and (host 10.9.0.3 or ip6)'], to: ['10.9.0.3', 'fd09::2'] },
];

async function filters({ lab, checks }) {
  const hosts = twoHosts(lab);
  hosts.server.ip('address', 'add', '10.9.0.3/24', 'dev', 'eth0');
  const nginx = await startNginx(lab, hosts.server);
  const results = [];
  for (const [number, { words, to }] of FILTERS.entries()) {
    const names = ['eth0', 'any'];
    const captures = await Promise.all(
      names.map((name) => startCapture(hosts.client, ['-i', name, ...words])),
    );
    const plan = { connections: 5, requests: 5 };
    const asked = ADDRESSES.map((host, to) => ask(hosts.client, { ...plan, host, tag: `f${number}to${to}` }));
    await Promise.all(asked);
    const ends = await Promise.all(captures.map((capture) => capture.stop()));
    for (const [index, end] of ends.entries())
      results.push({ name: `filter ${words.join(' ')} on ${names[index]}`, number, to, end });
  }
  const log = await nginx.stop();
  for (const { name, number, to, end } of results) {
    const meant = log.filter(({ request }) =>
      to.some((address) => request.includes(`/f${number}to${ADDRESSES.indexOf(address)}-`)),
    );
    checks.report(`${name}: ${meant.length} requests`, [
      ...(meant.length === to.length * 25 ? [] : ['25 for each address were meant']),
      ...badEnd(end),
      ...differences(end.exchanges, meant),
    ]);
  }
}

export const scenarios = [{ name: 'filters', run: filters }];
