import { expect } from 'vitest';
import { pcapFile, type RecordedPacket } from '../fixtures/build/capture-file.ts';
import { followCaptures } from '../src/capture/follow/follow.ts';
import type { FollowOptions } from '../src/capture/follow/options.ts';
import type { FollowNotice } from '../src/capture/follow/report.ts';
import type { FollowSource } from '../src/capture/follow/source.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { RunClock } from '../src/model/packet.ts';
import { START_NS } from './capture-arbitraries.ts';
import { readToEnd } from './capture-reading.ts';
import type { FakeFiles } from './fake-files.ts';

/** Captures in memory that grow while they are followed. Every packet's only byte is its mark, by which it is known. */

const FILE_HEADER_BYTES = 24;

/** A packet at `ms`, whose only byte is its mark. */
export function packet(mark: number, ms = mark): RecordedPacket {
  return { timeNs: START_NS + BigInt(ms) * 1_000_000n, frame: Uint8Array.of(mark) };
}

/** A packet of each mark, at as many milliseconds. */
export function packets(...marks: number[]): RecordedPacket[] {
  return marks.map((mark) => packet(mark));
}

/** A whole pcap file of these packets. */
export function capture(...marks: number[]): Uint8Array {
  return pcapFile(packets(...marks));
}

/** Records without the file header. */
export function records(...marks: number[]): Uint8Array {
  return capture(...marks).subarray(FILE_HEADER_BYTES);
}

/** Steps of a script in which nothing happens. */
export function nothing(times: number): (() => void)[] {
  return Array.from({ length: times }, () => () => {});
}

/** Following that has begun and of which nothing was read. */
export interface Following {
  readonly source: FollowSource;
  readonly clock: RunClock;
  /** Grows while the source is read. */
  readonly notices: FollowNotice[];
}

/** Begins to follow; who reads the source closes it. */
export async function beginFollowing(
  files: FakeFiles,
  targets: readonly string[],
  options: Partial<FollowOptions> = {},
): Promise<Following> {
  const clock: RunClock = { epochSeconds: null };
  const notices: FollowNotice[] = [];
  const source = await followCaptures(targets, {
    clock,
    limits: LIMITS,
    pollMs: 200,
    mergeWaitMs: 300,
    fromStart: false,
    idleMs: 10_000,
    watch: files,
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
  return { source, clock, notices };
}

/** What following gave, from its first packet to its end. */
export interface Followed {
  /** Of the packets, in the order in which they came. */
  readonly marks: number[];
  readonly source: FollowSource;
  readonly notices: FollowNotice[];
  /** Of the files that were read, in the order in which they were begun. */
  readonly paths: string[];
}

/** Follows to the end, after which no file may be open. */
export async function follow(
  files: FakeFiles,
  targets: readonly string[],
  options: Partial<FollowOptions> = {},
): Promise<Followed> {
  const { source, clock, notices } = await beginFollowing(files, targets, options);
  const { packets: seen, facts } = await readToEnd(source, clock);
  expect(files.openCount).toBe(0);
  expect(files.closed).toBe(true);
  return {
    marks: seen.map(({ frame }) => frame[0] as number),
    source,
    notices,
    paths: facts.map(({ path }) => path),
  };
}

/** What the user was told: `path: text`. */
export function told({ notices }: Followed): string[] {
  return notices.map(({ path, text }) => `${path}: ${text}`);
}
