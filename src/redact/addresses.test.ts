import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fuzzRuns } from '../../test/pipeline-run.ts';
import { AddressMap } from './addresses.ts';
import { RedactionKey } from './key.ts';

const mapOf = (key: string): AddressMap => new AddressMap(new RedactionKey(Buffer.from(key)));
const ipv4 = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255)).map((octets) => octets.join('.'));
const group = fc.oneof(fc.constant(0), fc.nat(15), fc.nat(255), fc.nat(0xffff));
const ipv6 = fc.array(group, { minLength: 8, maxLength: 8 });
const textOf = (groups: readonly number[]): string => groups.map((one) => one.toString(16)).join(':');
const first = (text: string, octets: number): string => text.split('.').slice(0, octets).join('.');

describe('IPv4 addresses', () => {
  it('keep the length of their text, and never become one', () => {
    const map = mapOf('k');
    fc.assert(
      fc.property(ipv4, ipv4, (a, b) => {
        const [left, right] = [map.text(a) as string, map.text(b) as string];
        expect(left).toHaveLength(a.length);
        expect(left === right).toBe(a === b);
        for (const octets of [1, 2, 3]) {
          expect(first(left, octets) === first(right, octets)).toBe(first(a, octets) === first(b, octets));
        }
      }),
      { numRuns: fuzzRuns(2000) },
    );
  });

  it('are one to one in whole networks', () => {
    const map = mapOf('k');
    for (const network of ['10.1.2', '192.168.0', '172.16.9', '203.0.113', '8.8.8', '100.64.0']) {
      const seen = new Set(Array.from({ length: 256 }, (_, last) => map.text(`${network}.${last}`)));
      expect(seen.size).toBe(256);
    }
    const firsts = new Set(
      Array.from({ length: 256 }, (_, octet) => map.text(`${octet}.9.9.9`)?.split('.')[0]),
    );
    expect(firsts.size).toBe(256);
  });

  it.each([
    ['10.1.2.3', /^10\./],
    ['192.168.7.8', /^192\.168\./],
    ['172.20.1.1', /^172\.(1[6-9]|2\d|3[01])\./],
    ['100.100.1.1', /^100\.(1[01]\d|12[0-7])\./],
    ['192.0.2.44', /^192\.0\.2\./],
    ['127.0.0.1', /^127\.0\.0\.1$/],
    ['169.254.9.9', /^169\.254\.9\.9$/],
    ['224.0.0.251', /^224\.0\.0\.251$/],
    ['255.255.255.255', /^255\.255\.255\.255$/],
    ['0.0.0.0', /^0\.0\.0\.0$/],
    ['10.1.2.255', /\.255$/],
  ])('%s stays recognisable', (address, expected) => {
    for (const key of ['a', 'b', 'c']) expect(mapOf(key).text(address)).toMatch(expected);
  });

  it('outside of private networks become neither private nor special', () => {
    const special =
      /^(0|10|127|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])|169\.254|172\.(1[6-9]|2\d|3[01])|192\.168|2(2[4-9]|[345]\d))\./;
    const map = mapOf('k');
    fc.assert(
      fc.property(ipv4, (address) => {
        fc.pre(!special.test(address));
        expect(map.text(address)).not.toMatch(special);
      }),
      { numRuns: fuzzRuns(2000) },
    );
  });

  it('depend on the key, and on nothing else', () => {
    expect(mapOf('one').text('93.184.216.34')).toBe(mapOf('one').text('93.184.216.34'));
    const pseudonyms = new Set(['a', 'b', 'c', 'd'].map((key) => mapOf(key).text('93.184.216.34')));
    expect(pseudonyms.size).toBeGreaterThan(1);
  });
});

