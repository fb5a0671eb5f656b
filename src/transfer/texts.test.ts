import { isIP } from 'node:net';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { endpoint } from '../decode/tcp/endpoint.ts';
import { canonicalAddress } from './canonical-address.ts';
import { splitEndpoint } from './endpoint-text.ts';
import { gunzipLimited } from './gunzip-limited.ts';
import { parseInstant } from './instant.ts';

describe('canonicalAddress', () => {
  it('is the text that the decoder gives the same address, however it is written', () => {
    const word = fc.oneof(fc.constantFrom(0, 1, 0xffff, 0x10000, -1), fc.integer());
    fc.assert(
      fc.property(fc.constantFrom(4, 6), word, word, word, word, (version, w0, w1, w2, w3) => {
        const { address, text, port } = endpoint(version, w0, w1, w2, w3, 8080);
        expect(canonicalAddress(address)).toBe(address);
        expect(splitEndpoint(text)).toEqual({ address, port });
        if (version === 4) return;
        const long = [w0, w1, w2, w3].flatMap((one) => [(one >>> 16) & 0xffff, one & 0xffff]);
        expect(
          canonicalAddress(long.map((group) => group.toString(16).toUpperCase().padStart(4, '0')).join(':')),
        ).toBe(address);
      }),
    );
  });

  it('is null of what is no address', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom('1.2.3', '01.2.3.4', '::1%lo', '[::1]', '1::2::3')),
        (text) => {
          if (isIP(text) === 0 || text.includes('%')) expect(canonicalAddress(text)).toBeNull();
        },
      ),
    );
  });

  it.each([
    '10.0.0.1',
    ':80',
    '10.0.0.1:',
    '10.0.0.1:99999',
    '::1:80',
    '[::1]',
    '[10.0.0.1:80',
    '10.0.0.1:8 0',
  ])('an endpoint %j is none', (text) => expect(splitEndpoint(text)).toBeNull());
});

describe('parseInstant', () => {
  it('is what Date says, to the nanosecond', () => {
    const moment = fc.date({
      min: new Date('0001-01-01T00:00:00Z'),
      max: new Date('9999-12-31T23:59:59Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(
        moment,
        fc.nat(999_999_999),
        fc.integer({ min: -23 * 60, max: 23 * 60 }),
        (date, ns, ahead) => {
          const seconds = Math.floor(date.getTime() / 1000);
          const local = new Date((seconds + ahead * 60) * 1000).toISOString().slice(0, 19);
          fc.pre(/^\d{4}-/.test(local));
          const two = (value: number): string => String(Math.abs(value)).padStart(2, '0');
          const zone = `${ahead < 0 ? '-' : '+'}${two(Math.trunc(ahead / 60))}:${two(ahead % 60)}`;
          expect(parseInstant(`${local}.${String(ns).padStart(9, '0')}${zone}`)).toEqual({ seconds, ns });
          if (ahead === 0) expect(parseInstant(`${local}Z`)).toEqual({ seconds, ns: 0 });
        },
      ),
    );
  });

  it.each([
    '', '2026-11-21', '2026-11-21T24:00:00Z', '2026-13-01T00:00:00Z', '2026-02-29T00:00:00Z', '2026-11-21T07:42:00',
    '2026-11-21T07:42:00.1234567890Z', '2026-11-21T07:42:61Z', '2026-11-21T07:60:00Z', '2026-11-21 07:42:00Z',
  ])('%j is no time', (text) => expect(parseInstant(text)).toBeNull()); // biome-ignore format: a list
});

describe('gunzipLimited', () => {
  it('gives back what was compressed', async () => {
    const body = Buffer.from('wirelens '.repeat(1000));
    expect(await gunzipLimited(gzipSync(body), body.length)).toEqual(body);
  });

  it('refuses a bomb without unfolding it, damaged data, and what is cut off', async () => {
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
    const before = process.memoryUsage().arrayBuffers;
    await expect(gunzipLimited(bomb, 1024 * 1024)).rejects.toMatchObject({ code: 'too-large' });
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024);
    const whole = gzipSync(Buffer.from('some text that is long enough to be cut'));
    await expect(gunzipLimited(whole.subarray(0, 20), 1000)).rejects.toMatchObject({ code: 'bad-gzip' });
    await expect(gunzipLimited(Buffer.from('plain'), 1000)).rejects.toMatchObject({ code: 'bad-gzip' });
    await expect(gunzipLimited(Buffer.alloc(0), 1000)).rejects.toMatchObject({ code: 'bad-gzip' });
    const damaged = Buffer.from(whole);
    damaged[15] = (damaged[15] ?? 0) ^ 0xff;
    await expect(gunzipLimited(damaged, 1000)).rejects.toMatchObject({ code: 'bad-gzip' });
  });
});
