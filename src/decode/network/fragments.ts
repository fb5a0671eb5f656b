import type { Limits } from '../../model/limits.ts';
import type { Frame } from '../frame.ts';

interface Piece {
  offset: number;
  bytes: Uint8Array;
  /** Bytes on the wire; more than `bytes.length` where the snaplen cut. */
  wireBytes: number;
}

interface Datagram {
  pieces: Piece[];
  /** Length of the whole payload, known once the last fragment is there. */
  totalBytes: number | null;
  heldBytes: number;
  firstNs: number;
  packets: number;
  protocol: number;
}

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
        pieces: [],
        totalBytes: null,
        heldBytes: 0,
        firstNs: frame.timeNs,
        packets: 0,
        protocol: frame.protocol,
      };
      this.#datagrams.set(key, datagram);
    }
    const captured = frame.bytes.slice(frame.offset, Math.max(frame.offset, frame.end));
    const wireBytes = Math.max(0, frame.wireEnd - frame.offset);
    datagram.pieces.push({ offset: frame.fragmentOffset, bytes: captured, wireBytes });
    datagram.heldBytes += captured.length;
    datagram.packets += 1;
    this.#heldBytes += captured.length;
    if (frame.fragmentOffset === 0) datagram.protocol = frame.protocol;
    if (!frame.moreFragments && datagram.totalBytes === null) {
      datagram.totalBytes = frame.fragmentOffset + wireBytes;
    }
    const whole = this.#assemble(datagram);
    if (whole === null) {
      this.#shrink();
      return false;
    }
    this.#datagrams.delete(key);
    this.#heldBytes -= datagram.heldBytes;
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

  #assemble(datagram: Datagram): { bytes: Uint8Array; captured: number } | null {
    const total = datagram.totalBytes;
    if (total === null) return null;
    const order = datagram.pieces.map((piece, index) => ({ piece, index }));
    order.sort((a, b) => a.piece.offset - b.piece.offset || a.index - b.index);
    let reach = 0;
    for (const { piece } of order) {
      if (piece.offset > reach) return null;
      reach = Math.max(reach, piece.offset + piece.wireBytes);
    }
    if (reach < total) return null;
    const bytes = new Uint8Array(total);
    let captured = total;
    // Later fragments first, so that the first one seen has the last word.
    for (let index = datagram.pieces.length - 1; index >= 0; index -= 1) {
      const piece = datagram.pieces[index];
      if (piece.offset >= total) continue;
      bytes.set(piece.bytes.subarray(0, total - piece.offset), piece.offset);
      if (piece.bytes.length < piece.wireBytes) captured = Math.min(captured, piece.offset + piece.bytes.length);
    }
    return { bytes, captured };
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
    this.#datagrams.delete(key);
    this.#heldBytes -= datagram.heldBytes;
    this.#givenUp.datagrams += 1;
    this.#givenUp.packets += datagram.packets;
  }
}
