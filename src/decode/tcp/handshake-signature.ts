import { i32 } from '../bytes.ts';
import type { Frame } from '../frame.ts';

const OPTIONS_AT = 20;
const OPTION = { end: 0, padding: 1, mss: 2, timestamps: 8 } as const;
const TIMESTAMPS_BYTES = 10;

/**
 * What address translation leaves of a segment's options (RFC 9293 §3.1, RFC 7323 §3): the time stamps, and a hash of
 * the others in their order. The MSS is left out, for routers lower it. Filled by `readSignature`, reused.
 */
export interface OptionSignature {
  hasTimestamps: boolean;
  stamp: number;
  echo: number;
  others: number;
}

export const signature: OptionSignature = { hasTimestamps: false, stamp: 0, echo: 0, others: 0 };

/** Reads the options of the segment at which `frame` stands into `signature`. Options that the snaplen cut are none. */
export function readSignature(frame: Frame): OptionSignature {
  const { bytes } = frame;
  const end = Math.min(frame.offset, frame.end);
  signature.hasTimestamps = false;
  signature.stamp = 0;
  signature.echo = 0;
  let others = 0;
  for (let at = frame.tcpOffset + OPTIONS_AT; at < end; ) {
    const kind = bytes[at];
    if (kind === OPTION.end) break;
    if (kind === OPTION.padding) {
      at += 1;
      continue;
    }
    const length = at + 1 < end ? bytes[at + 1] : 0;
    if (length < 2 || at + length > end) break;
    if (kind === OPTION.timestamps && length === TIMESTAMPS_BYTES) {
      signature.hasTimestamps = true;
      signature.stamp = i32(bytes, at + 2);
      signature.echo = i32(bytes, at + 6);
    } else if (kind !== OPTION.mss) {
      for (let index = 0; index < length; index += 1)
        others = Math.imul(others ^ bytes[at + index], 0x01000193);
    }
    at += length;
  }
  signature.others = others;
  return signature;
}
