import { describe, expect, it } from 'vitest';
import { seededRandom } from '../../fixtures/build/transform.ts';
import { Frame } from './frame.ts';
import { Sightings } from './sightings.ts';

interface Look {
  seq?: number;
  ack?: number;
  flags?: number;
  window?: number;
  checksum?: number;
  ipId?: number;
  src0?: number;
  srcPort?: number;
  payloadBytes?: number;
  timeNs?: number;
  ipVersion?: number;
}

function look(parts: Look = {}): Frame {
  const frame = new Frame();
  frame.begin(new Uint8Array(0), 0, 0, parts.payloadBytes ?? 100, parts.timeNs ?? 0);
  frame.ipVersion = parts.ipVersion ?? 4;
  frame.src0 = parts.src0 ?? 0x0a000001;
  frame.dst0 = 0x0a000002;
  frame.srcPort = parts.srcPort ?? 4000;
  frame.dstPort = 80;
  frame.seq = parts.seq ?? 1;
  frame.ack = parts.ack ?? 2;
  frame.flags = parts.flags ?? 0x10;
  frame.window = parts.window ?? 500;
  frame.checksum = parts.checksum ?? 0x1234;
  frame.ipId = parts.ipId ?? 77;
  return frame;
}

const MS = 1e6;

describe('a packet seen again', () => {
  it.each([
    ['on another interface, at once', {}, 1, 0, true],
    ['on another interface, 900 ms later', {}, 1, 900 * MS, true],
    ['on another interface, earlier by its clock', {}, 1, -5 * MS, true],
    ['on another interface, 2 s later', {}, 1, 2000 * MS, false],
    ['on the same interface 1 ms later, with an identification', {}, 0, MS, true],
    ['on the same interface 50 ms later, with an identification', {}, 0, 50 * MS, false],
    ['on the same interface 1 ms later, without an identification', { ipId: 0 }, 0, MS, false],
    ['on the same interface 50 µs later, without an identification', { ipId: 0 }, 0, 0.05 * MS, true],
    ['on the same interface 1 ms later, IPv6', { ipVersion: 6 }, 0, MS, false],
  ] as const)('%s', (_name, parts, interfaceNumber, laterNs, again) => {
    const sightings = new Sightings();
    expect(sightings.seenBefore(look(parts), 0)).toBe(false);
    expect(sightings.seenBefore(look({ ...parts, timeNs: laterNs }), interfaceNumber)).toBe(again);
  });

  it.each<[string, Look]>([
    ['sequence number', { seq: 2 }],
    ['acknowledgement', { ack: 3 }],
    ['flags', { flags: 0x18 }],
    ['window', { window: 501 }],
    ['checksum', { checksum: 0x1235 }],
    ['identification (a retransmission)', { ipId: 78 }],
    ['address', { src0: 0x0a000003 }],
    ['port', { srcPort: 4001 }],
    ['length', { payloadBytes: 101 }],
  ])('is another one when its %s differs', (_name, parts) => {
    const sightings = new Sightings();
    sightings.seenBefore(look(), 0);
    expect(sightings.seenBefore(look(parts), 1)).toBe(false);
  });

  it('is not confused with different packets, of which there are millions', () => {
    const sightings = new Sightings();
    const random = seededRandom(1);
    const frame = look();
    let confused = 0;
    for (let n = 0; n < 3_000_000; n += 1) {
      frame.seq = (random() * 2 ** 32) | 0;
      frame.ack = (random() * 2 ** 32) | 0;
      frame.checksum = (random() * 65_536) | 0;
      frame.ipId = n & 0xffff;
      frame.srcPort = 1024 + ((random() * 60_000) | 0);
      frame.timeNs = n * 300;
      if (sightings.seenBefore(frame, n & 1)) confused += 1;
    }
    expect(confused).toBe(0);
  });
});
