import fc from 'fast-check';
import { ANOMALY_NAMES } from '../../src/model/anomaly.ts';
import {
  type Connection,
  type DirectionTotals,
  type Exchange,
  type HeaderField,
  type InterimResponse,
  QUIET_TCP,
  type RequestMessage,
  type ResponseMessage,
  type Sighting,
  TUNNEL_KINDS,
} from '../../src/model/exchange.ts';
import { FROM_CLIENT, FROM_SERVER } from '../../src/model/stream.ts';
import { CONNECTION_ENDS, ENDINGS, OPENINGS, OUTCOMES, PAIRINGS, PROTOCOLS } from '../../src/store/words.ts';

/** Arbitrary exchanges and connections for the tests of stores: every field varies, also against all sense. */

const hostile = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('/', '/users/1', '/users/2?q=1', 'GET', 'OK', 'example.test', '1.1') },
  { weight: 3, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      '', '\0', 'a\0b', '\0\0', `'`, `"`, `'; DROP TABLE exchanges; --`, '\ufeff', '😀', 'e\u0301', '%s', '?', ':x', '\n', '\uffff', 'NULL', '0', '1e5',
    ),
  },
); // biome-ignore format: a list
/** Text that UTF-8 can hold; what becomes of the rest has a test of its own. */
export const text = hostile.map((one) => Buffer.from(one, 'utf8').toString('utf8'));
const count = fc.oneof(fc.nat(3), fc.nat(), fc.integer({ min: 0, max: 2 ** 52 }));
/** 100 days around the epoch, in ns. */
const instantNs = fc.integer({ min: -1e9, max: 8.64e15 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(arbitrary, { nil: null });

const totals: fc.Arbitrary<DirectionTotals> = fc.record({
  packets: count,
  ipBytes: count,
  payloadBytes: count,
  retransmissions: count,
  outOfOrder: count,
  zeroWindows: count,
  keepAlives: count,
  gaps: count,
  gapBytes: count,
});
const endpoint = fc
  .record({ address: fc.oneof(fc.ipV4(), fc.ipV6()), port: fc.nat(65535) })
  .map(({ address, port }) => ({
    address,
    port,
    text: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`,
  }));

const sighting: fc.Arbitrary<Sighting> = fc.record({
  capture: fc.nat(3),
  interfaceNumber: fc.nat(9),
  interfaceIndex: maybe(fc.nat()),
  client: endpoint,
  server: endpoint,
  vlans: fc.array(fc.nat(4095), { maxLength: 2 }),
  tunnels: fc.array(fc.record({ kind: fc.constantFrom(...TUNNEL_KINDS), id: maybe(fc.nat()) }), {
    maxLength: 2,
  }),
  firstNs: instantNs,
  packets: count,
});

const connection = (id: number): fc.Arbitrary<Connection> =>
  fc.record({
    id: fc.constant(id),
    client: endpoint,
    server: endpoint,
    opening: fc.constantFrom(...OPENINGS),
    vlans: fc.array(fc.nat(4095), { maxLength: 2 }),
    tunnels: fc.array(fc.record({ kind: fc.constantFrom(...TUNNEL_KINDS), id: maybe(fc.nat()) }), {
      maxLength: 2,
    }),
    capture: fc.nat(3),
    interfaceNumber: fc.nat(9),
    firstNs: instantNs,
    lastNs: instantNs,
    synNs: maybe(instantNs),
    synAckNs: maybe(instantNs),
    ackNs: maybe(instantNs),
    synRetransmissions: fc.nat(5),
    end: fc.constantFrom(...CONNECTION_ENDS),
    fromClient: totals,
    fromServer: totals,
    exchanges: fc.nat(),
    sightings: fc.oneof(fc.constant([]), fc.array(sighting, { minLength: 2, maxLength: 3 })),
    packetsElsewhere: count,
    history: fc.constantFrom('', 'ShADad', 'D^', 'ShAFfR'),
    protocol: fc.constantFrom(...PROTOCOLS),
  });

const header: fc.Arbitrary<HeaderField> = fc.record({
  name: fc.constantFrom('accept', 'server', 'via'),
  value: text,
});
const sequence = fc.oneof(fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff), fc.nat(0xffff_ffff));
const message = {
  version: text,
  firstByteNs: instantNs,
  lastByteNs: maybe(instantNs),
  packet: count,
  capture: fc.nat(3),
  startOffset: fc.constant(-1),
  endOffset: fc.constant(-1),
  sequence: fc.oneof({ weight: 4, arbitrary: sequence }, { weight: 1, arbitrary: fc.constant(-1) }),
  acknowledges: sequence,
  headerBytes: count,
  bodyBytes: count,
  lostBytes: count,
  mediaType: maybe(text),
  headers: fc.array(header, { maxLength: 3 }),
};
const request: fc.Arbitrary<RequestMessage> = fc.record({
  ...message,
  direction: fc.constant(FROM_CLIENT),
  method: text,
  target: text,
  host: maybe(text),
  userAgent: maybe(text),
});
const response: fc.Arbitrary<ResponseMessage> = fc.record({
  ...message,
  direction: fc.constant(FROM_SERVER),
  status: maybe(fc.integer({ min: 1, max: 999 })),
  reason: text,
});

const interim: fc.Arbitrary<InterimResponse> = fc.record({
  status: fc.integer({ min: 100, max: 199 }),
  timeNs: instantNs,
  startOffset: fc.constant(-1),
  endOffset: fc.constant(-1),
});

const tcp = fc.oneof(
  fc.constant(QUIET_TCP),
  fc.record({
    requestRetransmissions: fc.nat(9),
    responseRetransmissions: fc.nat(9),
    requestOutOfOrder: fc.nat(9),
    responseOutOfOrder: fc.nat(9),
    clientZeroWindows: fc.nat(9),
    serverZeroWindows: fc.nat(9),
  }),
);

/** A run: connections, and exchanges on them numbered from 1. Never an exchange without both messages. */
export const run: fc.Arbitrary<{ connections: Connection[]; exchanges: Exchange[] }> = fc
  .integer({ min: 1, max: 4 })
  .chain((connections) =>
    fc.tuple(...Array.from({ length: connections }, (_, index) => connection(index + 1))),
  )
  .chain((connections) => {
    const messages: fc.Arbitrary<[RequestMessage | null, ResponseMessage | null]> = fc.oneof(
      fc.tuple(request, response),
      fc.tuple(request, fc.constant(null)),
      fc.tuple(fc.constant(null), response),
    );
    const exchange = fc.record({
      connection: fc.constantFrom(...connections),
      reversed: fc.boolean(),
      position: fc.integer({ min: 1, max: 5 }),
      messages,
      interim: fc.array(interim, { maxLength: 2 }),
      pairing: fc.constantFrom(...PAIRINGS),
      outcome: fc.constantFrom(...OUTCOMES),
      ending: maybe(fc.constantFrom(...ENDINGS)),
      anomalies: fc.array(fc.constantFrom(...ANOMALY_NAMES), { maxLength: 3 }),
      tcp,
      seen: fc.array(fc.record({ requestNs: maybe(instantNs), responseNs: maybe(instantNs) }), {
        maxLength: 3,
      }),
    });
    return fc.array(exchange, { maxLength: 80 }).map((list) => ({
      connections,
      exchanges: list.map(
        ({ messages: [asked, answered], reversed, seen, ...rest }, index): Exchange => ({
          id: index + 1,
          ...rest,
          sightings: seen.flatMap((times, place) => {
            const at = rest.connection.sightings[place];
            return at === undefined ? [] : [{ at, ...times }];
          }),
          client: reversed ? rest.connection.server : rest.connection.client,
          server: reversed ? rest.connection.client : rest.connection.server,
          request: asked && { ...asked, direction: reversed ? FROM_SERVER : FROM_CLIENT },
          response: answered && { ...answered, direction: reversed ? FROM_CLIENT : FROM_SERVER },
        }),
      ),
    }));
  });
