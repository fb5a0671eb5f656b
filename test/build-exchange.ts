import type {
  Connection,
  DirectionTotals,
  Exchange,
  InterimResponse,
  RequestMessage,
  ResponseMessage,
  Sighting,
  TcpFacts,
} from '../src/model/exchange.ts';
import { QUIET_TCP } from '../src/model/exchange.ts';
import { Ledger } from '../src/model/ledger.ts';
import type { CaptureFacts, CaptureInterface } from '../src/model/packet.ts';
import type { RunRecord } from '../src/model/sink.ts';
import { FROM_CLIENT, FROM_SERVER } from '../src/model/stream.ts';
import type { TextOutput } from '../src/model/text-output.ts';

const quietDirection = (): DirectionTotals => ({
  packets: 5,
  ipBytes: 300,
  payloadBytes: 100,
  retransmissions: 0,
  outOfOrder: 0,
  zeroWindows: 0,
  keepAlives: 0,
  gaps: 0,
  gapBytes: 0,
});

/** A connection from 10.0.0.1:5000 to 10.0.0.2:80 whose opening took 1 ms; any part can be given. */
export function buildConnection(parts: Partial<Connection> = {}): Connection {
  return {
    id: 1,
    client: { address: '10.0.0.1', port: 5000, text: '10.0.0.1:5000' },
    server: { address: '10.0.0.2', port: 80, text: '10.0.0.2:80' },
    opening: 'seen',
    vlans: [],
    tunnels: [],
    capture: 0,
    interfaceNumber: 0,
    firstNs: 0,
    lastNs: 50_000_000,
    synNs: 0,
    synAckNs: 500_000,
    ackNs: 1_000_000,
    synRetransmissions: 0,
    end: 'open',
    fromClient: quietDirection(),
    fromServer: quietDirection(),
    exchanges: 1,
    history: 'ShADad',
    sightings: [],
    packetsElsewhere: 0,
    protocol: 'http',
    ...parts,
  };
}

/** A place behind destination NAT, first passed at 10 µs. */
export function buildSighting(parts: Partial<Sighting> = {}): Sighting {
  return {
    capture: 0,
    interfaceNumber: 7,
    interfaceIndex: null,
    client: { address: '10.0.0.1', port: 5000, text: '10.0.0.1:5000' },
    server: { address: '10.244.1.7', port: 8080, text: '10.244.1.7:8080' },
    vlans: [],
    tunnels: [],
    firstNs: 10_000,
    packets: 10,
    ...parts,
  };
}

/** GET / to example.org, sent in one packet at 2 ms. */
export function buildRequest(parts: Partial<RequestMessage> = {}): RequestMessage {
  return {
    version: '1.1',
    firstByteNs: 2_000_000,
    lastByteNs: 2_000_000,
    packet: 4,
    capture: 0,
    direction: FROM_CLIENT,
    startOffset: 0,
    endOffset: 40,
    sequence: 0x1000_0001,
    acknowledges: 0x2000_0001,
    headerBytes: 40,
    bodyBytes: 0,
    lostBytes: 0,
    mediaType: null,
    headers: [],
    method: 'GET',
    target: '/',
    host: 'example.org',
    userAgent: null,
    ...parts,
  };
}

/** 200 OK with 1234 bytes, from 12 ms to 13 ms. */
export function buildResponse(parts: Partial<ResponseMessage> = {}): ResponseMessage {
  return {
    version: '1.1',
    firstByteNs: 12_000_000,
    lastByteNs: 13_000_000,
    packet: 6,
    capture: 0,
    direction: FROM_SERVER,
    startOffset: 0,
    endOffset: 1354,
    sequence: 0x2000_0001,
    acknowledges: 0x1000_0029,
    headerBytes: 120,
    bodyBytes: 1234,
    lostBytes: 0,
    mediaType: 'text/html',
    headers: [],
    status: 200,
    reason: 'OK',
    ...parts,
  };
}

/** 100 Continue at the beginning of the run. */
export function buildInterim(parts: Partial<InterimResponse> = {}): InterimResponse {
  return { status: 100, timeNs: 0, startOffset: 0, endOffset: 25, ...parts };
}

export interface ExchangeParts extends Partial<Omit<Exchange, 'tcp'>> {
  tcp?: Partial<TcpFacts>;
}

/** A quiet, complete exchange; any part can be given. */
export function buildExchange(parts: ExchangeParts = {}): Exchange {
  const { tcp, ...rest } = parts;
  const connection = parts.connection ?? buildConnection();
  return {
    id: 1,
    connection,
    client: connection.client,
    server: connection.server,
    position: 1,
    request: buildRequest(),
    response: buildResponse(),
    interim: [],
    pairing: 'exact',
    outcome: 'complete',
    ending: null,
    anomalies: [],
    sightings: [],
    tcp: tcp === undefined ? QUIET_TCP : { ...QUIET_TCP, ...tcp },
    ...rest,
  };
}

/** An Ethernet interface without a name, in microseconds, that says nothing of drops. */
export function buildInterface(parts: Partial<CaptureInterface> = {}): CaptureInterface {
  return {
    number: 0,
    name: null,
    linkType: 1,
    snaplen: 262_144,
    timeDigits: 6,
    packets: 100,
    received: null,
    dropped: null,
    ...parts,
  };
}

/** A request that got no answer, for the given reason. */
export function buildUnanswered(ending: Exchange['ending'], parts: ExchangeParts = {}): Exchange {
  const outcome = ending === 'reset-by-client' || ending === 'reset-by-server' ? 'reset' : 'no-response';
  return buildExchange({ response: null, outcome, ending, ...parts });
}

export function buildCapture(parts: Partial<CaptureFacts> = {}): CaptureFacts {
  return {
    path: 'sample.pcap',
    format: 'pcap',
    compression: 'none',
    byteOrder: 'little',
    packets: 100,
    capturedBytes: 9000,
    originalBytes: 9000,
    fileBytes: 10_624,
    firstNs: 0,
    lastNs: 2_000_000_000,
    interfaces: [buildInterface()],
    comments: [],
    commentsDropped: 0,
    skippedBlocks: {},
    timeReversals: 0,
    damage: null,
    ...parts,
  };
}

/** 2026-11-21T07:42:00Z */
export const EPOCH_SECONDS = 1_795_246_920;

export function buildRun(parts: Partial<RunRecord> = {}): RunRecord {
  return {
    clock: { epochSeconds: EPOCH_SECONDS },
    captures: [buildCapture()],
    ledger: new Ledger(),
    ...parts,
  };
}

/** Text output that keeps everything, for tests. */
export function textInMemory(): TextOutput & { text(): string } {
  let kept = '';
  return {
    write: (text) => {
      kept += text;
    },
    writeBytes: (bytes) => {
      kept += new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    },
    drain: () => null,
    flush: async () => {},
    text: () => kept,
  };
}
