import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readPaths } from '../../../test/capture-reading.ts';
import { UserError } from '../../model/errors.ts';
import type { CaptureFacts, CaptureInterface } from '../../model/packet.ts';
import { createRecorder, type RecorderOptions } from './recorder.ts';

const root = mkdtempSync(join(tmpdir(), 'wirelens-recorder-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const fresh = (): string => mkdtempSync(join(root, 'case-'));

/** 2026-11-21T10:02:00Z */
const EPOCH = 1_795_255_320;

interface Sent {
  readonly seconds: number;
  readonly interfaceNumber: number;
  readonly frame: Uint8Array;
}

function facts(): CaptureFacts & { interfaces: CaptureInterface[] } {
  const one = (number: number, name: string): CaptureInterface => ({
    number, name, linkType: 1, snaplen: 262_144, timeDigits: 9, packets: 0, received: 0, dropped: 0,
  }); // biome-ignore format: a record
  return {
    path: 'any', format: 'live', compression: 'none', byteOrder: 'little', packets: 0, capturedBytes: 0, originalBytes: 0, fileBytes: 0,
    firstNs: null, lastNs: null, interfaces: [one(0, 'eth0'), one(1, 'veth-b')], comments: [], commentsDropped: 0, skippedBlocks: {}, timeReversals: 0,
    damage: null,
  }; // biome-ignore format: a record
}

function recording(path: string, more: Partial<RecorderOptions> = {}) {
  const capture = facts();
  const ended: (string | null)[] = [];
  const time = { ms: 0 };
  const recorder = createRecorder({
    path,
    force: false,
    clock: { epochSeconds: EPOCH },
    captures: [capture],
    startSeconds: EPOCH,
    section: { application: 'wirelens test' },
    filterText: null,
    now: () => time.ms,
    onEnd: (text) => ended.push(text),
    ...more,
  });
  let number = 0;
  const send = ({ seconds, interfaceNumber, frame }: Sent): void => {
    // Inside a larger block that is used again at once, as a ring is.
    const bytes = new Uint8Array(frame.length + 7).fill(0xee);
    bytes.set(frame, 3);
    number += 1;
    recorder.packet({
      bytes, start: 3, end: 3 + frame.length, originalBytes: frame.length, timeNs: Math.round(seconds * 1e9), linkType: 1, capture: 0,
      interfaceNumber, number,
    }); // biome-ignore format: a record
    bytes.fill(0xff);
  };
  return { recorder, capture, ended, time, send };
}

const frameOf = (byte: number, length: number): Uint8Array => new Uint8Array(length).fill(byte);
const at = (seconds: number, byte = 1, length = 60): Sent => ({
  seconds,
  interfaceNumber: 0,
  frame: frameOf(byte, length),
});
/** Names in the directory, and the first byte of each packet in each file. */
async function contents(directory: string): Promise<Record<string, number[]>> {
  const files: Record<string, number[]> = {};
  for (const name of readdirSync(directory).sort()) {
    const { packets, facts: read } = await readPaths([join(directory, name)]);
    expect(read[0].damage).toBeNull();
    files[name] = packets.map(({ frame }) => frame[0]);
  }
  return files;
}
const codeOf = (make: () => unknown): string => {
  try {
    make();
  } catch (error) {
    if (error instanceof UserError) return `${error.code}: ${error.place.file ?? error.message}`;
    throw error;
  }
  return 'no error';
};

describe('a recording', () => {
  const sent = fc.record({
    gap: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3, noNaN: true })),
    interfaceNumber: fc.nat(1),
    frame: fc.uint8Array({ minLength: 1, maxLength: 400 }),
  });

  it('holds every packet once and in order, however it is divided into files', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sent, { maxLength: 40 }),
        fc.option(fc.integer({ min: 1, max: 3000 }), { nil: undefined }),
        fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
        async (list, fileBytes, seconds) => {
          const directory = fresh();
          const path = join(directory, seconds === undefined ? 'trace' : 'trace-%s-');
          const rotation = {
            ...(fileBytes === undefined ? {} : { fileBytes }),
            ...(seconds === undefined ? {} : { seconds }),
          };
          const { recorder, send, time } = recording(path, { rotation });
          let now = 0;
          const packets = list.map(({ gap, ...rest }) => {
            now += gap;
            return { ...rest, seconds: now };
          });
          for (const one of packets) {
            send(one);
            time.ms += 100;
            recorder.tick(null);
          }
          await recorder.finish();
          expect(recorder.failure).toBeNull();
          // In the order of their names' numbers: the time, then the count.
          const names = readdirSync(directory).sort((a, b) => {
            const [first, second] = [a, b].map((name) => name.split(/\D+/).slice(1).map(Number));
            return seconds === undefined
              ? first[0] - second[0]
              : first[0] - second[0] || first[1] - second[1];
          });
          expect(names).toHaveLength(recorder.totals.files);
          const read = [];
          for (const name of names) {
            const file = await readPaths([join(directory, name)]);
            expect(file.facts[0].damage).toBeNull();
            for (const packet of file.packets) {
              const { name: interfaceName } = file.facts[0].interfaces[packet.interfaceNumber];
              read.push({ frame: [...packet.frame], timeNs: packet.timeNs, interfaceName });
            }
          }
          expect(read).toEqual(
            packets.map((one) => ({
              frame: [...one.frame],
              timeNs: BigInt(EPOCH) * 1_000_000_000n + BigInt(Math.round(one.seconds * 1e9)),
              interfaceName: one.interfaceNumber === 0 ? 'eth0' : 'veth-b',
            })),
          );
          rmSync(directory, { recursive: true });
        },
      ),
      { numRuns: 60 },
    );
  });

  it('names files of -C as tcpdump does: no number, 1, 2', async () => {
    const directory = fresh();
    const { recorder, send } = recording(join(directory, 'trace.pcapng'), { rotation: { fileBytes: 500 } });
    for (let byte = 1; byte <= 9; byte++) send(at(byte, byte, 200));
    await recorder.finish();
    expect(await contents(directory)).toEqual({
      'trace.pcapng': [1, 2],
      'trace.pcapng1': [3, 4],
      'trace.pcapng2': [5, 6],
      'trace.pcapng3': [7, 8],
      'trace.pcapng4': [9],
    });
  });

  it.each([
    [2, ['trace0', 'trace1']],
    [10, ['trace0', 'trace1', 'trace2', 'trace3', 'trace4', 'trace5', 'trace6', 'trace7', 'trace8', 'trace9']],
    [11, ['trace00', 'trace01', 'trace02', 'trace03', 'trace04', 'trace05', 'trace06', 'trace07', 'trace08', 'trace09', 'trace10']],
    [1, ['trace']],
  ])('overwrites the oldest of -W %i files', async (count, names) => {
    const directory = fresh();
    const { recorder, send } = recording(join(directory, 'trace'), { rotation: { fileBytes: 1, count } });
    // Every packet finds its file larger than a byte, the first one too: the header is.
    for (let byte = 1; byte <= 20; byte++) send(at(byte, byte));
    await recorder.finish();
    const files = await contents(directory);
    expect(Object.keys(files)).toEqual(names);
    const kept = Array.from({ length: count }, (_, index) => 20 - index);
    expect(Object.values(files).flat().sort((a, b) => b - a)).toEqual(kept);
    expect(files[names[20 % count]]).toEqual([20]);
  }); // biome-ignore format: lists of names

  it('begins a file every -G seconds, named by the time of the packet that began it', async () => {
    const directory = fresh();
    const { recorder, send } = recording(join(directory, 't-%s'), { rotation: { seconds: 10 } });
    for (const seconds of [1, 9.9, 10.2, 19, 20.5, 55, 60]) send(at(seconds, seconds));
    await recorder.finish();
    expect(await contents(directory)).toEqual({
      [`t-${EPOCH}`]: [1, 9],
      [`t-${EPOCH + 10}`]: [10, 19],
      [`t-${EPOCH + 20}`]: [20],
      [`t-${EPOCH + 55}`]: [55, 60],
    });
  });

  it('ends after -W files of -G, also when no further packet comes', async () => {
    const directory = fresh();
    const { recorder, send, ended } = recording(join(directory, 't-%s'), {
      rotation: { seconds: 10, count: 2 },
    });
    send(at(1, 1));
    send(at(12, 2));
    recorder.tick(21.9e9);
    expect(ended).toEqual([]);
    recorder.tick(22e9);
    expect(ended).toEqual(['-W: 2 files recorded, as asked for']);
    send(at(23, 3));
    await recorder.finish();
    expect(await contents(directory)).toEqual({ [`t-${EPOCH}`]: [1], [`t-${EPOCH + 12}`]: [2] });
  });

  it('divides a stretch of -G by -C, and numbers begin anew', async () => {
    const directory = fresh();
    const { recorder, send } = recording(join(directory, 't-%s.'), {
      rotation: { seconds: 10, fileBytes: 500 },
    });
    for (let byte = 1; byte <= 12; byte++) send(at(byte, byte, 300));
    await recorder.finish();
    const files = await contents(directory);
    expect(
      Object.values(files)
        .flat()
        .sort((a, b) => a - b),
    ).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    // 424 bytes after one packet, 756 after the second.
    expect(files[`t-${EPOCH + 10}.`]).toEqual([10, 11]);
    expect(files[`t-${EPOCH + 10}.1`]).toEqual([12]);
  });

  it('shows what has come so far, soon and without an end', async () => {
    const path = join(fresh(), 'trace.pcapng');
    const { recorder, send, time } = recording(path);
    send(at(0, 7));
    time.ms = 499;
    recorder.tick(null);
    await until(() => existsSync(path) && readFileSync(path).length > 0);
    expect((await readPaths([path])).packets).toHaveLength(0);
    time.ms = 500;
    recorder.tick(null);
    await until(() => readFileSync(path).length > 100);
    const { packets, facts: read } = await readPaths([path]);
    expect(packets.map(({ frame }) => frame[0])).toEqual([7]);
    expect(read[0].damage).toBeNull();
    await recorder.finish();
  });

  it('notes what the kernel received and dropped since the file began', async () => {
    const directory = fresh();
    const { recorder, send, capture, time } = recording(join(directory, 't-%s'), {
      rotation: { seconds: 10 },
    });
    const counts = (received: number, dropped: number) =>
      Object.assign(capture.interfaces[0], { received, dropped });
    send(at(1));
    counts(100, 5);
    time.ms = 10_000;
    recorder.tick(null);
    counts(150, 7);
    send(at(11));
    counts(151, 7);
    // Nothing came from here in this file, but it lost something.
    Object.assign(capture.interfaces[1], { received: 9, dropped: 9 });
    await recorder.finish();
    const [first, second] = await Promise.all(
      [EPOCH, EPOCH + 11].map(
        async (time) => (await readPaths([join(directory, `t-${time}`)])).facts[0].interfaces,
      ),
    );
    expect(first).toMatchObject([{ name: 'eth0', received: 150, dropped: 7 }]);
    expect(second).toMatchObject([
      { name: 'eth0', received: 1, dropped: 0 },
      { name: 'veth-b', received: 9, dropped: 9 },
    ]);
  });

  it('overwrites nothing that is not its own', async () => {
    const directory = fresh();
    const file = (name: string): string => join(directory, name);
    for (const name of ['a', 'b1', 'c07', 'd-12', `e-${EPOCH + 10}`]) writeFileSync(file(name), 'keep');
    expect(codeOf(() => recording(file('a')))).toBe(`file-exists: ${file('a')}`);
    expect(codeOf(() => recording(file('b'), { rotation: { fileBytes: 10 } }))).toBe(
      `file-exists: ${file('b1')}`,
    );
    const ring = { fileBytes: 10, count: 20 };
    expect(codeOf(() => recording(file('c'), { rotation: ring }))).toBe(`file-exists: ${file('c07')}`);
    expect(codeOf(() => recording(file('d-%H'), { rotation: { seconds: 3600 } }))).toBe(
      `file-exists: ${file('d-12')}`,
    );
    expect(codeOf(() => recording(directory))).toBe(`is-a-directory: ${directory}`);
    // Known only later: then a number is put after the name, and everything is kept.
    const { recorder, send } = recording(file('e-%s'), { rotation: { seconds: 10 } });
    send(at(1, 1));
    send(at(10, 2));
    await recorder.finish();
    expect(readFileSync(file(`e-${EPOCH + 10}`), 'utf8')).toBe('keep');
    expect((await readPaths([file(`e-${EPOCH + 10}1`)])).packets).toHaveLength(1);

    const forced = recording(file('a'), { force: true });
    forced.send(at(1, 1));
    await forced.recorder.finish();
    expect((await readPaths([file('a')])).packets).toHaveLength(1);
  });

  it('refuses what would lose packets, and says what to write instead', () => {
    const usage = (path: string, rotation: RecorderOptions['rotation']): string =>
      codeOf(() => recording(path, rotation === undefined ? {} : { rotation }));
    expect(usage('trace', { seconds: 10 })).toMatch(
      /^usage: -G begins a new file every 10 s, and 'trace' names them all alike/,
    );
    expect(usage('trace-%H%M', { seconds: 10 })).toMatch(/^usage: .* change only every 60 s/);
    expect(usage('trace-%Q', { seconds: 10 })).toMatch(/^usage: -w: '%Q' is not understood/);
    expect(usage('trace', { count: 3 })).toMatch(/^usage: -W counts files/);
    expect(usage('-', { fileBytes: 3 })).toMatch(/^usage: -w - is one stream/);
  });

  it('is refused in a directory that is missing, before anything is captured', () => {
    expect(() => recording(join(fresh(), 'missing', 'trace.pcapng'))).toThrow(
      expect.objectContaining({ code: 'directory-missing', hint: expect.stringContaining('mkdir -p') }),
    );
  });

  it('ends when the disk does, says so once, and finishes', async () => {
    const { recorder, send, ended, time } = recording('/dev/full');
    send(at(1));
    time.ms = 600;
    recorder.tick(null);
    await until(() => ended.length > 0);
    send(at(2));
    await recorder.finish();
    expect(recorder.failure).toMatchObject({ code: 'disk-full', place: { file: '/dev/full' } });
    expect(ended).toEqual(['the recording has ended, and with it the capture']);
    expect(recorder.summary).toMatch(/^recorded at most 1 packet in /);
  });

  it('makes the pipeline wait for a slow disk, and no longer than that', async () => {
    let release: (() => void) | null = null;
    const stdout = new Writable({
      write: (_chunk, _encoding, done) => {
        release = done;
      },
    });
    const { recorder, send } = recording('-', { stdout, limits: { backlogBytes: 600_000 } });
    for (let count = 0; count < 700; count++) send(at(count, 1, 1000));
    expect(recorder.drain()).toBeNull();
    for (let count = 0; count < 700; count++) send(at(count, 1, 1000));
    const waiting = recorder.drain();
    expect(waiting).not.toBeNull();
    let passed = false;
    const wait = (async () => {
      await waiting;
      passed = true;
    })();
    for (let turn = 0; turn < 20 && !passed; turn++) {
      (release as (() => void) | null)?.();
      await new Promise(setImmediate);
    }
    await wait;
    expect(passed).toBe(true);
  });
});

async function until(holds: () => boolean): Promise<void> {
  for (let turn = 0; turn < 500 && !holds(); turn++) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(holds()).toBe(true);
}
