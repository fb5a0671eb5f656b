// A server process on a free port, with tokens, and the ways to ask it.
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { request } from 'node:http';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export class RunningServer {
  static program =
    process.env.WIRELENS_PROGRAM ?? fileURLToPath(new URL('../../../bin/wirelens.js', import.meta.url));
  agentToken = 'token-of-agents-0123456789';
  readerToken = 'token-of-readers-0123456789';
  #child;
  #log = '';

  /** `folder`: where its data go. */
  static async start({ folder, flags = [] }) {
    const server = new RunningServer();
    server.data = path.join(folder, 'data');
    mkdirSync(server.data, { recursive: true });
    const env = {
      ...process.env,
      WIRELENS_AGENT_TOKEN: server.agentToken,
      WIRELENS_READER_TOKEN: server.readerToken,
    };
    const args = [
      RunningServer.program,
      'server',
      '--listen',
      '127.0.0.1:0',
      '--data',
      server.data,
      ...flags,
    ];
    const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
    server.#child = child;
    child.stderr.setEncoding('utf8');
    const url = await new Promise((resolve, reject) => {
      child.stderr.on('data', (text) => {
        server.#log += text;
        const found = /"url":"([^"]+)"/.exec(server.#log);
        if (found !== null) resolve(found[1]);
      });
      child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${server.#log}`)));
    });
    server.url = url;
    server.port = Number(new URL(url).port);
    return server;
  }

  get pid() {
    return this.#child.pid;
  }

  log() {
    return this.#log;
  }

  /** Asks with a reader's token, unless told otherwise. Never follows, never retries. */
  ask(method, target, { token = this.readerToken, headers = {}, body, json } = {}) {
    const content = json === undefined ? body : JSON.stringify(json);
    const all = {
      authorization: `Bearer ${token}`,
      ...(content === undefined ? {} : { 'content-length': Buffer.byteLength(content) }),
      ...(json === undefined ? {} : { 'content-type': 'application/json' }),
      ...headers,
    };
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: '127.0.0.1', port: this.port, method, path: target, headers: all },
        (answer) => {
          let text = '';
          answer.setEncoding('utf8');
          answer.on('data', (part) => {
            text += part;
          });
          answer.on('end', () =>
            resolve({ status: answer.statusCode, headers: answer.headers, text, json: parsed(text) }),
          );
        },
      );
      // An answer may come while the body is still being sent; then the broken pipe is no news.
      asked.on('error', (error) => setTimeout(() => reject(error), 500));
      asked.end(content);
    });
  }

  /** JSON lines of n exchanges. */
  exchanges(count) {
    return Array.from({ length: count }, (_, index) => JSON.stringify(record(index))).join('\n');
  }

  upload(lines, headers = {}) {
    return this.ask('POST', '/api/v1/upload', {
      token: this.agentToken,
      headers: {
        'content-type': 'application/x-ndjson',
        'content-encoding': 'gzip',
        'x-wirelens-agent': 'check',
        ...headers,
      },
      body: gzipSync(lines),
    });
  }

  /** Rows in the store, by its own word. */
  async rows() {
    const { text } = await this.ask('GET', '/metrics');
    return Number(/store_observations (\d+)/.exec(text)?.[1] ?? -1);
  }

  async stop() {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGTERM');
    return ended;
  }
}

/** As `analyze --format json` writes it: docs/json-record.md. */
function record(index) {
  const message = {
    capture: 1,
    packet: 4,
    header_bytes: 80,
    body_bytes: 0,
    lost_bytes: 0,
    complete: true,
    media_type: null,
    headers: [],
  };
  return {
    v: 1,
    id: index + 1,
    connection: index + 1,
    position: 1,
    time: new Date(1_795_246_920_000 + index * 1000).toISOString(),
    client: `10.0.0.1:${40_000 + index}`,
    server: '10.0.0.2:80',
    method: 'GET',
    host: 'shop.example',
    target: `/cart?id=${index}`,
    route: '/cart',
    http_version: '1.1',
    status: index % 10 === 0 ? 500 : 200,
    reason: 'OK',
    outcome: 'complete',
    ending: null,
    pairing: 'exact',
    connect_ms: null,
    send_ms: 0,
    wait_ms: 1.5 + index,
    receive_ms: 0,
    total_ms: 1.5 + index,
    request: { ...message, user_agent: 'check' },
    response: { ...message, http_version: '1.1' },
    interim: [],
    anomalies: [],
  };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
