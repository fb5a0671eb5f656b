// A bad line between two hosts: netem where the kernel has it, otherwise a program that does the same in between.

import path from 'node:path';
import { linkKindMissing, netemMissing } from './namespaces.mjs';
import { start, until } from './programs.mjs';

const WIRE = path.resolve(import.meta.dirname, '../../../fixtures/make/wire.py');
let noNetem;

/**
 * Two hosts whose packets take `delayMs` for the way there and back, of which parts are lost, doubled or overtaken
 * (0 to 1). `how` says what does it. It is done by a third host in between, because an interface that delays shows
 * what it sends only when it sends it. Packets are as on a wire: no segments larger than the MTU.
 */
export async function badLine(lab, how) {
  noNetem ??= netemMissing() ?? linkKindMissing('bridge') ?? false;
  const client = lab.host('client');
  const server = lab.host('server');
  const line = lab.host('line');
  lab.veth(client, 'eth0', line, 'wire0');
  lab.veth(server, 'eth0', line, 'wire1');
  for (const name of ['wire0', 'wire1']) line.up(name);
  client.up('eth0', '10.9.0.1/24', 'fd09::1/64');
  server.up('eth0', '10.9.0.2/24', 'fd09::2/64');
  for (const host of [client, server]) host.withoutOffload('eth0');
  if (noNetem) await relay(line, how);
  else bridgeWithNetem(line, how);
  return {
    client,
    server,
    address: '10.9.0.2',
    how: noNetem ? 'wire.py, no netem in this kernel' : 'netem',
  };
}

function bridgeWithNetem(line, { delayMs = 0, loss = 0, double = 0, reorder = 0 }) {
  line.ip('link', 'add', 'br0', 'type', 'bridge');
  line.up('br0');
  const percent = (share) => `${share * 100}%`;
  for (const name of ['wire0', 'wire1']) {
    line.ip('link', 'set', name, 'master', 'br0');
    const words = ['delay', `${delayMs / 2}ms`, 'limit', '100000'];
    if (loss > 0) words.push('loss', percent(loss));
    if (double > 0) words.push('duplicate', percent(double));
    if (reorder > 0) words.push('reorder', percent(reorder));
    line.run('tc', 'qdisc', 'add', 'dev', name, 'root', 'netem', ...words);
  }
}

async function relay(line, { delayMs = 0, loss = 0, double = 0, reorder = 0 }) {
  const values = { '--delay-ms': delayMs / 2, '--loss': loss, '--double': double, '--hold': reorder };
  const words = Object.entries(values).flatMap(([name, value]) => [name, String(value)]);
  const wire = start([...line.in, 'python3', WIRE, '7', ...words]);
  await until(() => wire.text('stdout').includes('ready'), `start of wire.py ${wire.text('stderr')}`);
}
