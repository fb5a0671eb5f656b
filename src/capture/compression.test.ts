import { execFileSync, spawnSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { pcapFile, type RecordedPacket } from '../../fixtures/build/capture-file.ts';
import { seededRandom } from '../../fixtures/build/transform.ts';
import { recordedPackets, START_NS } from '../../test/capture-arbitraries.ts';
import { readBytes, readPaths, withFiles } from '../../test/capture-reading.ts';
import { UserError } from '../model/errors.ts';

/** zstd frame with stored blocks and no checksum (RFC 8878 §3.1.1): Node 20 cannot compress. */
function storedZstd(bytes: Uint8Array, blockBytes = 1000): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58)];
  for (let at = 0; at < bytes.length || at === 0; at += blockBytes) {
    const content = bytes.subarray(at, at + blockBytes);
    const last = at + blockBytes >= bytes.length ? 1 : 0;
    const header = last | (content.length << 3);
    parts.push(Uint8Array.of(header & 0xff, (header >> 8) & 0xff, header >> 16), content);
  }
  return Buffer.concat(parts);
}

const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3);
const hasZstd = spawnSync('zstd', ['--version']).status === 0;
const zstd = (bytes: Uint8Array, ...options: string[]) =>
  execFileSync('zstd', ['-q', '-c', ...options], { input: bytes, maxBuffer: 1 << 28 });

const halves = (bytes: Uint8Array, compress: (part: Uint8Array) => Uint8Array) => {
  const middle = bytes.length >> 1;
  return Buffer.concat([compress(bytes.subarray(0, middle)), compress(bytes.subarray(middle))]);
};

const random = seededRandom(7);
/** Half of every frame is noise, so that it does not compress to nothing. */
const manyPackets: RecordedPacket[] = Array.from({ length: 4000 }, (_, index) => ({
  timeNs: START_NS + BigInt(index) * 1000n,
  frame: Uint8Array.from({ length: 700 }, (_, at) => (at % 2 === 0 ? at : random() * 256)),
}));
const large = pcapFile(manyPackets);

const forms: [string, (bytes: Uint8Array) => Uint8Array, 'gzip' | 'zstd'][] = [
  ['gzip', (bytes) => gzipSync(bytes), 'gzip'],
  ['gzip with two members', (bytes) => halves(bytes, (part) => gzipSync(part)), 'gzip'],
  ['gzip padded with zeros', (bytes) => Buffer.concat([gzipSync(bytes), new Uint8Array(512)]), 'gzip'],
  ['zstd', (bytes) => storedZstd(bytes), 'zstd'],
  ['zstd with two frames', (bytes) => halves(bytes, (part) => storedZstd(part, 600)), 'zstd'],
  [
    'zstd with skippable frames',
    (bytes) => Buffer.concat([skippable, storedZstd(bytes), skippable, storedZstd(new Uint8Array(0))]),
    'zstd',
  ],
];

describe.each(forms)('%s', (_, compress, compression) => {
  it('gives the same packets as the plain capture, in whatever pieces it comes', async () => {
    const property = fc.asyncProperty(
      recordedPackets({ minLength: 1 }),
      fc.integer({ min: 1, max: 300 }),
      async (recorded, pieceBytes) => {
        const bytes = pcapFile(recorded, { resolution: 'nano' });
        const compressed = compress(bytes);
        const pieces: Uint8Array[] = [];
        for (let at = 0; at < compressed.length; at += pieceBytes)
          pieces.push(compressed.subarray(at, at + pieceBytes));
        const plain = await readBytes(bytes);
        const got = await readBytes(pieces);
        expect(got.packets).toEqual(plain.packets);
        expect(got.facts[0]).toEqual({ ...plain.facts[0], compression });
      },
    );
    await fc.assert(property, { numRuns: 25 });
  });

  it('gives a large capture whole', async () => {
    const { packets, facts } = await readBytes(compress(large));
    expect(packets).toHaveLength(manyPackets.length);
    expect(facts[0]!.damage).toBeNull();
    expect(facts[0]!.fileBytes).toBe(large.length);
    expect(packets.at(-1)!.frame).toEqual(manyPackets.at(-1)!.frame);
  });

  it('gives a prefix of the packets and damage when it is cut anywhere', async () => {
    const recorded = manyPackets
      .slice(0, 3)
      .map((packet) => ({ ...packet, frame: packet.frame.slice(0, 40) }));
    const compressed = compress(pcapFile(recorded));
    const whole = await readBytes(compressed);
    const end = compressed.length - (_ === 'gzip padded with zeros' ? 512 : 0);
    for (let cut = 24; cut < end; cut++) {
      const got = await readBytes(compressed.subarray(0, cut), { blockBytes: 4096 }).catch((error) => error);
      if (got.code === 'broken-compression') continue; // cut before the first byte came out
      expect(got.packets).toEqual(whole.packets.slice(0, got.packets.length));
      // Cut between two frames or members it is a whole capture, or one that ends inside a packet.
      if (got.facts[0].damage === null) expect(_).toMatch(/two|skippable/);
    }
  });
});

