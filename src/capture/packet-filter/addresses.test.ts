import { describe, expect, it } from 'vitest';
import { parseHost, parseNet } from './addresses.ts';

describe('addresses of --host and --net', () => {
  it('reads IPv4 and IPv6 addresses', () => {
    expect(parseHost('10.0.0.1')).toEqual({ version: 4, words: [0x0a000001], masks: [0xffffffff] });
    expect(parseHost('2001:db8::1').words).toEqual([0x20010db8, 0, 0, 1]);
    expect(parseHost('::').words).toEqual([0, 0, 0, 0]);
    expect(parseHost('::ffff:10.0.0.1').words).toEqual([0, 0, 0xffff, 0x0a000001]);
    expect(parseHost('fe80:1:2:3:4:5:6:ffff').words).toEqual([
      0xfe800001, 0x00020003, 0x00040005, 0x0006ffff,
    ]);
  });

  it('reads networks, and leaves out the bits beyond the prefix', () => {
    expect(parseNet('10.1.2.3/8')).toEqual({ version: 4, words: [0x0a000000], masks: [0xff000000] });
    expect(parseNet('192.168.1.128/25').masks).toEqual([0xffffff80]);
    expect(parseNet('0.0.0.0/0').masks).toEqual([0]);
    expect(parseNet('10.1')).toEqual({ version: 4, words: [0x0a010000], masks: [0xffff0000] });
    expect(parseNet('10.1/12')).toEqual({ version: 4, words: [0x0a000000], masks: [0xfff00000] });
    expect(parseNet('10.0.0.1').masks).toEqual([0xffffffff]);
    expect(parseNet('2001:db8::/33').masks).toEqual([0xffffffff, 0x80000000, 0, 0]);
  });

  it.each(['example.com', '10.0.0.256', '10.0.0', 'fe80::1%eth0', '', '1:2'])(
    'refuses the host %s',
    (text) => {
      expect(() => parseHost(text)).toThrow(/not an IPv4 or IPv6 address/);
    },
  );

  it('says that names are not looked up', () => {
    expect(() => parseHost('example.com')).toThrow(
      expect.objectContaining({ hint: expect.stringContaining('never looked up') }),
    );
  });

  it.each(['10.0.0.0/33', '::/129', '10.0.0.0/8/8', '10.0.0.0/', '256', 'net', '10.0.0.0/255.0.0.0', '-1'])(
    'refuses the net %s',
    (text) => {
      expect(() => parseNet(text)).toThrow(/not a network/);
    },
  );
});
