import type { Frame } from '../decode/frame.ts';
import { distance } from '../decode/tcp/sequence.ts';
import type { StreamPlace } from './packet-rewriter.ts';

/** Flows remembered; the oldest is forgotten first. */
const FLOWS = 131_072;

interface Flow {
  place: StreamPlace;
  seq: number;
}

/**
 * Where the last segment of every flow stood: a packet that was seen before on another interface is not told as a
 * segment again, but stands in the same stream.
 */
export class FlowMemory {
  readonly #flows = new Map<string, Flow>();

  note(frame: Frame, place: StreamPlace): void {
    const key = keyOf(frame);
    const flow = this.#flows.get(key);
    if (flow !== undefined) {
      flow.place = place;
      flow.seq = frame.seq;
      return;
    }
    if (this.#flows.size >= FLOWS) {
      const oldest = this.#flows.keys().next();
      if (oldest.done !== true) this.#flows.delete(oldest.value);
    }
    this.#flows.set(key, { place, seq: frame.seq });
  }

  /** The place of the payload of this segment, or null. */
  placeOf(frame: Frame): StreamPlace | null {
    const flow = this.#flows.get(keyOf(frame));
    if (flow === undefined) return null;
    const { connection, direction, offset } = flow.place;
    return { connection, direction, offset: offset + distance(flow.seq, frame.seq) };
  }
}

function keyOf(frame: Frame): string {
  const { src0, src1, src2, src3, dst0, dst1, dst2, dst3, srcPort, dstPort } = frame;
  const addresses =
    frame.ipVersion === 4
      ? `${src0} ${dst0}`
      : `${src0} ${src1} ${src2} ${src3} ${dst0} ${dst1} ${dst2} ${dst3}`;
  return `${addresses} ${srcPort} ${dstPort}`;
}
