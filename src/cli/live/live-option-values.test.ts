import { describe, expect, it } from 'vitest';
import {
  parseBuffer,
  parseFanout,
  parseFileSize,
  parseHosts,
  parseNets,
  parseRotate,
  parseSeconds,
  parseSnaplen,
  parseWorkers,
} from './live-option-values.ts';

describe('values of the options of capture', () => {
  it.each([
    ['64MiB', 64 * 1024 * 1024],
    ['4096', 4096 * 1024],
    ['100MB', 100_000_000],
  ])('--buffer %s is %d bytes', (text, bytes) => expect(parseBuffer(text)).toBe(bytes));

  it.each([
    ['96', 96],
    ['0', 262_144],
    ['262144', 262_144],
  ])('--snaplen %s is %d bytes', (text, bytes) => expect(parseSnaplen(text)).toBe(bytes));

  it.each([
    ['100', 100_000_000],
    ['1k', 1024],
    ['10M', 10 * 1024 * 1024],
    ['2g', 2 * 1024 ** 3],
    ['100MB', 100_000_000],
    ['1MiB', 1024 * 1024],
  ])('-C %s is %d bytes, as with tcpdump', (text, bytes) => expect(parseFileSize(text)).toBe(bytes));

  it.each([
    ['60', 60],
    ['10min', 600],
    ['1h', 3600],
  ])('-G %s is %d seconds', (text, seconds) => expect(parseSeconds(text)).toBe(seconds));

  it.each([
    ['10min', { durationNs: 600e9 }],
    ['5m', { durationNs: 300e9 }],
    ['5M', { bytes: 5_000_000 }],
    ['1GiB', { bytes: 1024 ** 3 }],
  ])('--rotate %s is %j', (text, words) => expect(parseRotate(text)).toEqual(words));

  it('takes addresses and networks of both versions, several at once', () => {
    expect(parseHosts('2001:db8::1', parseHosts('10.0.0.1, 10.0.0.2'))).toEqual([
      '10.0.0.1',
      '10.0.0.2',
      '2001:db8::1',
    ]);
    expect(parseNets('10.0.0.0/8,2001:db8::/32')).toEqual(['10.0.0.0/8', '2001:db8::/32']);
    expect(parseFanout('0')).toBe(0);
    expect([parseWorkers('1'), parseWorkers('64')]).toEqual([1, 64]);
  });

  it.each([
    [parseBuffer, '0'],
    [parseBuffer, '3GiB'],
    [parseSnaplen, '-1'],
    [parseSnaplen, '262145'],
    [parseFileSize, '0'],
    [parseFileSize, 'big'],
    [parseSeconds, '500ms'],
    [parseSeconds, '1.5s'],
    [parseRotate, '60'],
    [parseRotate, '500ms'],
    [parseRotate, 'daily'],
    [parseHosts, 'example.org'],
    [parseHosts, '10.0.0.256'],
    [parseNets, '10.0.0.1/'],
    [parseNets, '10.0.0.0/33'],
    [parseNets, '::/129'],
    [parseFanout, '65536'],
    [parseWorkers, '0'],
    [parseWorkers, '65'],
    [parseWorkers, 'two'],
  ])('%o refuses %s', (parse: (text: string) => unknown, text) => {
    expect(() => parse(text)).toThrow();
  });
});
