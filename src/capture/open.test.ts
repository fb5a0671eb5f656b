import { execFileSync, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile, type RecordedPacket } from '../../fixtures/build/capture-file.ts';
import { START_NS } from '../../test/capture-arbitraries.ts';
import { readBytes, readPaths, withFiles } from '../../test/capture-reading.ts';
import { describeError, UserError } from '../model/errors.ts';
import { LIMITS } from '../model/limits.ts';
import { openCaptures } from './open.ts';

const packets: RecordedPacket[] = [1, 2, 3].map((mark) => ({
  timeNs: START_NS + BigInt(mark) * 1000n,
  frame: new Uint8Array(100).fill(mark),
}));
const capture = pcapFile(packets);

async function refusal(paths: readonly string[], stdin?: string | Uint8Array): Promise<string> {
  const error = await (stdin === undefined ? readPaths(paths) : readBytes(Buffer.from(stdin))).catch(
    (one) => one,
  );
  expect(error).toBeInstanceOf(UserError);
  const line = describeError(error);
  expect(line).not.toContain('\n');
  expect(line).not.toContain('{file}');
  return line;
}

describe('what is not a capture', () => {
  const latin1 = (text: string) => Buffer.from(`${text}${'\x01\xfe'.repeat(20)}`, 'latin1');
  const erf = Buffer.from('000000008053535f01040060000000500102030405', 'hex');
  const tar = Buffer.alloc(512);
  tar.write('a.pcap', 0);
  tar.write('ustar', 257);

  it.each([
    ['xz', latin1('\xfd7zXZ\0'), /is xz-compressed; run: xz -dc \S+ \| wirelens analyze -$/],
    ['bzip2', latin1('BZh9'), /is bzip2-compressed; run: bzip2 -dc \S+ \|/],
    ['lz4', latin1('\x04\x22\x4d\x18'), /is lz4-compressed; run: lz4 -dc/],
    ['zip', latin1('PK\x03\x04'), /is a zip archive; run: unzip -p/],
    ['tar', tar, /is a tar archive; run: tar -xOf/],
    ['snoop', latin1('snoop\0\0\0'), /is a snoop capture, .*editcap -F pcapng \S+ out.pcapng/],
    ['NetMon', latin1('GMBU'), /is a Network Monitor capture/],
    ['ERF', erf, /looks like an ERF capture/],
    ['JSON', Buffer.from(' [{"_index": "packets"}]'), /is JSON, not a capture/],
    ['XML', Buffer.from('<?xml version="1.0"?>\n<pdml>'), /is XML or HTML/],
    ['text', Buffer.from('12:00:01.000 IP 10.0.0.1.80 > 10.0.0.2.4000'), /is text, .*tcpdump -w/],
    ['SQLite', latin1('SQLite format 3\0'), /is a SQLite file/],
    ['an empty file', Buffer.alloc(0), /is empty/],
    ['three bytes', capture.subarray(0, 3), /has only 3 bytes/],
    ['anything else', latin1('\x01\x02\x03\x04'), /it begins with 01 02 03 04/],
  ])('%s: one line says so and what to do', async (_, bytes, expected) => {
    await withFiles([bytes], async ([path]) => {
      const line = await refusal([path!]);
      expect(line).toMatch(expected);
      expect(line.startsWith(`${path}, byte 0: `)).toBe(true);
    });
  });

  it('has hints for standard input and for odd file names', async () => {
    expect(await refusal(['-'], latin1('\xfd7zXZ\0'))).toBe(
      'standard input, byte 0: is xz-compressed; pipe it through `xz -dc` first',
    );
    const path = join(fs.mkdtempSync(join(tmpdir(), 'wirelens-odd-')), "it's $1.xz");
    fs.writeFileSync(path, latin1('\xfd7zXZ\0'));
    expect(await refusal([path])).toContain(`it'\\''s $1.xz' | wirelens`);
    fs.writeFileSync(path, gzipSync(latin1('BZh9')));
    expect(await refusal([path])).toContain(`it'\\''s $1.xz' | bzip2 -dc | wirelens`);
    fs.rmSync(dirname(path), { recursive: true });
  });
});