describe('zstd by the zstd command', () => {
  beforeEach((context) => context.skip(!hasZstd, 'the zstd command is not installed'));

  it.each([[['-1']], [['-12']], [['--no-check']], [['-3', '-B64K']], [['--long=24']]])(
    '%j',
    async (options) => {
      const { packets, facts } = await readBytes(zstd(large, ...options));
      expect(packets).toHaveLength(manyPackets.length);
      expect(packets.at(-1)!.frame).toEqual(manyPackets.at(-1)!.frame);
      expect(facts[0]).toMatchObject({ compression: 'zstd', damage: null });
    },
  );

  it('gives a prefix of the packets and damage when it is cut', async () => {
    const compressed = zstd(large);
    for (const part of [0.3, 0.6, 0.9, 0.999]) {
      const { packets, facts } = await readBytes(compressed.subarray(0, compressed.length * part));
      expect(packets.length).toBeLessThanOrEqual(manyPackets.length);
      expect(facts[0]!.damage!.what).toContain('cut short');
    }
  });
});

describe('broken compression', () => {
  it('never throws anything but a UserError, whatever byte is wrong', async () => {
    const compressed = forms.map(([, compress]) => compress(pcapFile(manyPackets.slice(0, 3))));
    if (hasZstd) compressed.push(zstd(pcapFile(manyPackets.slice(0, 3))));
    const property = fc.asyncProperty(
      fc.constantFrom(...compressed),
      fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), fc.nat(255)), {
        minLength: 1,
        maxLength: 4,
      }),
      async (bytes, changes) => {
        const mutated = Uint8Array.from(bytes);
        for (const [place, to] of changes) mutated[Math.floor(place * mutated.length)] = to;
        const error = await readBytes(mutated, { blockBytes: 4096 }).catch((one) => one);
        if (error instanceof Error) expect(error).toBeInstanceOf(UserError);
      },
    );
    await fc.assert(property, { numRuns: 400 });
  });

  it('keeps most of what comes before a cut or a wrong byte in gzip', async () => {
    const compressed = gzipSync(large);
    const cut = await readBytes(compressed.subarray(0, compressed.length - 9));
    expect(cut.facts[0]!.damage!.what).toBe('its gzip data is cut short');
    expect(cut.packets.length).toBeGreaterThan(manyPackets.length * 0.99);
    const wrong = Buffer.from(compressed);
    wrong[wrong.length - 6]! ^= 0xff; // in the checksum
    const damaged = await readBytes(wrong);
    expect(damaged.facts[0]!.damage!.what).toContain('damaged');
    expect(damaged.packets.length).toBeGreaterThan(manyPackets.length * 0.8);
  });

  it('is an error that says so when nothing comes out', async () => {
    const compressed = gzipSync(pcapFile(manyPackets.slice(0, 1)));
    await expect(readBytes(compressed.subarray(0, 12))).rejects.toMatchObject({
      name: 'UserError',
      code: 'broken-compression',
    });
  });

  it('refuses zstd windows that need too much memory, and says how to unpack them', async () => {
    const bytes = storedZstd(large);
    bytes[5] = 0xa8; // 2 GiB
    await expect(readBytes(bytes)).rejects.toThrow('zstd -d --long=31');
  });

  it('says what a compressed file holds when it is not a capture', async () => {
    await expect(readBytes(gzipSync('hello, this is a text\n'))).rejects.toThrow(
      'is gzip-compressed, and what it holds is text',
    );
    await expect(readBytes(gzipSync(gzipSync(large)))).rejects.toThrow('compressed twice');
    await expect(readBytes(gzipSync(''))).rejects.toThrow('is empty');
  });

  it('does not care about the name of a file', async () => {
    await withFiles([gzipSync(large), large], async ([compressed, plain]) => {
      const core = async (path: string) => (await readPaths([path])).packets.slice(0, 50);
      expect(await core(compressed!)).toEqual(await core(plain!));
    });
  });
});
