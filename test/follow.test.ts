import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile, type RecordedPacket } from '../fixtures/build/capture-file.ts';
import { seededRandom } from '../fixtures/build/transform.ts';
import { followCaptures } from '../src/capture/follow/follow.ts';
import { openCaptures } from '../src/capture/open.ts';
import { createJsonLinesSink } from '../src/export/json-lines-sink.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { PacketSource, RunClock } from '../src/model/packet.ts';
import { routeOf } from '../src/model/route.ts';
import { runPipeline } from '../src/pipeline.ts';
import { withFiles } from './capture-reading.ts';
import { FakeFiles } from './fake-files.ts';
import { fuzzRuns, packetsOf } from './pipeline-run.ts';
import { traffic } from './traffic.ts';

/** Everything that comes out of a source, but for packet numbers and captures; and the ledger. */
async function outcomeOf(
  source: PacketSource,
  clock: RunClock,
): Promise<{ rows: string[]; ledger: unknown }> {
  let text = '';
  const output = {
    write: (more: string) => {
      text += more;
    },
    writeBytes: (bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
    },
    drain: () => null,
    flush: async () => {},
  };
  const sink = createJsonLinesSink({ output, clock, captures: source.facts, routeOf });
  const run = await runPipeline(source, clock, [sink], {
    ports: null,
    limits: LIMITS,
    reveal: true,
    checksums: false,
  });
  const rows = text.trimEnd().split('\n');
  return { rows: rows.map((row) => row.replace(/"capture":\d+,"packet":\d+,/g, '')), ledger: run.ledger };
}

/** A recording, in files and in writes. */
interface Recording {
  readonly seed: number;
  /** Shares of the packets at which the next file begins. */
  readonly rotations: readonly number[];
  readonly writeBytes: readonly number[];
  readonly kind: 'pcap' | 'pcapng';
  /** Names that are used in turn; 0: each file has its own. */
  readonly ring: number;
}

const recordings: fc.Arbitrary<Recording> = fc.record({
  seed: fc.integer(),
  rotations: fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 }),
  writeBytes: fc.array(fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 51, max: 9000 })), {
    minLength: 1,
    maxLength: 12,
  }),
  kind: fc.constantFrom('pcap', 'pcapng'),
  ring: fc.constantFrom(0, 2, 3),
});

function scriptOf(recording: Recording, packets: readonly RecordedPacket[]): FakeFiles {
  const { rotations, writeBytes, kind, ring } = recording;
  const cuts = rotations.map((share) => Math.floor(share * packets.length)).sort((a, b) => a - b);
  const bounds = [...new Set([0, ...cuts, packets.length])];
  const files = new FakeFiles();
  let turn = 0;
  for (let index = 0; index + 1 < bounds.length; index++) {
    const part = packets.slice(bounds[index], bounds[index + 1]);
    const bytes = kind === 'pcap' ? pcapFile(part, { resolution: 'nano' }) : pcapngFile(part);
    const name = `trace${ring === 0 ? index : index % ring}`;
    // A ring whose reader comes by once between the end of a file and its being overwritten.
    files.script(
      () => {},
      () => files.overwrite(name, new Uint8Array(0)),
    );
    for (let at = 0; at < bytes.length; turn++) {
      const size = writeBytes[turn % writeBytes.length] as number;
      const piece = bytes.subarray(at, at + size);
      files.script(() => files.append(name, piece));
      at += size;
    }
  }
  return files;
}

describe('following a recording', () => {
  it('gives the same exchanges as reading it at once, however it is cut into files and writes', async () => {
    await fc.assert(
      fc.asyncProperty(recordings, async (recording) => {
        const { segments } = traffic(
          { connections: 3, exchanges: 4, pipelined: 2, largestBodyBytes: 1500 },
          seededRandom(recording.seed),
        );
        const packets = packetsOf(segments).map(({ frame, timeNs }) => ({ frame, timeNs }));
        const whole = await withFiles([pcapFile(packets, { resolution: 'nano' })], async (paths) => {
          const clock: RunClock = { epochSeconds: null };
          return outcomeOf(await openCaptures(paths, { clock, limits: LIMITS }), clock);
        });
        const clock: RunClock = { epochSeconds: null };
        const files = scriptOf(recording, packets);
        const source = await followCaptures(['trace*'], {
          clock,
          limits: LIMITS,
          pollMs: 100,
          mergeWaitMs: 200,
          fromStart: false,
          idleMs: 2000,
          watch: files,
        });
        const followed = await outcomeOf(source, clock);
        expect(files.stepsLeft).toBe(0);
        expect(followed).toEqual(whole);
        expect(source.report).toMatchObject({ vanished: 0, damaged: 0, late: 0, unfinished: 0, unread: 0 });
      }),
      { numRuns: fuzzRuns(60) },
    );
  });
});
