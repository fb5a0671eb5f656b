import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { type ExchangeJson, exchangesOf, goldenFolders } from '../scripts/expected-exchanges.mjs';

/** One line of nginx's access log, written by nginx itself while the capture was made. */
interface LogLine {
  readonly request: string;
  readonly status: number;
  readonly bodyBytes: number;
  /** First byte read from the client to last byte given to the kernel, in whole milliseconds. */
  readonly requestSeconds: number;
  readonly clientPort: number;
  readonly position: number;
}

/** What curl measured from its side, in seconds since the start of the transfer. */
interface CurlLine {
  readonly url: string;
  readonly method: string;
  readonly connectSeconds: number;
  readonly startTransferSeconds: number;
  readonly totalSeconds: number;
}

function linesOf<T>(file: string): T[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}

function fromNginx(line: LogLine): string {
  return `${line.clientPort} #${line.position} ${line.request} ${line.status} ${line.bodyBytes}`;
}

function fromWirelens(exchange: ExchangeJson): string {
  const line = `${exchange.method} ${exchange.target} HTTP/${exchange.http_version}`;
  // nginx counts the 25 bytes of its `100 Continue` among the bytes of the body.
  const continued = exchange.interim.filter((one: { status: number }) => one.status === 100).length;
  const bodyBytes = exchange.response?.body_bytes + 25 * continued;
  const port = exchange.client.split(':').at(-1);
  return `${port} #${exchange.position} ${line} ${exchange.status} ${bodyBytes}`;
}

/** Captures in which packets are missing: what was found must be right, but not everything can be found. */
const LOSSY = new Set(['lossy-mirror']);

describe("exchanges and nginx's access log", () => {
  const logged = goldenFolders().filter(({ folder }) => existsSync(path.join(folder, 'nginx-access.log')));

  it('have captures to be compared on', () => {
    expect(logged.length).toBeGreaterThan(10);
  });

  it.concurrent.for(logged)('$name', async ({ name, folder, capture }, { expect: check }) => {
    const log = linesOf<LogLine>(path.join(folder, 'nginx-access.log'));
    const exchanges = (await exchangesOf(folder, capture)).filter(
      // nginx itself, or the address of a Service that is rewritten to it.
      ({ server }) => server.endsWith(':8000') || server === '10.96.0.10:80',
    );
    if (LOSSY.has(name)) {
      const really = new Set(log.map((line) => `${line.request} ${line.status}`));
      const complete = exchanges.filter(({ outcome }) => outcome === 'complete');
      const claimed = complete.map((one) => `${one.method} ${one.target} HTTP/1.1 ${one.status}`);
      check(claimed.filter((claim) => !really.has(claim))).toEqual([]);
      check(claimed.length).toBeGreaterThan(log.length * 0.7);
      return;
    }
    check(exchanges.map(fromWirelens).sort()).toEqual(log.map(fromNginx).sort());
    const secondsByRequest = new Map(log.map((line) => [fromNginx(line), line.requestSeconds]));
    for (const exchange of exchanges) {
      // nginx rounds to milliseconds, starts when it reads and ends when it has written, the line has its own delay.
      const seconds = secondsByRequest.get(fromWirelens(exchange)) ?? 0;
      if (name.startsWith('nginx')) check(Math.abs(exchange.total_ms - seconds * 1000)).toBeLessThan(10);
    }
  });
});

describe("times and curl's own", () => {
  const timed = goldenFolders().filter(({ folder }) => existsSync(path.join(folder, 'curl-timings.jsonl')));

  it('have captures to be compared on', () => {
    expect(timed.length).toBeGreaterThan(2);
  });

  it.concurrent.for(timed)('$name', async ({ folder, capture }, { expect: check }) => {
    const timings = linesOf<CurlLine>(path.join(folder, 'curl-timings.jsonl'));
    const exchanges = (await exchangesOf(folder, capture)).filter(
      // nginx itself, or the address of a Service that is rewritten to it.
      ({ server }) => server.endsWith(':8000') || server === '10.96.0.10:80',
    );
    check(exchanges.length).toBe(timings.length);
    for (const [index, curl] of timings.entries()) {
      const exchange = exchanges[index] as ExchangeJson;
      check(curl.url.endsWith(exchange.target)).toBe(true);
      // curl's clock starts before the request is written and stops after the answer was read: never less than ours.
      const onTheWireMs = exchange.send_ms + exchange.wait_ms + (exchange.connect_ms ?? 0);
      const byCurlMs = curl.startTransferSeconds * 1000;
      check(byCurlMs).toBeGreaterThanOrEqual(onTheWireMs - 0.05);
      check(byCurlMs - onTheWireMs).toBeLessThan(5);
    }
  });
});
