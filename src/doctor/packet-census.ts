import type { Frame } from '../decode/frame.ts';
import { tcpChecksumHolds } from '../decode/tcp/checksum.ts';
import { formatAddress } from '../decode/tcp/endpoint.ts';
import { TUNNEL_KINDS, type TunnelKind } from '../model/exchange.ts';
import type { PacketReason } from '../model/ledger.ts';
import type { Packet } from '../model/packet.ts';

/** The longest IP packet that an Ethernet of any make carries; longer ones were put together by the host. */
const LARGEST_ETHERNET_IP_BYTES = 9_216;
/** The longest IP packet of ordinary Ethernet. */
const ORDINARY_IP_BYTES = 1_500;
/** Every so many TCP segments one checksum is worked out, after the first ones. */
const CHECKED_FIRST = 20_000;
const CHECKED_EVERY = 16;
/** Senders whose checksums are counted, at most. */
const SENDERS = 1_000;
/** A silence as long is worth telling of. */
export const SILENCE_NS = 60e9;
/** A step back as long means that someone set the clock; smaller ones are packets from several queues. */
export const CLOCK_STEP_NS = 100e6;

/** What was counted of the packets of one interface. */
export interface InterfaceCensus {
  readonly number: number;
  packets: number;
  /** Packets of which not all bytes were kept. */
  cut: number;
  longestCapturedBytes: number;
  longestOriginalBytes: number;
  /** TCP segments that another packet had shown before. */
  duplicates: number;
  segments: number;
}

export interface ClockStep {
  readonly capture: number;
  readonly packet: number;
  /** ns; positive forward. */
  readonly stepNs: number;
}

/** Checksums of one sender's segments. */
export interface SenderChecksums {
  readonly address: string;
  checked: number;
  wrong: number;
}

/**
 * Counts what only the packets themselves show, while they pass: see Observers.onPacket. Fixed memory but for
 * one record per interface and per sender, SENDERS at most.
 */
export class PacketCensus {
  readonly interfaces = new Map<number, InterfaceCensus>();
  readonly senders = new Map<string, SenderChecksums>();
  readonly tunnels = new Map<TunnelKind, number>();
  /** Segments longer than ordinary Ethernet carries, and than any does. */
  longSegments = 0;
  oversizedSegments = 0;
  /** IP packets whose length field is 0, as segmentation offload leaves it. */
  zeroLengths = 0;
  checkedSegments = 0;
  wrongChecksums = 0;
  /** Datagrams to or from UDP port 443. */
  quicPackets = 0;
  vlanPackets = 0;
  /** The largest steps of the clock, at most STEPS of either kind. */
  readonly stepsBack: ClockStep[] = [];
  readonly silences: ClockStep[] = [];
  #segments = 0;
  readonly #lastNs = new Map<number, number>();

  readonly onPacket = (packet: Packet, frame: Frame, reason: PacketReason | null): void => {
    const one = this.#interface(packet.interfaceNumber);
    const capturedBytes = packet.end - packet.start;
    one.packets += 1;
    if (capturedBytes < packet.originalBytes) one.cut += 1;
    if (capturedBytes > one.longestCapturedBytes) one.longestCapturedBytes = capturedBytes;
    if (packet.originalBytes > one.longestOriginalBytes) one.longestOriginalBytes = packet.originalBytes;
    this.#step(packet);
    if (frame.vlanCount > 0) this.vlanPackets += 1;
    if (frame.tunnelCount > 0) this.#countTunnel(frame);
    if (reason === 'udp' && isQuic(frame)) this.quicPackets += 1;
    if (reason === 'duplicate-sighting') one.duplicates += 1;
    if (reason !== null && reason !== 'duplicate-sighting') return;
    one.segments += 1;
    if (reason === null) this.#segment(packet, frame);
  };

  #interface(number: number): InterfaceCensus {
    let one = this.interfaces.get(number);
    if (one === undefined) {
      one = {
        number,
        packets: 0,
        cut: 0,
        longestCapturedBytes: 0,
        longestOriginalBytes: 0,
        duplicates: 0,
        segments: 0,
      };
      this.interfaces.set(number, one);
    }
    return one;
  }

  #step(packet: Packet): void {
    const { capture, timeNs, number } = packet;
    const last = this.#lastNs.get(capture);
    this.#lastNs.set(capture, timeNs);
    if (last === undefined) return;
    const stepNs = timeNs - last;
    if (stepNs <= -CLOCK_STEP_NS) keepLargest(this.stepsBack, { capture, packet: number, stepNs });
    else if (stepNs >= SILENCE_NS) keepLargest(this.silences, { capture, packet: number, stepNs });
  }

  #countTunnel(frame: Frame): void {
    const kind = TUNNEL_KINDS[frame.tunnelKinds[0]];
    this.tunnels.set(kind, (this.tunnels.get(kind) ?? 0) + 1);
  }

  #segment(packet: Packet, frame: Frame): void {
    this.#segments += 1;
    if (frame.ipBytes > ORDINARY_IP_BYTES) this.longSegments += 1;
    if (frame.ipBytes > LARGEST_ETHERNET_IP_BYTES) this.oversizedSegments += 1;
    // A datagram put together from fragments is no longer in the packet's bytes.
    if (frame.bytes !== packet.bytes) return;
    const { bytes, ipOffset } = frame;
    const lengthAt = ipOffset + (frame.ipVersion === 4 ? 2 : 4);
    if (bytes[lengthAt] === 0 && bytes[lengthAt + 1] === 0) this.zeroLengths += 1;
    if (frame.end < frame.wireEnd) return;
    if (this.#segments > CHECKED_FIRST && this.#segments % CHECKED_EVERY !== 0) return;
    const { src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = frame;
    const words = [src0, src1, src2, src3, dst0, dst1, dst2, dst3];
    const holds = tcpChecksumHolds(bytes, frame.tcpOffset, frame.end, words);
    this.checkedSegments += 1;
    if (!holds) this.wrongChecksums += 1;
    const address = formatAddress(frame.ipVersion, src0, src1, src2, src3);
    let sender = this.senders.get(address);
    if (sender === undefined) {
      if (this.senders.size >= SENDERS) return;
      sender = { address, checked: 0, wrong: 0 };
      this.senders.set(address, sender);
    }
    sender.checked += 1;
    if (!holds) sender.wrong += 1;
  }
}

const STEPS = 5;
const QUIC_PORT = 443;

/** Keeps the STEPS with the largest size. */
function keepLargest(steps: ClockStep[], step: ClockStep): void {
  steps.push(step);
  steps.sort((a, b) => Math.abs(b.stepNs) - Math.abs(a.stepNs));
  if (steps.length > STEPS) steps.pop();
}

/** The frame of a UDP datagram that was not followed stands behind its ports. */
function isQuic(frame: Frame): boolean {
  return frame.srcPort === QUIC_PORT || frame.dstPort === QUIC_PORT;
}
