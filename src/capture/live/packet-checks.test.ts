import { describe, expect, it } from 'vitest';
import { asRing, type RingPacket, ringBlock } from '../../../test/ring-block.ts';
import { PacketChecks } from './packet-checks.ts';
import { BlockWalker } from './tpacket.ts';

const packet = (interfaceIndex: number, hardwareType: number, packetType: number): RingPacket => ({
  seconds: 0,
  nanoseconds: 0,
  bytes: Uint8Array.of(1),
  macOffset: 96,
  interfaceIndex,
  hardwareType,
  packetType,
});
/** [interface, hardware type, packet type]: 772 is loopback, 4 outgoing. */
const BLOCK = ringBlock([packet(1, 772, 0), packet(1, 772, 4), packet(2, 1, 4), packet(3, 1, 0)], 4096);

function kept(checks: PacketChecks): number[] {
  const walker = new BlockWalker(asRing(BLOCK));
  walker.begin(0, 4096);
  const found = [];
  while (walker.step()) if (!checks.unwanted(walker)) found.push(walker.interfaceIndex);
  return found;
}

describe('packets where the kernel does not filter', () => {
  it('are kept but for the outgoing copies on the loopback, which are counted', () => {
    const checks = new PacketChecks(false);
    expect(kept(checks)).toEqual([1, 2, 3]);
    expect(checks.loopbackCopies).toBe(1);
  });

  it('are kept of the named interfaces only, under all the indexes that they had', () => {
    const checks = new PacketChecks(true);
    expect(kept(checks)).toEqual([]);
    checks.add([3]);
    expect(kept(checks)).toEqual([3]);
    checks.add([2]);
    expect(kept(checks)).toEqual([2, 3]);
  });
});
