// Traffic that every scenario can use: each target is asked for once.

import path from 'node:path';
import { runAside } from './programs.mjs';

const CLIENT = path.join(import.meta.dirname, 'client.mjs');

/** The client of client.mjs with a plan; resolves to {answered, failed, statuses}. */
export async function ask(host, plan) {
  return JSON.parse(await runAside([...host.in, process.execPath, CLIENT, JSON.stringify(plan)]));
}

/** curl asks for these targets one after the other on one connection. */
export async function curl(host, origin, targets, words = []) {
  await runAside([
    ...host.in,
    'curl',
    '-s',
    '-g',
    ...words,
    ...targets.flatMap((target) => ['-o', '/dev/null', `${origin}${target}`]),
  ]);
}

/**
 * A little of everything: curl, keep-alive, pipelining, short connections, uploads. 274 requests with `scale` 1.
 * Throws when one of them got no answer, since then there is nothing to compare with.
 */
export async function mixed(host, address, { tag = 'mixed', port = 8000, scale = 1 } = {}) {
  const origin = `http://${address.includes(':') ? `[${address}]` : address}:${port}`;
  const kinds = ['small', 'page', 'missing', 'moved', 'empty', 'large', 'broken'];
  const many = (count) => Math.max(1, Math.round(count * scale));
  const base = { host: address, port };
  const [, ...results] = await Promise.all([
    curl(
      host,
      origin,
      kinds.map((kind) => `/${kind}/${tag}-curl?x=1`),
    ),
    ask(host, { ...base, tag: `${tag}-keep`, connections: many(6), requests: 20, kinds }),
    ask(host, { ...base, tag: `${tag}-pipe`, connections: many(4), requests: 16, depth: 8, kinds }),
    ask(host, { ...base, tag: `${tag}-short`, connections: many(73), together: 10, kinds }),
    ask(host, {
      ...base,
      tag: `${tag}-up`,
      connections: many(2),
      requests: 5,
      method: 'POST',
      bodyBytes: 20_000,
      kinds: ['upload'],
    }),
  ]);
  const failed = results.reduce((sum, one) => sum + one.failed, 0);
  if (failed > 0) throw new Error(`${failed} requests got no answer from ${origin}`);
}
