import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asRing, type RingPacket, ringBlock } from '../../../test/ring-block.ts';
import { restoreEthernetTag, writeByBytes, writeCookedHeader } from './cooked-header.ts';
import { BlockWalker } from './tpacket.ts';

const BLOCK_BYTES = 4096;

function at(packet: RingPacket): BlockWalker {
  const walker = new BlockWalker(asRing(ringBlock([packet], BLOCK_BYTES)));
  walker.begin(0, BLOCK_BYTES);
  expect(walker.step()).toBe(true);
  return walker;
}
const hex = (walker: BlockWalker, start: number): string =>
  Buffer.from(walker.bytes.subarray(start, walker.end)).toString('hex');
const packet = (more: Partial<RingPacket>): RingPacket => ({
  seconds: 1,
  nanoseconds: 2,
  bytes: Uint8Array.of(0x45, 0xaa, 0xbb),
  macOffset: 96,
  interfaceIndex: 0x01020304,
  hardwareType: 0xfffe,
  packetType: 4,
  protocol: 0x86dd,
  sender: [0xde, 0xad, 0xbe, 0xef, 0, 1],
  ...more,
});

describe('the header of a cooked packet', () => {
  it('says protocol, interface, hardware type, packet type and sender, in network order', () => {
    const walker = at(packet({}));
    expect(hex(walker, writeCookedHeader(walker))).toBe(
      '86dd0000' + '01020304' + 'fffe0406' + 'deadbeef00010000' + '45aabb',
    );
  });

  it('brings a VLAN tag back: its protocol first, then tag and the protocol of the packet', () => {
    const walker = at(packet({ vlan: { tci: 0x6064, tpid: 0x88a8 } }));
    const tagged = '88a80000' + '01020304' + 'fffe0406' + 'deadbeef00010000' + '606486dd' + '45aabb';
    expect(hex(walker, writeCookedHeader(walker))).toBe(tagged);
  });

  it('says of a second tag, still in the packet, what the kernel leaves out', () => {
    const bytes = Buffer.from('00070800' + '4500001c', 'hex');
    const walker = at(packet({ bytes, protocol: 0x0800, vlan: { tci: 0x0064, tpid: 0x88a8 } }));
    const tagged =
      '88a80000' + '01020304' + 'fffe0406' + 'deadbeef00010000' + '00648100' + '00070800' + '4500001c';
    expect(hex(walker, writeCookedHeader(walker))).toBe(tagged);
  });

  it('takes an IP packet for what it is, whatever its first bytes are', () => {
    const plain = Buffer.alloc(2048);
    plain.set(Buffer.from('4500' + '0800' + '4142', 'hex'));
    const walker = at(packet({ bytes: plain, protocol: 0x0800 }));
    expect(hex(walker, writeCookedHeader(walker)).slice(0, 4)).toBe('0800');
  });

  it('is the same word by word and byte by byte, wherever the packet begins', () => {
    const some = fc.record({
      bytes: fc.uint8Array({ maxLength: 100 }),
      macOffset: fc.constantFrom(68, 72, 96, 97, 98, 111, 112),
      interfaceIndex: fc.integer({ min: 0, max: 0x7fff_ffff }),
      hardwareType: fc.nat(0xffff),
      packetType: fc.nat(255),
      protocol: fc.nat(0xffff),
      sender: fc.array(fc.nat(255), { minLength: 8, maxLength: 8 }),
    });
    const property = fc.property(some, (given) => {
      const one = at(packet(given));
      const other = at(packet(given));
      expect(hex(one, writeCookedHeader(one))).toBe(hex(other, writeByBytes(other)));
    });
    void fc.assert(property);
  });
});

describe('a VLAN tag that the kernel took off', () => {
  const addresses = '020000000002020000000001';
  const frame = Buffer.from(`${addresses}080045aabb`, 'hex');

  it('comes back behind the addresses of an Ethernet frame', () => {
    const walker = at(packet({ bytes: frame, macOffset: 82, vlan: { tci: 0x6064, tpid: 0x88a8 } }));
    expect(hex(walker, restoreEthernetTag(walker))).toBe(`${addresses}88a86064080045aabb`);
  });

  it('is one of 802.1Q where the kernel does not name its protocol', () => {
    const walker = at(packet({ bytes: frame, macOffset: 82, vlan: { tci: 5 } }));
    expect(hex(walker, restoreEthernetTag(walker))).toBe(`${addresses}81000005080045aabb`);
  });

  it('has no place in a frame that was cut within its addresses', () => {
    const bytes = frame.subarray(0, 11);
    const walker = at(packet({ bytes, macOffset: 82, vlan: { tci: 5 } }));
    expect(restoreEthernetTag(walker)).toBe(walker.start);
  });
});
