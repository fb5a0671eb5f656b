import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { type OpenOptions, openCaptures } from '../src/capture/open.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { CaptureFacts, PacketSource, RunClock } from '../src/model/packet.ts';

/** A packet as it was when the source stood at it; its bytes are a copy. */
export interface SeenPacket {
  readonly frame: Uint8Array;
  readonly originalBytes: number;
  /** Nanoseconds since 1970. */
  readonly timeNs: bigint;
  readonly linkType: number;
  readonly capture: number;
  readonly interfaceNumber: number;
  readonly number: number;
}

export interface Reading {
  readonly packets: SeenPacket[];
  readonly facts: readonly CaptureFacts[];
  readonly clock: RunClock;
}

export async function readToEnd(source: PacketSource, clock: RunClock): Promise<Reading> {
  const seen: (Omit<SeenPacket, 'timeNs'> & { relativeNs: number })[] = [];
  const { packet } = source;
  do {
    while (source.next()) {
      const { bytes, start, end, timeNs: relativeNs, ...rest } = packet;
      seen.push({ ...rest, relativeNs, frame: bytes.slice(start, end) });
    }
  } while (await source.more());
  const facts = source.facts;
  await source.close();
  const epochNs = BigInt(clock.epochSeconds ?? 0) * 1_000_000_000n;
  const packets = seen.map(({ relativeNs, ...rest }) => ({ ...rest, timeNs: epochNs + BigInt(relativeNs) }));
  return { packets, facts, clock };
}

export async function readPaths(
  paths: readonly string[],
  options: Partial<OpenOptions> = {},
): Promise<Reading> {
  const clock = options.clock ?? { epochSeconds: null };
  return readToEnd(await openCaptures(paths, { limits: LIMITS, ...options, clock }), clock);
}

/** Reads bytes as standard input, which brings them in the given chunks. */
export function readBytes(
  bytes: Uint8Array | readonly Uint8Array[],
  options: Partial<OpenOptions> = {},
): Promise<Reading> {
  const chunks = bytes instanceof Uint8Array ? [bytes] : [...bytes];
  const stdin = Readable.from(chunks.filter((chunk) => chunk.length > 0).map((chunk) => Buffer.from(chunk)));
  return readPaths(['-'], { ...options, stdin });
}

/** Runs with files of these contents, in their order, and deletes them afterwards. */
export async function withFiles<T>(
  contents: readonly Uint8Array[],
  use: (paths: string[]) => Promise<T>,
): Promise<T> {
  const directory = mkdtempSync(join(tmpdir(), 'wirelens-captures-'));
  try {
    const paths = contents.map((content, index) => {
      const path = join(directory, `capture-${index}`);
      writeFileSync(path, content);
      return path;
    });
    return await use(paths);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
