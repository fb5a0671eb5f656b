import { Decoder } from './decode/decoder.ts';
import type { Frame } from './decode/frame.ts';
import { TcpTracker } from './decode/tcp/tcp-tracker.ts';
import { DropWindows } from './match/drop-windows.ts';
import { ExchangeBuilder } from './match/exchange-builder.ts';
import { HttpConnection } from './match/http-connection.ts';
import { FieldMemo } from './match/http1/field-memo.ts';
import { HeadReader } from './match/http1/head-reader.ts';
import { KeptFields } from './match/http1/kept-fields.ts';
import { LineCache } from './match/http1/line-cache.ts';
import { Interner } from './match/interner.ts';
import type { Connection, Exchange } from './model/exchange.ts';
import { Ledger, PACKET_REASON_NAMES, type PacketReason } from './model/ledger.ts';
import type { Limits } from './model/limits.ts';
import type { DropReport, Packet, PacketSource, RunClock } from './model/packet.ts';
import { type ExchangeSink, feedSinks, type RunRecord } from './model/sink.ts';
import type { SegmentObserver, StreamTap } from './model/stream.ts';

/**
 * Told of every packet after it was decoded: `reason` is null for a TCP segment that is used, and `frame` then
 * stands at its payload. Both are reused.
 */
export type PacketObserver = (packet: Packet, frame: Frame, reason: PacketReason | null) => void;

/** Ways to look closer while packets pass. Nothing is paid for what is not given. */
export interface Observers {
  onPacket?: PacketObserver;
  onSegment?: SegmentObserver;
  /** Told of drops, between the packets where they are known. */
  onDrops?: (report: DropReport) => void;
  /**
   * Told of a further sighting of a segment, before `onPacket` is told of the same packet with the reason
   * `duplicate-sighting`. Not of those whose connection is not known any more.
   */
  onSighting?: SegmentObserver;
  /** Puts itself between a connection's bytes and their reader. */
  tap?: StreamTap;
}

export interface PipelineOptions extends Observers {
  /** Only connections with one of these ports at either end; null: all. */
  ports: ReadonlySet<number> | null;
  /** Asked before a packet is decoded: the others count as not selected, and no observer is told of them. */
  accepts?: ((packet: Packet) => boolean) | null;
  limits: Limits;
  /** Show credentials in request targets. */
  reveal: boolean;
  /** Leave out segments with a wrong TCP checksum. */
  checksums: boolean;
  /** Lower-case names of header fields to keep beside the usual ones; credentials among them are masked. */
  keepHeaders?: readonly string[];
}

/**
 * The stages joined: packets go in, exchanges and connections come out, in the order of the capture.
 *
 *     packet ─► Decoder ─► TcpTracker ─► HttpConnection ─► onExchange
 *               segment     in-order      messages,
 *                           bytes         pairs
 */
export class Pipeline {
  readonly ledger = new Ledger();
  /** When packets were dropped while capturing. */
  readonly drops = new DropWindows();
  readonly #decoder: Decoder;
  readonly #tracker: TcpTracker;
  readonly #ports: ReadonlySet<number> | null;
  readonly #accepts: ((packet: Packet) => boolean) | null;
  readonly #onPacket: PacketObserver | null;

