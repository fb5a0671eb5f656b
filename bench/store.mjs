// What storing and reading back costs: `npm run build && node bench/store.mjs [exchanges] [kind]`.
// kind: repeated (one client asks for a few things, as load generators do) or distinct (every target,
// header section and connection is different: the worst case for the dictionary).
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QUIET_TCP } from '../dist/model/exchange.js';
import { Ledger } from '../dist/model/ledger.js';
import { LIMITS } from '../dist/model/limits.js';
import { readStoredExchanges } from '../dist/store/exchange-reader.js';
import { createSqliteSink } from '../dist/store/sqlite-sink.js';

const COUNT = Number(process.argv[2] ?? 340_000);
const KINDS = process.argv[3] === undefined ? ['repeated', 'distinct'] : [process.argv[3]];
const ROUNDS = 5;

const totals = () => ({
  packets: 3,
  ipBytes: 1060,
  payloadBytes: 900,
  retransmissions: 0,
  outOfOrder: 0,
  zeroWindows: 0,
  keepAlives: 0,
  gaps: 0,
  gapBytes: 0,
});
const endpoint = (address, port) => ({ address, port, text: `${address}:${port}` });
function connection(id, exchanges = 1) {
  return {
    id,
    client: endpoint('10.0.0.7', 1024 + (id % 60000)),
    server: endpoint('10.0.0.9', 80),
    opening: 'seen',
    vlans: [],
    tunnels: [],
    capture: 0,
    interfaceNumber: 0,
    firstNs: id * 1000,
    lastNs: id * 1000 + 5e6,
    synNs: id * 1000,
    synAckNs: id * 1000 + 4e4,
    ackNs: id * 1000 + 9e4,
    synRetransmissions: 0,
    end: 'closed-by-client',
    fromClient: totals(),
    fromServer: totals(),
    exchanges,
    history: 'ShADadFf',
    protocol: 'http',
  };
}

const shared = Array.from({ length: 64 }, (_, index) =>
  connection(index + 1, Math.ceil((COUNT - index) / 64)),
);
/** Exchanges [first, end), made just before they are stored: as in a run, they are fresh in the processor's caches. */
function makeExchanges(kind, first, end) {
  const distinct = kind === 'distinct';
  const agent = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';
  return Array.from({ length: end - first }, (_, place) => {
    const index = first + place;
    const at = index * 12_345;
    const wait = 40_000 + ((index * 7919) % 3_000_000);
    const requestHeaders = [
      { name: 'accept', value: '*/*' },
      { name: 'accept-encoding', value: 'gzip' },
    ];
    if (distinct)
      requestHeaders.push({ name: 'traceparent', value: `00-${index.toString(16).padStart(32, '0')}-01` });
    return {
      id: index + 1,
      client: shared[0].client,
      server: shared[0].server,
      connection: distinct ? connection(index + 1) : shared[index % 64],
      position: distinct ? 1 : 1 + Math.floor(index / 64),
      request: {
        version: '1.1',
        firstByteNs: at,
        lastByteNs: at,
        packet: index * 2 + 1,
        capture: 0,
        direction: 0,
        startOffset: 0,
        endOffset: 121,
        sequence: (index * 2654435761) >>> 0,
        acknowledges: (index * 40503) >>> 0,
        headerBytes: 121,
        bodyBytes: 0,
        lostBytes: 0,
        mediaType: null,
        headers: requestHeaders,
        method: 'GET',
        target: distinct ? `/api/users/${index}/orders?page=${index % 9}` : `/api/things/${index % 100}`,
        host: `shop-${index % 20}.example.test`,
        userAgent: agent,
      },
      response: {
        version: '1.1',
        firstByteNs: at + wait,
        lastByteNs: at + wait + (index % 7) * 1000,
        packet: index * 2 + 2,
        capture: 0,
        direction: 1,
        startOffset: 0,
        endOffset: 850,
        sequence: (index * 40503) >>> 0,
        acknowledges: (index * 2654435761 + 121) >>> 0,
        headerBytes: 238,
        bodyBytes: 612 + (index % 1000),
        lostBytes: 0,
        mediaType: 'text/html',
        status: index % 50 === 0 ? 500 : 200,
        reason: 'OK',
        headers: [
          { name: 'server', value: 'nginx/1.22.1' },
          { name: 'content-type', value: 'text/html' },
          { name: 'content-length', value: '612' },
        ],
      },
      interim: [],
      pairing: 'exact',
      outcome: 'complete',
      ending: null,
      anomalies: [],
      tcp: QUIET_TCP,
    };
  });
}

/** Reads the file into a sink that only counts. */
async function readingMs(path) {
  let count = 0;
  const counting = {
    exchange: () => {
      count += 1;
    },
    connection: () => {},
    drain: () => null,
    finish: async () => {},
    abort: async () => {},
  };
  const began = performance.now();
  await readStoredExchanges([path], [counting], { clock: { epochSeconds: null } });
  if (count !== COUNT) throw new Error(`${count} exchanges came back`);
  return performance.now() - began;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
const directory = mkdtempSync(join(tmpdir(), 'wirelens-bench-'));
try {
  for (const kind of KINDS) {
    const packed = [];
    const busy = [];
    const whole = [];
    const readBack = [];
    let fileBytes = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const path = join(directory, `${kind}-${round}.sqlite`);
      const clock = { epochSeconds: 1_700_000_000 };
      const began = performance.now();
      const sink = await createSqliteSink({ path, force: false, limits: LIMITS, clock, version: 'bench' });
      let packMs = 0;
      for (let first = 0; first < COUNT; first += 2000) {
        const exchanges = makeExchanges(kind, first, Math.min(COUNT, first + 2000));
        const from = performance.now();
        for (const exchange of exchanges) {
          sink.exchange(exchange);
          if (kind === 'distinct') sink.connection(exchange.connection);
        }
        packMs += performance.now() - from;
        const wait = sink.drain();
        if (wait !== null) await wait;
        else await new Promise(setImmediate);
      }
      await sink.finish({ clock, captures: [], ledger: new Ledger() });
      whole.push(performance.now() - began);
      packed.push((packMs * 1000) / COUNT);
      busy.push(sink.workerBusyMs());
      fileBytes = statSync(path).size;
      readBack.push(await readingMs(path));
      rmSync(path);
    }
    console.log(
      `${kind}: ${COUNT} exchanges; main thread ${median(packed).toFixed(2)} µs each; worker ${Math.round(median(busy))} ms; ` +
        `from start to file ${Math.round(median(whole))} ms; file ${(fileBytes / 1e6).toFixed(1)} MB; ` +
        `reading it back ${Math.round(median(readBack))} ms`,
    );
  }
} finally {
  rmSync(directory, { recursive: true, force: true });
}
