import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach } from 'vitest';
import type { Position } from '../src/agent/spool/position.ts';
import { Spool } from '../src/agent/spool/spool.ts';
import { createEventLog } from '../src/metrics/event-log.ts';

/** Spools of a test file, in directories that are removed after its last test. */
export interface SpoolPlace {
  /** The directory in which those of the spools lie. */
  readonly root: string;
  /** The path of a directory that is not there yet. */
  fresh(): string;
  /** Limits are in bytes, of the files and of what waits in memory. */
  open(directory: string, limitBytes?: number, queueBytes?: number): Promise<Spool>;
  /** Messages that spools have logged since the test began. */
  logged(): readonly string[];
}

/** A place for the spools of the calling test file, and a log that all of them write to. */
export function spoolPlace(): SpoolPlace {
  // In memory where there is such a place: a disk takes long to make things durable.
  const root = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'wirelens-spool-'));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  let lines: string[] = [];
  afterEach(() => {
    lines = [];
  });
  const log = createEventLog({
    level: 'info',
    format: 'json',
    name: 'test',
    write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg),
  });
  let number = 0;
  return {
    root,
    fresh: () => path.join(root, `spool-${++number}`),
    open: (directory, limitBytes = 1024 * 1024, queueBytes = 1024 * 1024) =>
      Spool.open({ directory, limitBytes, queueBytes, log }),
    logged: () => lines,
  };
}

/** A batch's body: a line of text, and so many random bytes after it. */
export function body(text: string, bytes = 0): Buffer {
  return Buffer.concat([Buffer.from(`${text}\n`), randomBytes(bytes)]);
}

/** The text of a body. */
export function textOf(bytes: Buffer): string {
  return bytes.toString('latin1').split('\n', 1)[0] as string;
}

/** The file as it stands on the disk; its own check is left aside. */
export function positionOf(directory: string): Position {
  return JSON.parse(readFileSync(path.join(directory, 'position'), 'utf8').slice(9)) as Position;
}

/** Names of the segments in a spool's directory, the oldest first. */
export function segmentsOf(directory: string): string[] {
  return readdirSync(directory)
    .filter((name) => name.endsWith('.segment'))
    .sort();
}

/** Takes and settles as sent what waits, three batches at a time, and gives their texts. */
export async function drained(spool: Spool): Promise<string[]> {
  const texts: string[] = [];
  for (let batches = await spool.take(3); batches.length > 0; batches = await spool.take(3)) {
    texts.push(...batches.map((batch) => textOf(batch.body)));
    spool.settle(batches.map(() => 'sent'));
  }
  return texts;
}
