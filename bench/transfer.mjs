// What sending exchanges costs, in which form: `npm run build && taskset -c 0 node bench/transfer.mjs [exchanges] [capture]`.
//
// Three forms of the same exchanges: columns (what agents send), NDJSON (what `analyze --format json` writes) and arrays
// (one JSON array per exchange). Times are of one core, without network and disk, best of 5 rounds. `read` ends with
// checked columns for the store; for arrays it is less than that, for it checks nothing. Without a capture the exchanges
// are those of a made-up cluster: 40 services, 400 clients, keep-alive connections of about 10 exchanges.
import { gunzipSync, gzipSync } from 'node:zlib';
import { openCaptures } from '../dist/capture/open.js';
import { JsonRecordWriter } from '../dist/export/json-record.js';
import { QUIET_TCP } from '../dist/model/exchange.js';
import { LIMITS } from '../dist/model/limits.js';
import { routeOf } from '../dist/model/route.js';
import { runPipeline } from '../dist/pipeline.js';
import { BATCH_COLUMNS } from '../dist/transfer/batch-columns.js';
import { BatchEncoder } from '../dist/transfer/batch-encoder.js';
import { decodeBatch } from '../dist/transfer/decode-batch.js';
import { decodeLines } from '../dist/transfer/decode-lines.js';
import { batchText } from '../dist/transfer/encode-batch.js';
import { exchangeValues } from '../dist/transfer/exchange-values.js';

const COUNT = Number(process.argv[2] ?? 40_000);
const CAPTURE = process.argv[3];
const ROUNDS = 5;
const BATCH_ROWS = [200, 2_000, 20_000];
const EPOCH_SECONDS = 1_795_246_920;

let seed = 42;
/** A number from 0 to below `below`; the same ones in every run. */
function random(below) {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * below);
}

const endpoint = (address, port) => ({ address, port, text: `${address}:${port}` });
const STATUSES = [200, 200, 200, 200, 200, 200, 200, 304, 404, 500];

function madeUp(count) {
  const exchanges = [];
  let timeNs = 0;
  for (let connections = 1; exchanges.length < count; connections += 1) {
    const service = random(40);
    const client = endpoint(`10.244.${random(8)}.${2 + random(50)}`, 32_768 + random(28_000));
    const server = endpoint(`10.96.0.${10 + service}`, 8080);
    const connection = {
      id: connections, client, server, opening: 'seen', vlans: [], tunnels: [], capture: 0, interfaceNumber: 0,
      firstNs: timeNs, lastNs: timeNs, synNs: timeNs, synAckNs: timeNs + 80_000, ackNs: timeNs + 150_000,
      synRetransmissions: 0, end: 'open', exchanges: 0, history: 'ShADad', sightings: [], packetsElsewhere: 0,
      protocol: 'http', fromClient: {}, fromServer: {},
    }; // biome-ignore format: a record
    let asked = random(2 ** 32);
    let answered = random(2 ** 32);
    const agent = `client-${random(12)}/1.${random(9)}`;
    const together = Math.min(count - exchanges.length, 1 + random(20));
    for (let position = 1; position <= together; position += 1) {
      timeNs += 200_000 + random(1_600_000);
      const waitNs = 300_000 + random(20) ** 4 * 10_000;
      const status = STATUSES[random(STATUSES.length)];
      const bodyBytes = status === 304 ? 0 : 100 + random(9000);
      const target = `/api/v1/${['users', 'orders', 'items'][random(3)]}/${random(20_000)}`;
      const parts = { capture: 0, version: '1.1', lostBytes: 0, startOffset: 0, endOffset: 0 };
      exchanges.push({
        id: exchanges.length + 1, connection, client, server, position,
        request: {
          ...parts, firstByteNs: timeNs, lastByteNs: timeNs, packet: exchanges.length * 4 + 1, direction: 0,
          sequence: asked, acknowledges: answered, headerBytes: 230, bodyBytes: 0, mediaType: null,
          headers: [{ name: 'x-request-id', value: `${random(2 ** 32).toString(16)}-${random(2 ** 32).toString(16)}` }],
          method: 'GET', target, host: `service-${service}.shop.svc`, userAgent: agent,
        },
        response: {
          ...parts, firstByteNs: timeNs + waitNs, lastByteNs: timeNs + waitNs + random(90_000),
          packet: exchanges.length * 4 + 3, direction: 1, sequence: answered, acknowledges: (asked + 230) >>> 0,
          headerBytes: 180, bodyBytes, mediaType: 'application/json',
          headers: [{ name: 'content-length', value: String(bodyBytes) }], status, reason: 'OK',
        },
        interim: [], pairing: 'exact', outcome: 'complete', ending: null, anomalies: [], tcp: QUIET_TCP, sightings: [],
      }); // biome-ignore format: a record
      asked = (asked + 230) >>> 0;
      answered = (answered + 180 + bodyBytes) >>> 0;
    }
  }
  return { exchanges, clock: { epochSeconds: EPOCH_SECONDS }, captures: [] };
}

