import { Decoder } from '../src/decode/decoder.ts';
import type { Frame } from '../src/decode/frame.ts';
import { formatAddress } from '../src/decode/tcp/endpoint.ts';
import { TUNNEL_KINDS } from '../src/model/exchange.ts';
import type { PacketReason } from '../src/model/ledger.ts';
import { LIMITS, type Limits } from '../src/model/limits.ts';
import { emptyPacket } from '../src/model/packet.ts';

/** What a frame was decoded to: `10.0.0.1:4000 > 10.0.0.2:80 seq 1 "payload"`, or the reason why it was not. */
export interface Decoded {
  readonly reason: PacketReason | null;
  /** Addresses and ports of the innermost TCP segment. */
  readonly ends: string;
  readonly payload: string;
  /** Payload bytes on the wire. */
  readonly wireBytes: number;
  readonly vlans: readonly number[];
  /** `vxlan 99`, `ipip`, outermost first. */
  readonly tunnels: readonly string[];
}

export interface DecodeOptions {
  linkType?: number;
  originalBytes?: number;
  timeNs?: number;
}

/** A decoder for tests; frames lie in the middle of a buffer of other bytes. */
export class DecoderFeed {
  readonly decoder: Decoder;
  readonly #packet = emptyPacket();
  #number = 0;

  constructor(choices: { limits?: Partial<Limits>; checksums?: boolean } = {}) {
    this.decoder = new Decoder({
      limits: { ...LIMITS, ...choices.limits },
      checksums: choices.checksums ?? false,
    });
  }

  decode(frame: Uint8Array, options: DecodeOptions = {}): Decoded {
    const bytes = new Uint8Array(frame.length + 64).fill(0x45);
    bytes.set(frame, 32);
    this.#number += 1;
    Object.assign(this.#packet, {
      bytes,
      start: 32,
      end: 32 + frame.length,
      originalBytes: options.originalBytes ?? frame.length,
      linkType: options.linkType ?? 1,
      // Far enough apart not to be taken for further sightings of one packet.
      timeNs: options.timeNs ?? this.#number * 2e9,
      number: this.#number,
    });
    const reason = this.decoder.decode(this.#packet);
    return describe(this.decoder.frame, reason);
  }
}

function describe(frame: Frame, reason: PacketReason | null): Decoded {
  const { ipVersion, src0, src1, src2, src3, dst0, dst1, dst2, dst3 } = frame;
  const from = formatAddress(ipVersion, src0, src1, src2, src3);
  const to = formatAddress(ipVersion, dst0, dst1, dst2, dst3);
  return {
    reason,
    ends: `${from}:${frame.srcPort} > ${to}:${frame.dstPort}`,
    payload: String.fromCharCode(...frame.bytes.subarray(frame.offset, Math.max(frame.offset, frame.end))),
    wireBytes: frame.wireEnd - frame.offset,
    vlans: [...frame.vlans.subarray(0, frame.vlanCount)],
    tunnels: Array.from({ length: frame.tunnelCount }, (_, index) => {
      const id = frame.tunnelIds[index] as number;
      return `${TUNNEL_KINDS[frame.tunnelKinds[index] as number]}${id < 0 ? '' : ` ${id}`}`;
    }),
  };
}

export function decodeOne(frame: Uint8Array, options: DecodeOptions = {}): Decoded {
  return new DecoderFeed().decode(frame, options);
}

/** Reasons that a cut frame may be given. */
const CUT_REASONS = new Set<PacketReason>(['truncated', 'malformed', 'udp', 'other-network']);

/**
 * Cuts the frame before each of its header bytes, by the snaplen and on the wire. Returns what came out wrong: a
 * segment made of a header that is not there, or a reason that does not fit.
 */
export function cutComplaints(frame: Uint8Array, headerBytes: number, linkType: number): string[] {
  const wrong: string[] = [];
  for (let length = 0; length < headerBytes; length += 1) {
    for (const originalBytes of [frame.length, length]) {
      const { reason } = decodeOne(frame.subarray(0, length), { linkType, originalBytes });
      if (reason === null || !CUT_REASONS.has(reason)) wrong.push(`${length} of ${originalBytes}: ${reason}`);
    }
  }
  return wrong;
}