  constructor(
    options: PipelineOptions,
    onExchange: (exchange: Exchange) => void,
    onConnection: (connection: Connection) => void,
  ) {
    const { limits, tap } = options;
    this.#onPacket = options.onPacket ?? null;
    const context = {
      limits,
      parsers: {
        ledger: this.ledger,
        reader: new HeadReader(
          new Interner(),
          options.reveal,
          new KeptFields(options.keepHeaders, options.reveal),
        ),
        lines: new LineCache(),
        memo: new FieldMemo(),
        headBytes: limits.headBytes,
      },
      exchanges: new ExchangeBuilder(this.ledger, onExchange, this.drops),
    };
    this.#ports = options.ports;
    this.#accepts = options.accepts ?? null;
    this.#decoder = new Decoder({ limits, checksums: options.checksums });
    this.#tracker = new TcpTracker({
      limits,
      ledger: this.ledger,
      consumerFor:
        tap === undefined
          ? (connection) => new HttpConnection(context, connection)
          : (connection) => tap(connection, new HttpConnection(context, connection)),
      onConnection,
      onSegment: options.onSegment ?? null,
      onSighting: options.onSighting ?? null,
    });
  }

  /** Takes one packet; its bytes are not needed any more when this returns. */
  packet(packet: Packet): void {
    const { ledger } = this;
    ledger.packetsRead += 1;
    if (this.#accepts !== null && !this.#accepts(packet)) {
      this.#notUsed('not-selected', 1);
      return;
    }
    const { frame } = this.#decoder;
    let reason = this.#decoder.decode(packet);
    let isSelected = true;
    if (reason === null) {
      const ports = this.#ports;
      isSelected = ports === null || ports.has(frame.srcPort) || ports.has(frame.dstPort);
      if (this.#tracker.isFurtherSighting(frame, packet, isSelected)) reason = 'duplicate-sighting';
    }
    if (this.#onPacket !== null) this.#onPacket(packet, frame, reason);
    if (reason !== null) {
      this.#notUsed(reason, 1);
      if (reason === 'fragment') this.#countGivenUp();
      return;
    }
    if (!isSelected) {
      this.#notUsed('not-selected', 1);
      return;
    }
    ledger.segments += 1;
    this.#tracker.segment(frame, packet);
  }

  /** No more packets: everything open comes out. */
  finish(): void {
    this.#decoder.fragments.clear();
    this.#countGivenUp();
    this.#tracker.finish();
  }

  #notUsed(reason: PacketReason, count: number): void {
    this.ledger.notUsed[PACKET_REASON_NAMES.indexOf(reason)] += count;
  }

  /** Fragments of datagrams that were given up change their reason. */
  #countGivenUp(): void {
    const { datagrams, packets } = this.#decoder.fragments.takeGivenUp();
    if (packets === 0) return;
    this.ledger.evictedFragments += datagrams;
    this.#notUsed('fragment', -packets);
    this.#notUsed('fragment-incomplete', packets);
  }
}

export interface RunOptions extends PipelineOptions {
  /** Called between blocks of packets, for showing progress. */
  onProgress?: () => void;
  /** When it turns true, reading stops and what is open comes out. */
  stopped?: () => boolean;
  /** Read no more than so many packets. */
  packetLimit?: number;
}

/** Reads the source to its end and feeds the sinks. Sinks are finished, or aborted when something throws. */
export async function runPipeline(
  source: PacketSource,
  clock: RunClock,
  sinks: readonly ExchangeSink[],
  options: RunOptions,
): Promise<RunRecord> {
  const [only] = sinks;
  const single = sinks.length === 1;
  const pipeline = new Pipeline(
    options,
    (exchange) => {
      if (single) only.exchange(exchange);
      else for (const sink of sinks) sink.exchange(exchange);
    },
    (connection) => {
      for (const sink of sinks) sink.connection(connection);
    },
  );
  const run: RunRecord = { clock, captures: source.facts, ledger: pipeline.ledger };
  source.onDrops = (report) => {
    pipeline.drops.add(report.fromNs, report.toNs);
    options.onDrops?.(report);
  };
  try {
    return await feedSinks(run, sinks, async () => {
      await pump(source, pipeline, sinks, options);
      pipeline.finish();
    });
  } finally {
    source.onDrops = null;
    await source.close();
  }
}

async function pump(
  source: PacketSource,
  pipeline: Pipeline,
  sinks: readonly ExchangeSink[],
  options: RunOptions,
): Promise<void> {
  const packetLimit = options.packetLimit ?? Number.POSITIVE_INFINITY;
  let count = 0;
  do {
    while (source.next()) {
      pipeline.packet(source.packet);
      count += 1;
      if (count >= packetLimit) return;
    }
    for (const sink of sinks) {
      const drained = sink.drain();
      if (drained !== null) await drained;
    }
    options.onProgress?.();
    if (options.stopped?.() === true) return;
  } while (await source.more());
}