async function ofCapture(path) {
  const clock = { epochSeconds: null };
  const exchanges = [];
  const sink = {
    exchange: (one) => exchanges.push(one),
    connection() {},
    drain: () => null,
    async finish() {},
    async abort() {},
  };
  const source = await openCaptures([path], { clock, limits: LIMITS });
  const options = { limits: LIMITS, ports: null, reveal: false, checksums: false };
  const { captures } = await runPipeline(source, clock, [sink], options);
  return { exchanges: exchanges.slice(0, COUNT), clock, captures };
}

const { exchanges, clock, captures } = CAPTURE === undefined ? madeUp(COUNT) : await ofCapture(CAPTURE);

/** Bodies of `rows` exchanges each, not compressed. */
const FORMS = {
  columns: {
    write() {
      const encoder = new BatchEncoder({ clock, captures });
      return {
        add: (exchange) => encoder.add(exchange),
        take: () => Buffer.from(batchText(encoder.takeBatch())),
      };
    },
    read: (body) => decodeBatch(body),
  },
  NDJSON: {
    write() {
      const writer = new JsonRecordWriter({ clock, captures, routeOf });
      return { add: (exchange) => writer.write(exchange), take: () => writer.take() };
    },
    read: (body) => decodeLines(body),
  },
  arrays: {
    write() {
      const values = exchangeValues(captures);
      let rows = [];
      return {
        add: (exchange) => rows.push(values.map((value) => value(exchange, clock.epochSeconds ?? 0))),
        take() {
          const body = Buffer.from(
            JSON.stringify({ v: 1, columns: BATCH_COLUMNS.map(({ name }) => name), rows }),
          );
          rows = [];
          return body;
        },
      };
    },
    read(body) {
      const { rows } = JSON.parse(body.toString());
      return BATCH_COLUMNS.map((_, column) => rows.map((row) => row[column]));
    },
  },
};

function bodiesOf(form, batchRows) {
  const bodies = [];
  const writer = form.write();
  exchanges.forEach((exchange, index) => {
    writer.add(exchange);
    if ((index + 1) % batchRows === 0) bodies.push(writer.take());
  });
  if (exchanges.length % batchRows !== 0) bodies.push(writer.take());
  return bodies;
}

/** µs of this process's CPU per exchange, the best of all rounds, and what came out. */
function timed(work) {
  let best = Number.POSITIVE_INFINITY;
  let result;
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = process.cpuUsage();
    result = work();
    const { user, system } = process.cpuUsage(before);
    best = Math.min(best, (user + system) / exchanges.length);
  }
  return { us: best, result };
}

const bytesOf = (bodies) => bodies.reduce((sum, { length }) => sum + length, 0) / exchanges.length;
const cell = (value, digits = 1) => value.toFixed(digits).padStart(9);
console.log(
  `${exchanges.length} exchanges${CAPTURE === undefined ? ', made up' : ` of ${CAPTURE}`}; µs and bytes are per exchange`,
);
console.log(
  'rows    form      write µs  gzip µs  gunzip µs  read µs     bytes   gzipped   written/s    read/s',
);
for (const batchRows of BATCH_ROWS) {
  for (const [name, form] of Object.entries(FORMS)) {
    const write = timed(() => bodiesOf(form, batchRows));
    const gzip = timed(() => write.result.map((body) => gzipSync(body, { level: 4 })));
    const gunzip = timed(() => gzip.result.map((body) => gunzipSync(body)));
    const read = timed(() => {
      for (const body of gunzip.result) form.read(body);
    });
    const rate = (us) => String(Math.round(1e6 / us)).padStart(10);
    console.log(
      `${String(batchRows).padEnd(7)} ${name.padEnd(8)}${cell(write.us)}${cell(gzip.us)}${cell(gunzip.us)} ${cell(read.us)} ${cell(bytesOf(write.result), 0)} ${cell(bytesOf(gzip.result), 0)} ${rate(write.us + gzip.us)}${rate(gunzip.us + read.us)}`,
    );
  }
}
const bodies = bodiesOf(FORMS.columns, 2000);
console.log('\nlevels of gzip for columns of 2000 rows');
for (const level of [1, 2, 3, 4, 5, 6, 9]) {
  const gzip = timed(() => bodies.map((body) => gzipSync(body, { level })));
  console.log(`level ${level}: ${gzip.us.toFixed(1)} µs, ${bytesOf(gzip.result).toFixed(0)} bytes`);
}
