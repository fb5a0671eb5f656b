import type { Packet } from '../model/packet.ts';

/** More packets than any capture has. */
const CAPTURE_STEP = 2 ** 40;

/** One number for a packet of the run. */
export function packetKey(packet: Packet): number {
  return packet.capture * CAPTURE_STEP + packet.number;
}
