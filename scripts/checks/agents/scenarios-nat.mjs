// The address of a Service between both nodes: the client's node sees other addresses and ports than the web server's,
// and it is still one exchange that both observed.

import { routedHosts } from '../live/namespaces.mjs';
import { startNginx } from '../live/nginx.mjs';
import { installed } from '../live/programs.mjs';
import { mixed } from '../live/traffic.mjs';
import { certificates, joinCentral, startSlowServer, tokenFiles } from './laboratory.mjs';
import { count, rowDifferences, settled } from './log-agreement.mjs';
import { CentralServer, NodeAgent } from './programs.mjs';

const SERVICE = '10.96.0.10';

/** The client asks SERVICE port 80, which a router makes port 8000 of the web server; with `masquerade`, as itself. */
async function translated({ lab, checks }, name, { masquerade }) {
  const { client, router, server: web } = routedHosts(lab);
  const rules = [
    'add table ip check',
    'add chain ip check prerouting { type nat hook prerouting priority -100; }',
    `add rule ip check prerouting ip daddr ${SERVICE} tcp dport 80 dnat to 10.9.2.2:8000`,
  ];
  if (masquerade)
    rules.push(
      'add chain ip check postrouting { type nat hook postrouting priority 100; }',
      'add rule ip check postrouting oifname "outside" ip protocol tcp masquerade to :20000-40000 random',
    );
  router.run('nft', rules.join('; '));
  const central = joinCentral(lab, { client, web });
  const hosts = {
    client,
    web,
    central,
    centralFor: (of) => ({ client: '10.8.1.254', web: '10.8.2.254', central: '127.0.0.1' })[of],
  };
  const nginx = await startNginx(lab, web, { slowSocket: await startSlowServer(lab) });
  const tls = certificates(lab);
  const server = new CentralServer(hosts, {
    data: lab.file(`data-${masquerade}`),
    tokens: tokenFiles(lab),
    tls,
  });
  await server.start();
  const ports = { client: '80', web: '8000' };
  const agents = [];
  for (const [node, port] of Object.entries(ports)) {
    const agent = new NodeAgent(hosts[node], {
      name: node,
      reach: server.reach(node, 'agents'),
      spool: lab.file(`spool-${node}-${masquerade}`),
      capture: ['-i', 'eth0', '--port', port],
    });
    await agent.start();
    agents.push(agent);
  }
  await mixed(client, SERVICE, { port: 80, scale: 0.5 });
  const log = await nginx.stop();
  await settled(server, 2 * log.length);
  const rows = await server.rows('--limit', '100000');
  checks.report(
    `${name}: ${log.length} requests, each is one exchange`,
    rowDifferences(rows, log, { ports: false }),
  );
  const both =
    'SELECT count(*) FROM (SELECT uid FROM observations GROUP BY uid HAVING count(*) = 2 AND count(DISTINCT agent) = 2)';
  const observed = await count(server, both);
  checks.report(
    `${name}: both observed it`,
    observed === log.length ? [] : [`${observed} have two observations`],
  );
  const detail = await server.json(`/api/v1/exchanges/${rows[0].id}`);
  const [near, far] = detail.observations;
  checks.report(`${name}: each observation keeps its own addresses`, [
    ...(near?.server === SERVICE && near?.server_port === 80
      ? []
      : [`the client asked ${near?.server}:${near?.server_port}`]),
    ...(far?.server === '10.9.2.2' && far?.server_port === 8000
      ? []
      : [`it came to ${far?.server}:${far?.server_port}`]),
  ]);
  for (const [address, what] of [
    [SERVICE, "the Service's address"],
    ['10.9.2.2', "the web server's address"],
  ]) {
    const found = await server.rows('--ip', address, '--limit', '100000');
    checks.report(
      `${name}: query --ip of ${what} finds each once`,
      rowDifferences(found, log, { ports: false }),
    );
  }
  for (const one of [...agents, server]) await one.stop();
}

async function nat(t) {
  if (!installed('nft')) return t.checks.skip('DNAT between the nodes', 'nftables is not installed');
  await translated(t, 'DNAT between the nodes', { masquerade: false });
}

async function masquerade(t) {
  if (!installed('nft'))
    return t.checks.skip('DNAT and masquerade between the nodes', 'nftables is not installed');
  await translated(t, 'DNAT and masquerade between the nodes', { masquerade: true });
}

export const scenarios = [
  { name: 'nat', run: nat },
  { name: 'masquerade', run: masquerade },
];
