// `wirelens server`, `agent` and `query` in the hosts of a laboratory.

import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordsOf, WIRELENS } from '../live/capture.mjs';
import { start, until } from '../live/programs.mjs';

const SERVER_PORT = 8443;
/** Long, for a machine that does other things too; nothing is measured here. */
const START_MS = 60_000;
const STOP_MS = 60_000;

/** Runs wirelens in the host; nothing of this script's own settings reaches it. */
export function startWirelens(host, words, { env = {}, node = [] } = {}) {
  const { PATH, LANG } = process.env;
  return start([...host.in, process.execPath, ...node, WIRELENS, ...words], {
    env: { PATH, LANG, HOME: '/nonexistent', ...env },
  });
}

async function ready(program, said, what) {
  let end = null;
  program.ended.then((how) => (end = how));
  await until(() => end !== null || said(), `start of ${what}: ${program.text('stderr')}`, START_MS);
  if (end !== null) throw new Error(`${what} ended with ${end.code}: ${end.stderr.trim()}`);
}

/** Ends the program with SIGTERM. Resolves to its end; rejects when it takes too long. */
async function stop(program, what, signal = 'SIGTERM') {
  program.child.kill(signal);
  const end = await Promise.race([program.ended, sleep(STOP_MS, null)]);
  if (end !== null) return end;
  program.child.kill('SIGKILL');
  throw new Error(`${what} did not end within ${STOP_MS / 1000} s of ${signal}`);
}

/**
 * One server, which can be killed and started again on the same data. Over TLS with tokens unless `plain`, which is
 * for what must look into the requests.
 */
export class CentralServer {
  #program = null;
  /** Everything that the programs before said on standard error. */
  #said = '';

  constructor(hosts, { data, tokens, tls = null, port = SERVER_PORT, words = [], ...how }) {
    this.hosts = hosts;
    this.tokens = tokens;
    this.tls = tls;
    this.data = data;
    this.port = port;
    this.how = how;
    this.words = [
      'server',
      ...['--listen', `0.0.0.0:${port}`, '--data', data],
      ...['--agent-token-file', tokens.agents, '--reader-token-file', tokens.readers],
      ...(tls === null ? [] : ['--tls-cert', tls.cert, '--tls-key', tls.key]),
      ...words,
    ];
  }

  /** Its address for who asks from `name`: client, web, central. */
  url(name, port = this.port) {
    return `${this.tls === null ? 'http' : 'https'}://${this.hosts.centralFor(name)}:${port}`;
  }

  /** Words of a command for whom the server is to be reached from `name` with this kind of token. */
  reach(name, kind = 'readers', port = this.port) {
    const ca = this.tls === null ? [] : ['--tls-ca', this.tls.ca];
    return ['--server', this.url(name, port), '--token-file', this.tokens[kind], ...ca];
  }

  async start() {
    this.#program = startWirelens(this.hosts.central, this.words, this.how);
    await ready(this.#program, () => /listen/i.test(this.#program.text('stderr')), 'the server');
  }

  async kill() {
    this.#program.child.kill('SIGKILL');
    this.#said += (await this.#program.ended).stderr;
  }

  signal(name) {
    this.#program.child.kill(name);
  }

  async stop() {
    const end = await stop(this.#program, 'the server');
    this.#said += end.stderr;
    return end;
  }

  get said() {
    return this.#said + this.#program.text('stderr');
  }

  /** `wirelens query` with these words, asked from the server's own host. Resolves to {code, stdout, stderr}. */
  query(words, { from = 'central', reach = this.reach(from), ...how } = {}) {
    return startWirelens(this.hosts[from], ['query', ...reach, ...words], how).ended;
  }

  /** The same as records. Rejects when it fails. */
  async rows(...words) {
    const end = await this.query([...words, '--format', 'json']);
    if (end.code !== 0)
      throw new Error(`query ${words.join(' ')} ended with ${end.code}: ${end.stderr.trim()}`);
    return recordsOf(end.stdout);
  }

  /** An answer of its interface, by curl from the server's host: {status, body}. `kind` null: without a token. */
  async curl(target, { kind = 'readers', words = [] } = {}) {
    const token = kind === null ? [] : ['-H', `Authorization: Bearer ${this.tokens.text[kind] ?? kind}`];
    const tls = this.tls === null ? [] : ['--cacert', this.tls.ca];
    const url = `${this.url('central')}${target}`;
    const asked = ['curl', '-sS', '-g', '-w', '\n%{http_code}', ...tls, ...token, ...words, url];
    const { code, stdout, stderr } = await start([...this.hosts.central.in, ...asked]).ended;
    if (code !== 0) return { status: 0, body: stderr.trim() };
    const at = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(at + 1)), body: stdout.slice(0, at) };
  }

  /** Waits until so many followers are listening. */
  async followed(count) {
    const streams = async () => {
      const { body } = await this.curl('/metrics');
      return Number(/^wirelens_server_live_streams (\d+)$/m.exec(body)?.[1] ?? 0) >= count;
    };
    await until(streams, `${count} followers`, START_MS);
  }

  /** The JSON of a good answer. */
  async json(target, how) {
    const { status, body } = await this.curl(target, how);
    if (status !== 200) throw new Error(`${target} answered ${status}: ${body}`);
    return JSON.parse(body);
  }
}

/** One agent on a node, which can be killed and started again on the same spool. */
export class NodeAgent {
  #program = null;
  #said = '';
  /** Ends of the programs before, the newest last. */
  ends = [];

  constructor(host, { name, reach, spool, capture = ['-i', 'eth0', '--port', '8000'], words = [], ...how }) {
    this.host = host;
    this.name = name;
    this.how = how;
    this.words = [
      'agent',
      ...capture,
      ...reach,
      ...['--agent-name', name, '--node', `node-${name}`, '--spool', spool],
      ...['--heartbeat', '1s', '--status-listen', 'none'],
      ...words,
    ];
  }

  async start() {
    this.#program = startWirelens(this.host, this.words, this.how);
    await ready(
      this.#program,
      () => this.#program.text('stderr').includes('sends exchanges to'),
      `agent ${this.name}`,
    );
  }

  async kill() {
    this.#program.child.kill('SIGKILL');
    this.#said += (await this.#program.ended).stderr;
  }

  signal(name) {
    this.#program.child.kill(name);
  }

  async stop() {
    const end = await stop(this.#program, `agent ${this.name}`);
    this.#said += end.stderr;
    this.ends.push(end);
    return end;
  }

  get said() {
    return this.#said + this.#program.text('stderr');
  }

  /** CPU seconds and resident bytes of its process, by the kernel. */
  get cost() {
    const stat = readFileSync(`/proc/${this.#program.child.pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return { cpuSeconds: (Number(stat[11]) + Number(stat[12])) / 100 };
  }
}
