// The place of a check: a namespace with an agent, a server, and traffic between two ends of the loopback interface.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { start, until } from '../live/programs.mjs';

const TRAFFIC = path.resolve(import.meta.dirname, 'traffic.mjs');
const PROXY = path.resolve(import.meta.dirname, 'faulty-proxy.mjs');

const ASK = `
  const { request } = require('node:http');
  const asked = request({ host: '127.0.0.1', port: 8080, path: '/api/v1/sql', method: 'POST',
    headers: { 'content-type': 'application/json' } }, (answer) => answer.pipe(process.stdout));
  asked.end(process.argv[1]);
`;

/** One namespace with traffic, an agent and a server in it. */
export class Site {
  #port = 8080;

  /** `wirelens`: path of bin/wirelens.js. */
  constructor(lab, wirelens) {
    this.lab = lab;
    this.wirelens = wirelens;
    this.host = lab.host('site');
  }

  async server() {
    const words = [
      'server',
      '--data',
      this.lab.file('data'),
      '--listen',
      '127.0.0.1:8080',
      '--log-format',
      'json',
    ];
    const program = start([...this.host.in, process.execPath, this.wirelens, ...words]);
    await until(
      () => program.text('stderr').includes('wirelens server listens') || program.child.exitCode !== null,
      'start of the server',
      60_000,
    );
    if (program.child.exitCode !== null) throw new Error(`server: ${program.text('stderr')}`);
    return program;
  }

  /** Between agent and server; faults are drawn from the seed. */
  async proxy(seed) {
    this.#port = 8081;
    const program = start([...this.host.in, process.execPath, PROXY, '8081', '8080', String(seed)]);
    await until(() => program.text('stdout').includes('ready'), 'start of the proxy');
    return program;
  }

  async agent({ spool = this.lab.file('spool'), before = '', options = [] } = {}) {
    const words = [
      ...['agent', '-i', 'lo', '--port', '8000', '--server', `http://127.0.0.1:${this.#port}`],
      ...['--spool', spool, '--log-format', 'json', '--batch-time', '100ms', '--batch-rows', '50'],
      ...[
        '--retry-first',
        '50ms',
        '--retry-longest',
        '500ms',
        '--status-listen',
        'none',
        '--stop-timeout',
        '30s',
        ...options,
      ],
    ];
    const line = [process.execPath, this.wirelens, ...words].map((word) => `'${word}'`).join(' ');
    const program = start([...this.host.in, 'sh', '-c', `${before} exec ${line}`]);
    await until(
      () => program.text('stderr').includes('sends exchanges') || program.child.exitCode !== null,
      'start of the agent',
      60_000,
    );
    if (program.child.exitCode !== null) throw new Error(`agent: ${program.text('stderr')}`);
    return program;
  }

  /** Requests with a number each, about so many a second. `stop()` gives how many were answered. */
  async traffic(rate = 400) {
    const program = start([...this.host.in, process.execPath, TRAFFIC, '8000', String(rate)]);
    await until(() => program.text('stdout').includes('ready'), 'start of the traffic');
    return {
      stop: async () => {
        program.child.kill('SIGTERM');
        const { stdout } = await program.ended;
        return Number(/answered (\d+)/.exec(stdout)[1]);
      },
    };
  }

  /** What the server has: {rows, paths}. An answer whose request passed before the agent began has no path. */
  async stored() {
    const sql = 'select count(*), count(distinct path) + count(*) filter (where path is null) from exchanges';
    const program = start([...this.host.in, process.execPath, '-e', ASK, JSON.stringify({ sql })]);
    const { stdout } = await program.ended;
    const [[rows, paths]] = JSON.parse(stdout).rows;
    return { rows: Number(rows), paths: Number(paths) };
  }

  /** What the spool says of all exchanges that ever came into it. */
  ledger(spool = this.lab.file('spool')) {
    return JSON.parse(readFileSync(path.join(spool, 'position'), 'utf8').slice(9));
  }

  /** Lets an agent send what waits, and end; gives its last words. */
  async endOf(agent) {
    agent.child.kill('SIGTERM');
    const { code, stderr } = await agent.ended;
    const lines = stderr.split('\n').filter((line) => line.startsWith('{'));
    const last = lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === 'stopped');
    if (code !== 0 || last === undefined) throw new Error(`agent ended with ${code}: ${stderr.slice(-2000)}`);
    return last;
  }
}
