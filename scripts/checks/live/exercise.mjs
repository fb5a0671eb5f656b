// The course of most scenarios: capture, traffic, end, comparison with the server's log.

import { badEnd, differences } from './agreement.mjs';
import { startCapture } from './capture.mjs';
import { startNginx } from './nginx.mjs';
import { mixed } from './traffic.mjs';

/**
 * nginx runs in `server`, the capture in `at` (the client) with `words`, and `traffic` happens; the capture is ended
 * by Ctrl-C at once, with no pause for the last packets. Reports one check named `name`. `also(end, log)` gives further
 * sentences.
 */
export async function exercise(t, name, { at, words, prefix, compare, also, ...hosts }) {
  await exerciseAll(t, [{ name, at: at ?? hosts.client, words, prefix, compare, also }], hosts);
}

/** The same with several captures of the same traffic, a check for each. */
export async function exerciseAll({ lab, checks }, views, { client, server, address, traffic }) {
  const nginx = await startNginx(lab, server);
  const captures = [];
  for (const { at, words = ['-i', 'eth0'], prefix } of views)
    captures.push(await startCapture(at, words, { prefix }));
  await (traffic ?? (() => mixed(client, address)))({ site: nginx.site });
  const ends = await Promise.all(captures.map((capture) => capture.stop()));
  const log = await nginx.stop();
  for (const [index, { name, compare, also = () => [] }] of views.entries()) {
    const end = ends[index];
    checks.report(`${name}: ${log.length} requests in nginx's log`, [
      ...(log.length === 0 ? ['nothing was asked'] : []),
      ...badEnd(end),
      ...differences(end.exchanges, log, compare),
      ...also(end, log),
    ]);
  }
}
