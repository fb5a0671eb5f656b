// Two nodes and the host of a central server: the client's node and the web server's node talk over a line of their
// own, and each has a second cable to the server's host, so that what agents send is not what they capture.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { badLine } from '../live/line.mjs';
import { twoHosts } from '../live/namespaces.mjs';
import { startNginx } from '../live/nginx.mjs';
import { run, start, until } from '../live/programs.mjs';

/** Of the server's host, as the client's node and the web server's node reach it, and as it reaches itself. */
const CENTRAL = { client: '10.8.1.254', web: '10.8.2.254', central: '127.0.0.1' };

/** Tokens as a person would write them into files; no check depends on their text. */
const TOKENS = { agents: 'agents-9f2c61d0a7', readers: 'readers-41b86e35c9' };

/**
 * Hosts `client` (10.9.0.1), `web` (10.9.0.2) and `central`, with nginx on port 8000 of `web`. `delayMs`: what the line
 * between the first two takes for the way there and back; 0: a plain cable.
 */
export async function threeHosts(lab, { delayMs = 0 } = {}) {
  const line = delayMs > 0 ? await badLine(lab, { delayMs }) : { ...twoHosts(lab), how: 'a cable' };
  const nodes = { client: line.client, web: line.server };
  const central = joinCentral(lab, nodes);
  const slowSocket = await startSlowServer(lab);
  return {
    ...nodes,
    central,
    address: line.address,
    how: line.how,
    nginx: await startNginx(lab, line.server, { slowSocket }),
    /** Address of the server's host for who asks from `name`. */
    centralFor: (name) => CENTRAL[name],
  };
}

/** A host for the server, with a cable to both nodes. */
export function joinCentral(lab, { client, web }) {
  const central = lab.host('central');
  for (const [number, node] of [client, web].entries()) {
    lab.veth(node, 'uplink', central, `node${number + 1}`);
    node.up('uplink', `10.8.${number + 1}.1/24`);
    central.up(`node${number + 1}`, `10.8.${number + 1}.254/24`);
  }
  return central;
}

/** What stands behind nginx's /slow/. Resolves to its socket. */
export async function startSlowServer(lab) {
  const socket = lab.file(`slow-${Math.random().toString(36).slice(2)}.sock`);
  const program = path.resolve(import.meta.dirname, '../live/slow-server.mjs');
  const slow = start([process.execPath, program, socket]);
  lab.attach(slow.child);
  await until(() => slow.text('stdout').includes('ready'), 'start of slow-server.mjs');
  return socket;
}

/** Files: agents' and readers' tokens, and one with a token that nobody knows. */
export function tokenFiles(lab) {
  const file = (name, text) => {
    writeFileSync(lab.file(name), `${text}\n`, { mode: 0o600 });
    return lab.file(name);
  };
  return {
    agents: file('agents.token', TOKENS.agents),
    readers: file('readers.token', TOKENS.readers),
    wrong: file('wrong.token', 'nobody-knows-this-one'),
    text: TOKENS,
  };
}

/** An authority and a certificate of the server signed by it, made by openssl; `other` is an authority that did not. */
export function certificates(lab) {
  const at = (name) => lab.file(name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const openssl = (...words) => run('openssl', ...words);
  for (const name of ['ca', 'other']) {
    const files = ['-keyout', at(`${name}.key`), '-out', at(`${name}.pem`)];
    openssl('req', '-x509', ...key, ...files, '-days', '2', '-subj', `/CN=wirelens check ${name}`);
  }
  const names = ['DNS:localhost', ...Object.values(CENTRAL).map((address) => `IP:${address}`)];
  writeFileSync(at('server.ext'), `subjectAltName=${names.join(',')}\nbasicConstraints=CA:FALSE\n`);
  openssl('req', ...key, '-keyout', at('server.key'), '-out', at('server.csr'), '-subj', '/CN=wirelens');
  const signing = ['-CA', at('ca.pem'), '-CAkey', at('ca.key'), '-CAcreateserial', '-days', '2'];
  openssl(
    'x509',
    '-req',
    '-in',
    at('server.csr'),
    ...signing,
    '-extfile',
    at('server.ext'),
    '-out',
    at('server.pem'),
  );
  return { ca: at('ca.pem'), other: at('other.pem'), cert: at('server.pem'), key: at('server.key') };
}
