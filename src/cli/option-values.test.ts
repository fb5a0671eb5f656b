import { describe, expect, it } from 'vitest';
import { buildCapture } from '../../test/build-exchange.ts';
import { ANSI_STYLE, NO_STYLE } from '../report/style.ts';
import { separateSlow } from './definitions/analyze.ts';
import { isDuration, parseCount, parseDuration, parsePorts, parseSize } from './option-values.ts';
import { progressText } from './progress.ts';
import { chooseStyle, chooseWidth } from './terminal.ts';

describe('option values', () => {
  it('reads durations, sizes, ports and counts', () => {
    expect(['250us', '250µs', '500ms', '1.5s', '2', '2min', '3m', '1h'].map(parseDuration)).toEqual([
      250e3, 250e3, 500e6, 1.5e9, 2e9, 120e9, 180e9, 3600e9,
    ]);
    expect(['1000', '100MB', '512MiB', '2g', '1.5kB'].map(parseSize)).toEqual([
      1000,
      100e6,
      512 * 2 ** 20,
      2e9,
      1500,
    ]);
    expect(parsePorts('443', parsePorts('80,8080'))).toEqual([80, 8080, 443]);
    expect(parseCount('12')).toBe(12);
  });

  it.each(['', '-1', '0', '1.5', 'x', '99999999999999999'])('refuses the count %j', (text) => {
    expect(() => parseCount(text)).toThrow(/whole number/);
  });
  it.each(['', 'fast', '5 parsecs', '-1s', '1e3'])('refuses the duration %j', (text) => {
    expect(() => parseDuration(text)).toThrow(/duration/);
  });
  it.each(['', 'big', '-5MB', '0', '5XB'])('refuses the size %j', (text) => {
    expect(() => parseSize(text)).toThrow(/must be/);
  });
  it.each(['', 'http', '65536', '80,', '-1', '80;90'])('refuses the port %j', (text) => {
    expect(() => parsePorts(text)).toThrow(/port/);
  });

  it('does not take a file for the value of --slow', () => {
    expect(separateSlow(['--slow', 'a.pcap'])).toEqual(['--slow=any', 'a.pcap']);
    expect(separateSlow(['--slow', '500ms', 'a.pcap'])).toEqual(['--slow', '500ms', 'a.pcap']);
    expect(separateSlow(['a.pcap', '--slow'])).toEqual(['a.pcap', '--slow=any']);
    expect(isDuration('500')).toBe(true);
  });
});

describe('the terminal', () => {
  const facts = { stdoutIsTty: true, stderrIsTty: true, columns: 120, env: {} };

  it('gets colours only if it is one and nothing speaks against it', () => {
    expect(chooseStyle('auto', facts)).toBe(ANSI_STYLE);
    expect(chooseStyle('auto', { ...facts, env: { NO_COLOR: '1' } })).toBe(NO_STYLE);
    expect(chooseStyle('auto', { ...facts, env: { NO_COLOR: '' } })).toBe(ANSI_STYLE);
    expect(chooseStyle('auto', { ...facts, env: { TERM: 'dumb' } })).toBe(NO_STYLE);
    expect(chooseStyle('auto', { ...facts, stdoutIsTty: false })).toBe(NO_STYLE);
    expect(chooseStyle('always', { ...facts, stdoutIsTty: false, env: { NO_COLOR: '1' } })).toBe(ANSI_STYLE);
    expect(chooseStyle('never', facts)).toBe(NO_STYLE);
  });

  it('is as wide as COLUMNS says, then as it says itself', () => {
    expect(chooseWidth({ ...facts, env: { COLUMNS: '72' } }, 100)).toBe(72);
    expect(chooseWidth({ ...facts, env: { COLUMNS: 'wide' } }, 100)).toBe(120);
    expect(chooseWidth({ ...facts, columns: undefined }, 100)).toBe(100);
  });

  it('shows how far the work is, and the time left where the size is known', () => {
    const captures = [buildCapture({ fileBytes: 250e6, packets: 100_000 })];
    expect(progressText(captures, 1e9, 2000)).toBe(' 25 %  250 MB  125 MB/s  50,000 packets/s  6.00 s left');
    const unknown = '250 MB  125 MB/s  100,000 packets  50,000 packets/s';
    expect(progressText(captures, null, 2000)).toBe(unknown);
    const packed = [buildCapture({ fileBytes: 250e6, packets: 100_000, compression: 'gzip' })];
    expect(progressText(packed, 1e6, 2000)).toBe(unknown);
  });
});