describe('what cannot be opened', () => {
  it('is told with the path and what to do', async () => {
    expect(await refusal(['/nowhere/at/all.pcap'])).toBe(
      '/nowhere/at/all.pcap: no such file; check the path',
    );
    expect(await refusal([tmpdir()])).toMatch(/is a directory; name the captures in it/);
    expect(await refusal(['bad\0name'])).toContain('cannot be opened');
    expect(await refusal([])).toContain('no capture is given');
    await expect(readPaths(['-', '-'])).rejects.toMatchObject({ code: 'usage', exitCode: 2 });
  });

  it('says permission denied', async ({ skip }) => {
    skip(process.getuid?.() === 0, 'root may read everything');
    skip(process.platform === 'win32', 'no permission bits');
    await withFiles([capture], async ([path]) => {
      fs.chmodSync(path!, 0);
      expect(await refusal([path!])).toContain('permission denied');
    });
  });
});

describe('standard input', () => {
  it.each([
    ['pcap', capture],
    ['pcapng', pcapngFile(packets)],
    ['gzip', gzipSync(capture)],
  ])('gives packets as soon as they are written (%s)', async (kind, bytes) => {
    const stdin = new PassThrough();
    // Of gzip only the end brings the bytes out; of the others the first record does.
    const first = kind === 'gzip' ? bytes.length : bytes.length - (kind === 'pcap' ? 116 : 132) - 5;
    stdin.write(bytes.subarray(0, first));
    const source = await openCaptures(['-'], { clock: { epochSeconds: null }, limits: LIMITS, stdin });
    const seen: number[] = [];
    const until = async (count: number) => {
      do {
        while (source.next()) seen.push(source.packet.number);
      } while (seen.length < count && (await source.more()));
    };
    await until(kind === 'gzip' ? 3 : 1);
    expect(seen[0]).toBe(1);
    stdin.write(bytes.subarray(first));
    await until(3);
    expect(seen).toEqual([1, 2, 3]);
    stdin.end();
    await until(4);
    expect(seen).toEqual([1, 2, 3]);
    await source.close();
    expect(stdin.destroyed).toBe(true);
  });

  it('that fails is salvaged up to there', async () => {
    const stdin = new PassThrough();
    stdin.write(capture);
    setTimeout(() => stdin.destroy(new Error('gone')), 20);
    const { packets: seen, facts } = await readPaths(['-'], { stdin });
    expect(seen).toHaveLength(3);
    expect(facts[0]!.damage!.what).toContain('gone');
  });
});

describe('a named pipe', () => {
  it('is read while it is written, and can be closed while nothing comes', async ({ skip }) => {
    skip(spawnSync('mkfifo', ['--version']).status !== 0, 'mkfifo is not installed');
    const path = join(fs.mkdtempSync(join(tmpdir(), 'wirelens-pipe-')), 'pipe');
    execFileSync('mkfifo', [path]);
    const writing = fs.promises.open(path, 'r+');
    const writer = await writing;
    await writer.write(capture);
    const source = await openCaptures([path], { clock: { epochSeconds: null }, limits: LIMITS });
    let count = 0;
    do {
      while (source.next()) count++;
    } while (count < 3 && (await source.more()));
    const waiting = source.more();
    await source.close();
    expect(await waiting).toBe(false);
    await writer.close();
    fs.rmSync(dirname(path), { recursive: true });
  });
});

describe('close', () => {
  it.each([
    ['plain', capture],
    ['gzip', gzipSync(capture)],
  ])('may come at any time, also twice (%s)', async (_, bytes) => {
    await withFiles([bytes, bytes], async (paths) => {
      for (const some of [paths.slice(0, 1), paths]) {
        for (let steps = 0; steps < 4; steps++) {
          const source = await openCaptures(some, {
            clock: { epochSeconds: null },
            limits: LIMITS,
            blockBytes: 50,
          });
          for (let step = 0; step < steps; step++) if (!source.next()) await source.more();
          const pending = source.more();
          await Promise.all([source.close(), source.close()]);
          expect(typeof (await pending)).toBe('boolean');
          expect(source.next()).toBe(false);
          expect(await source.more()).toBe(false);
          expect(source.facts).toHaveLength(some.length);
        }
      }
    });
  });

  it('gives every descriptor back', async ({ skip }) => {
    skip(process.platform !== 'linux', 'descriptors can be listed on Linux only');
    const open = () =>
      fs
        .readdirSync('/proc/self/fd')
        .map((fd) => linkOf(fd))
        .filter((to) => to.includes('wirelens-'));
    await withFiles([capture, gzipSync(capture), Buffer.from('nothing'), capture], async (paths) => {
      await readPaths([paths[0]!]);
      await readPaths([paths[1]!, paths[0]!, paths[3]!]);
      await readPaths(paths).catch(() => {});
      expect(open()).toEqual([]);
    });
  });
});

function linkOf(fd: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${fd}`);
  } catch {
    return '';
  }
}
