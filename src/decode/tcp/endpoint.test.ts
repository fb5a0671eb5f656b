import { isIPv6, SocketAddress } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBytes } from '../../../fixtures/build/packets.ts';
import { i32 } from '../bytes.ts';
import { endpoint, formatAddress } from './endpoint.ts';

function formatIpv6(bytes: Uint8Array): string {
  return formatAddress(6, i32(bytes, 0), i32(bytes, 4), i32(bytes, 8), i32(bytes, 12));
}

describe('address text', () => {
  // RFC 5952 §4 and §5.
  it.each([
    ['2001:db8:0:0:0:0:0:1', '2001:db8::1'],
    ['2001:0db8:0000:0000:0001:0000:0000:0001', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['2001:DB8:0:0:0:0:2:1', '2001:db8::2:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['fe80:0:0:0:0:0:0:0', 'fe80::'],
    ['0:0:0:0:0:ffff:a00:1', '::ffff:10.0.0.1'],
    ['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
    ['1:0:0:2:0:0:3:4', '1::2:0:0:3:4'],
  ])('%s is %s', (long, short) => {
    expect(formatIpv6(addressBytes(long.toLowerCase()))).toBe(short);
  });

  it('is what Node makes of the same bytes', () => {
    const group = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.integer({ min: 0, max: 0xffff }));
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const bytes = Uint8Array.from(groups.flatMap((value) => [value >> 8, value & 255]));
        const text = formatIpv6(bytes);
        expect(isIPv6(text)).toBe(true);
        const colons = groups.map((value) => value.toString(16)).join(':');
        const node = new SocketAddress({ address: colons, family: 'ipv6' }).address;
        // inet_ntop writes ::1.2.3.4 for the deprecated IPv4-compatible addresses; RFC 5952 does not ask for it.
        if (groups.slice(0, 6).some((value) => value !== 0)) expect(text).toBe(node);
      }),
      { numRuns: 500 },
    );
  });

  it('has brackets around IPv6 where a port follows', () => {
    expect(endpoint(4, 0xc0a80001 | 0, 0, 0, 0, 443)).toEqual({
      address: '192.168.0.1',
      port: 443,
      text: '192.168.0.1:443',
    });
    expect(endpoint(6, 0, 0, 0, 1, 80).text).toBe('[::1]:80');
    expect(formatAddress(4, -1, 0, 0, 0)).toBe('255.255.255.255');
  });
});