describe('IPv6 addresses', () => {
  it('keep the length of their text, zeros and prefixes, and never become one', () => {
    const map = mapOf('k');
    fc.assert(
      fc.property(ipv6, ipv6, fc.nat(7), (a, other, shared) => {
        const b = [...a.slice(0, shared), ...other.slice(shared)];
        const [left, right] = [map.text(textOf(a)) as string, map.text(textOf(b)) as string];
        expect(left).toHaveLength(textOf(a).length);
        if (a[0] !== 0xff02) {
          expect(left === right).toBe(textOf(a) === textOf(b));
          expect(left.split(':').slice(0, shared)).toEqual(right.split(':').slice(0, shared));
        }
        expect(left.split(':').map((one) => one === '0')).toEqual(a.map((one) => one === 0));
      }),
      { numRuns: fuzzRuns(2000) },
    );
  });

  it.each([
    ['::1', /^::1$/],
    ['::', /^::$/],
    ['fe80::1:2', /^fe80::[1-9a-f]:[1-9a-f]$/],
    ['fd00:1234::5', /^fd[0-9a-f]{2}:[0-9a-f]{4}::[1-9a-f]$/],
    ['2001:db8::8', /^2001:db8::[1-9a-f]$/],
    ['2001:DB8::AB', /^2001:DB8::[1-9A-F][0-9A-F]$/],
    ['ff02::fb', /^ff02::fb$/],
    ['::ffff:127.0.0.1', /^::ffff:127\.0\.0\.1$/],
  ])('%s stays recognisable', (address, expected) => {
    expect(mapOf('k').text(address)).toMatch(expected);
  });

  it('mapped from IPv4 become what the IPv4 address becomes', () => {
    expect(mapOf('k').text('::ffff:93.184.216.34')).toBe(`::ffff:${mapOf('k').text('93.184.216.34')}`);
  });

  it('are the same in bytes as in text', () => {
    const map = mapOf('k');
    fc.assert(
      fc.property(ipv6, (groups) => {
        const from = Uint8Array.from(groups.flatMap((one) => [one >>> 8, one & 255]));
        const to = new Uint8Array(16);
        map.copyIpv6(from, to, 0);
        const shown = Array.from({ length: 8 }, (_, at) =>
          (((to[at * 2] as number) << 8) | (to[at * 2 + 1] as number)).toString(16),
        );
        expect(shown.join(':')).toBe(map.text(textOf(groups)));
      }),
    );
  });
});

describe('text that is no address', () => {
  it.each([
    '',
    'a.b.c.d',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '01.2.3.4',
    ':',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    'dead',
    'a::b::c',
    '1::2:3:4:5:6:7:8',
    '::1.2.3',
    'g::1',
  ])('%j', (text) => {
    expect(mapOf('k').text(text)).toBeNull();
  });
});

describe('hardware addresses', () => {
  const mac = fc.uint8Array({ minLength: 6, maxLength: 6 });
  const mapped = (map: AddressMap, bytes: Uint8Array): Buffer => {
    const to = Buffer.alloc(6);
    map.copyMac(bytes, to, 0);
    return to;
  };

  it('keep their group and local bits and never become one', () => {
    const map = mapOf('k');
    fc.assert(
      fc.property(mac, mac, (a, b) => {
        const [left, right] = [mapped(map, a), mapped(map, b)];
        expect((left[0] as number) & 3).toBe((a[0] as number) & 3);
        if (a[0] !== 0x33 || b[0] !== 0x33) expect(left.equals(right)).toBe(Buffer.from(a).equals(b));
      }),
      { numRuns: fuzzRuns(500) },
    );
  });

  it('do not keep the manufacturer', () => {
    const makers = new Set(
      ['a', 'b', 'c'].map((key) =>
        mapped(mapOf(key), Uint8Array.of(0, 0x1b, 0x21, 1, 2, 3)).toString('hex', 0, 3),
      ),
    );
    expect(makers.size).toBe(3);
  });

  it('of everybody stays', () => {
    expect(mapped(mapOf('k'), new Uint8Array(6).fill(255)).toString('hex')).toBe('ffffffffffff');
  });

  it('of a solicited node goes with the address of the node group', () => {
    const map = mapOf('k');
    const address = (map.text('ff02::1:ff12:3456') as string).replaceAll(':', '');
    expect(
      mapped(map, Uint8Array.of(0x33, 0x33, 0xff, 0x12, 0x34, 0x56))
        .toString('hex', 3)
        .slice(-4),
    ).toBe(address.slice(-4));
    expect(map.text('ff02::1:ff12:3456')).not.toContain('3456');
  });
});

it('addresses stay when asked for', () => {
  const map = new AddressMap(RedactionKey.random(), true);
  expect(map.text('93.184.216.34')).toBe('93.184.216.34');
  expect(map.text('2a00:1450::1')).toBe('2a00:1450::1');
});
