import type { Limits } from '../../model/limits.ts';
import type { Frame } from '../frame.ts';
import { PendingSegments } from '../tcp/pending.ts';

interface Datagram {
  pieces: PendingSegments;
  /** Length of the whole payload, known once the last fragment is there. */
  totalBytes: number | null;
  firstNs: number;
  packets: number;
  protocol: number;
}

/** What a datagram costs beside its pieces, for the budget. */
const DATAGRAM_BYTES = 512;

/** What became of fragments that are given up; the ledger moves them from one reason to another. */
export interface GivenUp {
  datagrams: number;
  packets: number;
}

/**
 * Puts IP datagrams together (RFC 791 §3.2, RFC 8200 §4.5). Where fragments overlap, the first one seen wins.
 * Bounded in datagrams, bytes and capture time; what is given up is reported through `takeGivenUp`.
 */
export class FragmentTable {
  readonly #limits: Limits;
  readonly #datagrams = new Map<string, Datagram>();
  #heldBytes = 0;
  #givenUp: GivenUp = { datagrams: 0, packets: 0 };

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /**
   * Takes the fragment at the frame's cursor. True: the datagram is whole, and the frame now stands at the
   * beginning of its payload, in a buffer of its own, with `frame.protocol` set.
   */
  add(frame: Frame): boolean {
    this.#expire(frame.timeNs);
    const key = `${frame.ipVersion} ${frame.src0} ${frame.src1} ${frame.src2} ${frame.src3} ${frame.dst0} ${frame.dst1} ${frame.dst2} ${frame.dst3} ${frame.fragmentId} ${frame.ipVersion === 4 ? frame.protocol : ''}`;
    let datagram = this.#datagrams.get(key);
    if (datagram === undefined) {
      datagram = {
        pieces: new PendingSegments(),
        totalBytes: null,
        firstNs: frame.timeNs,
        packets: 0,
        protocol: frame.protocol,
      };
      this.#datagrams.set(key, datagram);
      this.#heldBytes += DATAGRAM_BYTES;
    }
    this.#addPiece(datagram, frame);
    datagram.packets += 1;
    if (frame.fragmentOffset === 0) datagram.protocol = frame.protocol;
    if (!frame.moreFragments && datagram.totalBytes === null) {
      datagram.totalBytes = frame.fragmentOffset + Math.max(0, frame.wireEnd - frame.offset);
    }
    const whole = this.#assemble(datagram);
    if (whole === null) {
      this.#shrink();
      return false;
    }
    this.#forget(key, datagram);
    frame.bytes = whole.bytes;
    frame.offset = 0;
    frame.end = whole.captured;
    frame.wireEnd = whole.bytes.length;
    frame.protocol = datagram.protocol;
    return true;
  }

  /** Fragments given up since the last call. */
  takeGivenUp(): GivenUp {
    const result = this.#givenUp;
    this.#givenUp = { datagrams: 0, packets: 0 };
    return result;
  }

  /** Gives up everything that is still incomplete, at the end of a run. */
  clear(): void {
    for (const key of [...this.#datagrams.keys()]) this.#giveUp(key);
  }

  #addPiece(datagram: Datagram, frame: Frame): void {
    const wireBytes = frame.wireEnd - frame.offset;
    if (wireBytes <= 0) return;
    const before = datagram.pieces.heldBytes;
    datagram.pieces.add({
      offset: frame.fragmentOffset,
      bytes: frame.bytes.slice(frame.offset, Math.max(frame.offset, frame.end)),
      wireBytes,
      timeNs: frame.timeNs,
      packet: 0,
      capture: 0,
      ackOffset: -1,
      arrival: 0,
    });
    this.#heldBytes += datagram.pieces.heldBytes - before;
  }

  #forget(key: string, datagram: Datagram): void {
    this.#datagrams.delete(key);
    this.#heldBytes -= DATAGRAM_BYTES + datagram.pieces.heldBytes;
  }

  /** The whole payload and how much of it, from the front, is captured; null: pieces are missing. */
  #assemble(datagram: Datagram): { bytes: Uint8Array; captured: number } | null {
    const total = datagram.totalBytes;
    // Pieces do not overlap, so together they must be as long as the whole.
    if (total === null || datagram.pieces.wireBytes < total) return null;
    const bytes = new Uint8Array(total);
    let captured = total;
    let reach = 0;
    for (const piece of datagram.pieces) {
      if (piece.offset > reach || piece.offset >= total) break;
      reach = piece.offset + piece.wireBytes;
      bytes.set(piece.bytes.subarray(0, total - piece.offset), piece.offset);
      if (piece.bytes.length < piece.wireBytes)
        captured = Math.min(captured, piece.offset + piece.bytes.length);
    }
    return reach < total ? null : { bytes, captured };
  }

  #expire(nowNs: number): void {
    const oldestNs = nowNs - this.#limits.fragmentTimeoutMs * 1e6;
    for (const [key, datagram] of this.#datagrams) {
      if (datagram.firstNs > oldestNs) break;
      this.#giveUp(key);
    }
  }

  #shrink(): void {
    while (
      this.#datagrams.size > this.#limits.fragmentedDatagrams ||
      this.#heldBytes > this.#limits.fragmentBytes
    ) {
      const oldest = this.#datagrams.keys().next();
      if (oldest.done === true) return;
      this.#giveUp(oldest.value);
    }
  }

  #giveUp(key: string): void {
    const datagram = this.#datagrams.get(key);
    if (datagram === undefined) return;
    this.#forget(key, datagram);
    this.#givenUp.datagrams += 1;
    this.#givenUp.packets += datagram.packets;
  }
}
