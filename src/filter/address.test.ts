import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { networkTest, parseNetwork } from './address.ts';

const isIn = (address: string, ...networks: string[]): boolean =>
  networkTest(
    networks.map((one) => {
      const network = parseNetwork(one);
      if (network === null) throw new Error(one);
      return network;
    }),
  )(address);

describe('a network', () => {
  it('holds the addresses that Node finds in it', () => {
    const network = fc.oneof(
      fc.tuple(fc.ipV4(), fc.nat(32), fc.constant('ipv4' as const)),
      fc.tuple(
        fc.ipV6().filter((text) => !/^(0*:)*(:|0+:)*f{4}:/i.test(text)),
        fc.nat(128),
        fc.constant('ipv6' as const),
      ),
    );
    fc.assert(
      fc.property(network, fc.oneof(fc.ipV4(), fc.ipV6()), ([address, bits, version], other) => {
        const list = new BlockList();
        list.addSubnet(address, bits, version);
        for (const tried of [address, other]) {
          const family = isIP(tried) === 4 ? 'ipv4' : 'ipv6';
          if (version === 'ipv4' && family === 'ipv6') continue;
          expect(isIn(tried, `${address}/${bits}`), `${tried} in ${address}/${bits}`).toBe(
            family === version && list.check(tried, family),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it('knows IPv4 inside IPv6 by both names', () => {
    expect(isIn('::ffff:10.1.2.3', '10.0.0.0/8')).toBe(true);
    expect(isIn('::ffff:a01:203', '10.0.0.0/8')).toBe(true);
    expect(isIn('10.1.2.3', '::ffff:10.0.0.0/104')).toBe(true);
    expect(isIn('10.1.2.3', '::ffff:11.0.0.0/104')).toBe(false);
    expect(isIn('::ffff:10.1.2.3', '::/0')).toBe(true);
    expect(isIn('10.1.2.3', '::/0')).toBe(false);
    expect(isIn('0.0.0.0', '0.0.0.0/0')).toBe(true);
  });

  it('is written in its shortest form, which reads as the same', () => {
    for (const [text, short] of [
      ['10.1.2.3/8', '10.0.0.0/8'],
      ['10.1.2.3/32', '10.1.2.3'],
      ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
      ['::/0', '::/0'],
      ['fe80::1/64', 'fe80::/64'],
      ['1:2:3:4:5:6:7:8', '1:2:3:4:5:6:7:8'],
      ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ] as const) {
      expect(parseNetwork(text)?.text, text).toBe(short);
      expect(parseNetwork(short), text).toEqual(parseNetwork(text));
    }
  });

  it('is refused where it could be misread', () => {
    for (const text of [
      '',
      '10',
      '10.0.0',
      '010.0.0.1',
      '256.0.0.1',
      '10.0.0.1/',
      '10.0.0.1/33',
      '::/129',
      '1::2::3',
      ':::',
      '1:2:3:4:5:6:7',
      '1:2:3:4:5:6:7:8:9',
      '1::2:3:4:5:6:7:8',
      '12345::',
      'fe80::1%eth0',
      '10.0.0.1:80',
      '[::1]',
      '1.2.3.4::',
      '::1.2.3.4:1',
      '10.0.0.1/-1',
      '10.0.0.1/8/8',
      'x'.repeat(1e6),
    ])
      expect(parseNetwork(text), text.slice(0, 40)).toBeNull();
  });
});
