import { type Segment, START_NS } from '../fixtures/build/conversation.ts';
import { framesOf, WRAPPINGS, type WrappingName } from '../fixtures/build/frames.ts';
import type { Connection, Exchange } from '../src/model/exchange.ts';
import type { Ledger } from '../src/model/ledger.ts';
import { LIMITS, type Limits } from '../src/model/limits.ts';
import { emptyPacket } from '../src/model/packet.ts';
import { type Observers, Pipeline } from '../src/pipeline.ts';
import { isPlain, plainFrame } from './plain-frame.ts';
import { FUZZ_FACTOR } from './test-limits.ts';

/** Runs of a property test: `runs`, times WIRELENS_FUZZ_FACTOR. */
export function fuzzRuns(runs: number): number {
  return Math.max(1, Math.round(runs * FUZZ_FACTOR));
}

/** A packet to be fed to the pipeline. */
export interface FedPacket {
  readonly frame: Uint8Array;
  /** Unix nanoseconds; the run's epoch is that of the builders' START_NS. */
  readonly timeNs: bigint;
  /** Length on the wire; that of `frame` when left out. */
  readonly originalBytes?: number;
  readonly linkType?: number;
  readonly interfaceNumber?: number;
  readonly capture?: number;
}

export interface RunChoices {
  readonly limits?: Partial<Limits>;
  readonly ports?: readonly number[];
  readonly reveal?: boolean;
  readonly checksums?: boolean;
  readonly keepHeaders?: readonly string[];
  readonly observers?: Observers;
}

export interface PipelineRun {
  readonly exchanges: readonly Exchange[];
  readonly connections: readonly Connection[];
  readonly ledger: Ledger;
}

/**
 * A pipeline fed packet by packet out of one buffer that is overwritten after every packet, so that bytes which
 * it should have copied show up as damage.
 */
export class PipelineFeed {
  readonly exchanges: Exchange[] = [];
  readonly connections: Connection[] = [];
  readonly pipeline: Pipeline;
  readonly #packet = emptyPacket();
  readonly #numbers = new Map<number, number>();
  #buffer = new Uint8Array(70_000);

  constructor(choices: RunChoices = {}) {
    this.pipeline = new Pipeline(
      {
        ports: choices.ports === undefined ? null : new Set(choices.ports),
        limits: { ...LIMITS, ...choices.limits },
        reveal: choices.reveal ?? true,
        checksums: choices.checksums ?? false,
        keepHeaders: choices.keepHeaders ?? [],
        ...choices.observers,
      },
      (exchange) => this.exchanges.push(exchange),
      (connection) => this.connections.push(connection),
    );
  }

  get ledger(): Ledger {
    return this.pipeline.ledger;
  }

  packet({ frame, timeNs, originalBytes, linkType, interfaceNumber, capture }: FedPacket): void {
    const start = 16;
    if (this.#buffer.length < frame.length + start) this.#buffer = new Uint8Array(frame.length * 2 + start);
    this.#buffer.set(frame, start);
    const packet = this.#packet;
    packet.bytes = this.#buffer;
    packet.start = start;
    packet.end = start + frame.length;
    packet.originalBytes = originalBytes ?? frame.length;
    packet.timeNs = Number(timeNs - START_NS);
    packet.linkType = linkType ?? 1;
    packet.capture = capture ?? 0;
    packet.interfaceNumber = interfaceNumber ?? 0;
    packet.number = (this.#numbers.get(packet.capture) ?? 0) + 1;
    this.#numbers.set(packet.capture, packet.number);
    this.pipeline.packet(packet);
    this.#buffer.fill(0xee, 0, start + frame.length + 4);
  }

  finish(): PipelineRun {
    this.pipeline.finish();
    return { exchanges: this.exchanges, connections: this.connections, ledger: this.ledger };
  }
}

export function runPackets(packets: Iterable<FedPacket>, choices: RunChoices = {}): PipelineRun {
  const feed = new PipelineFeed(choices);
  for (const packet of packets) feed.packet(packet);
  return feed.finish();
}

/** Segments in the given wrapping, as packets for the pipeline. Each has its own IPv4 identification. */
export function packetsOf(segments: readonly Segment[], wrapping: WrappingName = 'ethernet'): FedPacket[] {
  const { linkType } = WRAPPINGS[wrapping];
  if (wrapping === 'ethernet' && segments.every(isPlain)) {
    return segments.map((segment, index) => ({
      frame: plainFrame(segment, (index + 1) & 0xffff),
      timeNs: segment.timeNs,
      linkType,
    }));
  }
  return framesOf(segments, wrapping).map((timed) => ({ ...timed, linkType }));
}

export function runSegments(
  segments: readonly Segment[],
  choices: RunChoices = {},
  wrapping: WrappingName = 'ethernet',
): PipelineRun {
  return runPackets(packetsOf(segments, wrapping), choices);
}

/** The exchanges in the order of connections and of positions on them, whatever order they came to their end in. */
export function inOrder(exchanges: readonly Exchange[]): Exchange[] {
  return [...exchanges].sort((a, b) => a.connection.id - b.connection.id || a.position - b.position);
}

/** `GET /a -> 200`, `GET /a -> (lost-in-capture)`, `? -> 200`. */
export function inShort(exchange: Exchange): string {
  const { request, response, ending } = exchange;
  const asked = request === null ? '?' : `${request.method} ${request.target}`;
  return `${asked} -> ${response === null ? `(${ending})` : response.status}`;
}
