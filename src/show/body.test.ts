import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redactTarget } from '../match/redact-target.ts';
import { decodeBody, previewBody } from './body.ts';
import { dechunk } from './chunked.ts';
import { decode } from './content-coding.ts';
import type { HeadField } from './head.ts';
import { hexDump } from './hex-dump.ts';
import { from, type Piece, unbroken } from './message-bytes.ts';
import { createMasking } from './secrets.ts';

/** `The quick brown fox. ` 200 times, by zstd(1). */
const ZSTD_SAMPLE = 'KLUv/QRo7QAAqFRoZSBxdWljayBicm93biBmb3guIAEAoQD7yQRGNYp8';

const fieldsOf = (fields: Record<string, string>): HeadField[] =>
  Object.entries(fields).map(([name, value]) => ({ name, value, line: `${name}: ${value}`, isUtf8: true }));

function chunks(body: Uint8Array, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)};x=y\r\n`), Buffer.from(part), Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\nX-Trailer: t\r\n\r\n')]);
}

function cutAt(bytes: Uint8Array, sizes: readonly number[]): Piece[] {
  const pieces: Piece[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    if (at >= bytes.length) break;
    pieces.push({ bytes: bytes.subarray(at, at + size) });
    at += size;
  }
  return pieces;
}

describe('dechunk', () => {
  it('gives the body again, however it was cut', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: 1, max: 20 })),
        (body, size, cuts) => {
          const { pieces, whole, fault } = dechunk(cutAt(chunks(body, size), cuts));
          expect(unbroken(pieces).bytes).toEqual(Buffer.from(body));
          expect([whole, fault]).toEqual([true, null]);
        },
      ),
    );
  });

  it('keeps a loss inside a chunk, and stops at one beyond it', () => {
    const wire = Buffer.from('a\r\n0123456789\r\n3\r\nabc\r\n0\r\n\r\n');
    const inside = dechunk([{ bytes: wire.subarray(0, 5) }, { lost: 6 }, { bytes: wire.subarray(11) }]);
    expect(inside).toMatchObject({ whole: true, fault: null });
    expect(
      inside.pieces.map((piece) => ('lost' in piece ? piece.lost : String(Buffer.from(piece.bytes)))),
    ).toEqual(['01', 6, '89', 'abc']);
    const beyond = dechunk([{ bytes: wire.subarray(0, 5) }, { lost: 12 }, { bytes: wire.subarray(17) }]);
    expect(beyond.whole).toBe(false);
    expect(beyond.fault).toMatch(/lost/);
  });
});

describe('decode', () => {
  const text = Buffer.from('The quick brown fox. '.repeat(200));
  const codings: [string, Uint8Array][] = [
    ['gzip', zlib.gzipSync(text)],
    ['x-gzip', Buffer.concat([zlib.gzipSync(text.subarray(0, 100)), zlib.gzipSync(text.subarray(100))])],
    ['deflate', zlib.deflateSync(text)],
    ['deflate', zlib.deflateRawSync(text)],
    ['br', zlib.brotliCompressSync(text)],
    ['zstd', Buffer.from(ZSTD_SAMPLE, 'base64')],
  ];

  it.each(codings)('takes off %s', async (coding, bytes) => {
    const decoded = await decode(coding, bytes, 1 << 20);
    expect(decoded.fault).toBeNull();
    expect(Buffer.from(decoded.bytes).equals(text)).toBe(true);
  });

  it.each(codings.slice(0, 5))('goes as far as a truncated %s does', async (coding, bytes) => {
    const { bytes: part } = await decode(coding, bytes.subarray(0, bytes.length - 8), 1 << 20);
    expect(text.subarray(0, part.length).equals(Buffer.from(part))).toBe(true);
  });

  it('stops at the limit, whatever a bomb holds', async () => {
    const zeros = Buffer.alloc(64 * 1024 * 1024);
    for (const [coding, bomb] of [
      ['gzip', zlib.gzipSync(zeros)],
      ['br', zlib.brotliCompressSync(zeros, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } })],
    ] as const) {
      const before = process.memoryUsage().arrayBuffers;
      const decoded = await decode(coding, bomb, 10_000);
      expect(decoded.bytes.length).toBe(10_000);
      expect(decoded.cut).toBe(true);
      expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    }
  });

  it('refuses a zstd window that would take the memory', async () => {
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xf8, 0, 0, 0, 0]);
    expect((await decode('zstd', frame, 1000)).fault).toMatch(/8 MiB/);
  });

  it('survives any bytes', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('gzip', 'deflate', 'br', 'zstd', 'nonsense'),
        fc.uint8Array({ maxLength: 200 }),
        async (coding, bytes) => {
          const header =
            coding === 'zstd' ? [0x28, 0xb5, 0x2f, 0xfd] : coding === 'gzip' ? [0x1f, 0x8b, 8, 0] : [];
          const { bytes: out } = await decode(coding, Uint8Array.from([...header, ...bytes]), 5000);
          expect(out.length).toBeLessThanOrEqual(5000);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('previewBody', () => {
  const masking = createMasking(false, redactTarget);
  const preview = (bytes: Uint8Array | Piece[], fields: Record<string, string>, limitBytes = 4096) =>
    previewBody(Array.isArray(bytes) ? bytes : [{ bytes }], fieldsOf(fields), {
      limitBytes,
      masking,
      isLong: false,
    });

  it('takes off several codings in their order', async () => {
    const body = Buffer.from('{"name":"Ada","password":"hunter2"}');
    const wire = chunks(zlib.brotliCompressSync(zlib.gzipSync(body)), 7);
    const seen = await preview(wire, {
      'Content-Type': 'application/json',
      'Content-Encoding': 'gzip, br',
      'Transfer-Encoding': 'chunked',
    });
    expect(seen.form).toBe('json');
    expect(JSON.parse(seen.text)).toEqual({ name: 'Ada', password: 'REDACTED' });
    expect(seen.notes).toEqual(['chunks joined', 'br taken off', 'gzip taken off']);
  });

  it('reads text by its charset', async () => {
    const latin = await preview(Buffer.from('fa\xe7ade', 'latin1'), {
      'Content-Type': 'text/plain; charset=ISO-8859-1',
    });
    expect(latin.text).toBe('façade');
    const wide = await preview(Buffer.from('façade', 'utf16le'), {
      'Content-Type': 'text/plain; charset=utf-16',
    });
    expect(wide.text).toBe('façade');
    const unknown = await preview(Buffer.from('façade'), { 'Content-Type': 'text/plain; charset=klingon' });
    expect(unknown.text).toBe('façade');
  });

  it('shows binary data as a dump, and a loss as a mark', async () => {
    const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
    expect((await preview(png, { 'Content-Type': 'image/png' })).text).toBe(
      '00000000  89 50 4e 47 0d 0a 1a 0a                          |.PNG....|',
    );
    const lost = await preview([{ bytes: Buffer.from('ab') }, { lost: 1460 }, { bytes: Buffer.from('yz') }], {
      'Content-Type': 'text/plain',
    });
    expect(lost.text).toBe('ab⟦1,460 bytes not in the capture⟧yz');
  });

  it('cuts at the limit and says so', async () => {
    const seen = await preview(Buffer.alloc(10_000, 'a'), { 'Content-Type': 'text/plain' }, 100);
    expect(seen).toMatchObject({ bytes: 100, isCut: true, text: 'a'.repeat(100) });
  });

  it('knows whether the body is whole', async () => {
    const whole = await decodeBody(
      [{ bytes: chunks(Buffer.from('abc'), 2) }],
      fieldsOf({ 'transfer-encoding': 'chunked' }),
      {
        limitBytes: 100,
        contentCodings: false,
      },
    );
    expect(whole.isWhole).toBe(true);
    const cut = await decodeBody(
      [{ bytes: Buffer.from('3\r\nab') }],
      fieldsOf({ 'transfer-encoding': 'chunked' }),
      {
        limitBytes: 100,
        contentCodings: false,
      },
    );
    expect(cut.isWhole).toBe(false);
  });
});

describe('pieces', () => {
  it('from an offset on, losses counted', () => {
    const pieces: Piece[] = [{ bytes: Buffer.from('abc') }, { lost: 4 }, { bytes: Buffer.from('xyz') }];
    expect(from(pieces, 5)).toEqual([{ lost: 2 }, { bytes: Buffer.from('xyz') }]);
    expect(from(pieces, 8)).toEqual([{ bytes: Buffer.from('yz') }]);
  });

  it('as lines of hexadecimal', () => {
    expect(hexDump(Buffer.from('HTTP/1.1 200 OK\r\nx'))).toEqual([
      '00000000  48 54 54 50 2f 31 2e 31  20 32 30 30 20 4f 4b 0d |HTTP/1.1 200 OK.|',
      '00000010  0a 78                                            |.x|',
    ]);
  });
});
