import * as fc from 'fast-check';
import type { RecordedPacket } from '../fixtures/build/capture-file.ts';

/** 2023-11-14T22:13:20Z. */
export const START_NS = 1_700_000_000_000_000_000n;

export interface PacketArbitraryOptions {
  /** Times are multiples of this. */
  readonly unitNs?: bigint;
  /** In time order, as most captures are. */
  readonly sorted?: boolean;
  readonly maxLength?: number;
  readonly minLength?: number;
}

/** Short captures with frames of 0 to 200 bytes within some minutes. */
export function recordedPackets(options: PacketArbitraryOptions = {}): fc.Arbitrary<RecordedPacket[]> {
  const unitNs = options.unitNs ?? 1n;
  const packet = fc.record({
    sinceStart: fc.bigInt({ min: 0n, max: 300_000_000_000n / unitNs }),
    frame: fc.uint8Array({ maxLength: 200 }),
    cutBytes: fc.oneof(fc.constant(0), fc.nat(2000)),
  });
  const limits = { minLength: options.minLength ?? 0, maxLength: options.maxLength ?? 12 };
  return fc.array(packet, limits).map((packets) => {
    const recorded = packets.map(({ sinceStart, frame, cutBytes }) => ({
      timeNs: START_NS + sinceStart * unitNs,
      frame,
      originalBytes: frame.length + cutBytes,
    }));
    if (options.sorted === true)
      recorded.sort((a, b) => (a.timeNs < b.timeNs ? -1 : a.timeNs > b.timeNs ? 1 : 0));
    return recorded;
  });
}
