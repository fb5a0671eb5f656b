import { randomBytes } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { createEventLog } from '../../metrics/event-log.ts';
import type { Position } from './position.ts';
import { Spool } from './spool.ts';
import type { BatchOutcome } from './spool-facts.ts';

/** In memory where there is such a place: a disk takes long to make things durable. */
const root = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'wirelens-spool-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let lines: string[] = [];
const log = createEventLog({
  level: 'info',
  format: 'json',
  name: 'test',
  write: (line) => lines.push((JSON.parse(line) as { msg: string }).msg),
});
let number = 0;
const fresh = (): string => path.join(root, `spool-${++number}`);

const open = (directory: string, limitBytes = 1024 * 1024, queueBytes = 1024 * 1024): Promise<Spool> =>
  Spool.open({ directory, limitBytes, queueBytes, log });

const body = (text: string, bytes = 0): Buffer =>
  Buffer.concat([Buffer.from(`${text}\n`), randomBytes(bytes)]);
const textOf = (bytes: Buffer): string => bytes.toString('latin1').split('\n', 1)[0] as string;

/** The file as it stands on the disk; its own check is left aside. */
function positionOf(directory: string): Position {
  return JSON.parse(readFileSync(path.join(directory, 'position'), 'utf8').slice(9)) as Position;
}
const segmentsOf = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => name.endsWith('.segment'))
    .sort();

/** What a process that is killed now leaves behind. */
function crashed(directory: string): string {
  const copy = fresh();
  mkdirSync(copy);
  for (const name of readdirSync(directory))
    if (name !== 'lock' && existsSync(path.join(directory, name)))
      copyFileSync(path.join(directory, name), path.join(copy, name));
  return copy;
}

async function drained(spool: Spool): Promise<string[]> {
  const texts: string[] = [];
  for (let batches = await spool.take(3); batches.length > 0; batches = await spool.take(3)) {
    texts.push(...batches.map((batch) => textOf(batch.body)));
    spool.settle(batches.map(() => 'sent'));
  }
  return texts;
}

afterEach(() => {
  lines = [];
});

describe('a spool', () => {
  it('hands out batches in order, again after a restart, and forgets what was sent', async () => {
    const directory = fresh();
    const first = await open(directory);
    for (const text of ['a', 'b', 'c']) first.append({ rows: 10, body: body(text, 100) });
    await first.settled();
    expect(first.counts).toMatchObject({ waitingBatches: 3, waitingRows: 30, sent: 0 });
    const [batch, ...others] = await first.take(2);
    expect([batch?.number, batch?.rows, textOf(batch?.body as Buffer)]).toEqual([1, 10, 'a']);
    expect(others.map(({ number }) => number)).toEqual([2]);
    // The second one will come again.
    first.settle(['sent']);
    await first.take();
    first.settle([]);
    await first.close();

    const second = await open(directory);
    expect(second.stream).toBe(first.stream);
    expect(second.counts).toMatchObject({ waitingBatches: 2, waitingRows: 20, sent: 0, damaged: 0 });
    second.append({ rows: 1, body: body('d') });
    await second.settled();
    expect(await drained(second)).toEqual(['b', 'c', 'd']);
    expect(second.counts).toMatchObject({ waitingBatches: 0, waitingRows: 0, waitingBytes: 0, sent: 21 });
    await second.close();
    expect(positionOf(directory)).toMatchObject({ sent: 31, done: 4, writtenRows: 31, doneRows: 31 });

    const third = await open(directory);
    expect(segmentsOf(directory)).toEqual([]);
    third.append({ rows: 1, body: body('e') });
    await third.settled();
    // Whatever is on the disk, a number that was used is not used again.
    expect((await third.take())[0]?.number).toBe(5);
    await third.close();
  });

  it('drops the oldest segment when it is full, and counts its exchanges', async () => {
    const directory = fresh();
    const spool = await open(directory, 64_000);
    for (let index = 0; index < 100; index += 1) {
      spool.append({ rows: 7, body: body(`${index}`, 1000) });
      await spool.settled();
    }
    const { counts } = spool;
    expect(counts.fileBytes).toBeLessThanOrEqual(64_000);
    expect(counts.droppedFull).toBeGreaterThan(0);
    expect(counts.droppedFull + counts.waitingRows).toBe(700);
    expect(
      segmentsOf(directory).reduce((sum, name) => sum + statSync(path.join(directory, name)).size, 0),
    ).toBe(counts.fileBytes);
    const left = await drained(spool);
    expect(left.at(-1)).toBe('99');
    expect(left).toEqual(Array.from({ length: left.length }, (_, index) => `${100 - left.length + index}`));
    expect(lines.filter((line) => line.includes('the spool is full'))).toHaveLength(1);
    await spool.close();
    const { sent, dropped, doneRows } = positionOf(directory);
    expect(sent + dropped).toBe(700);
    expect(doneRows).toBe(700);
  });

  it('counts a batch that was dropped while it was sent by what became of it', async () => {
    for (const arrived of [true, false]) {
      const directory = fresh();
      const spool = await open(directory, 16_000);
      spool.append({ rows: 5, body: body('in hand', 1000) });
      await spool.settled();
      await spool.take();
      for (let index = 0; index < 30; index += 1) {
        spool.append({ rows: 1, body: body(`${index}`, 1000) });
        await spool.settled();
      }
      expect(spool.counts.droppedFull + spool.counts.waitingRows).toBe(35);
      const before = spool.counts.droppedFull;
      spool.settle(arrived ? ['sent'] : []);
      expect(spool.counts.sent).toBe(arrived ? 5 : 0);
      expect(spool.counts.droppedFull).toBe(arrived ? before : before + 5);
      expect(await drained(spool)).not.toContain('in hand');
      expect(spool.counts.droppedFull + spool.counts.sent).toBe(35);
      await spool.close();
    }
  });

  it('goes on while nothing can be written, and loses no more than does not fit into memory', async () => {
    const directory = fresh();
    const spool = await open(directory, 1024 * 1024, 10_000);
    spool.append({ rows: 1, body: body('before') });
    await spool.settled();
    await drained(spool);
    await spool.settled();
    // The next segment cannot be made, and what is in the open one cannot be found again.
    rmSync(directory, { recursive: true });
    for (let index = 0; index < 20; index += 1)
      spool.append({ rows: 2, body: body(`${index}`, 200_000 / 20) });
    for (let index = 0; index < 20; index += 1) spool.append({ rows: 2, body: body(`late ${index}`, 1000) });
    await spool.settled();
    expect(spool.failure).toContain('ENOENT');
    const { waitingRows, droppedUnwritten } = spool.counts;
    expect(waitingRows).toBeGreaterThan(0);
    expect(waitingRows + droppedUnwritten).toBe(80);
    mkdirSync(directory);
    await spool.settled();
    expect(spool.failure).toBeNull();
    const left = await drained(spool);
    expect(left.at(-1)).toBe('late 19');
    expect(spool.counts).toMatchObject({ waitingRows: 0, droppedUnwritten });
    expect(spool.counts.sent + spool.counts.damaged + droppedUnwritten).toBe(81);
    expect(lines.filter((line) => line.startsWith('the spool c'))).toEqual([
      'the spool cannot be written; exchanges wait in memory',
      'the spool can be written again',
    ]);
    await spool.close();
  });

  it('removes no segment before its position is on the disk', async () => {
    // Batches are settled at every moment while the disk is at work.
    for (let turns = 0; turns < 12; turns += 1) {
      const directory = fresh();
      const spool = await open(directory, 8_000);
      for (const text of ['a', 'b', 'c']) {
        spool.append({ rows: 1, body: body(text, 1500) });
        await spool.settled();
      }
      const [name] = segmentsOf(directory);
      await spool.take();
      let working = true;
      const work = spool.settled().finally(() => {
        working = false;
      });
      for (let turn = 0; working; turn += 1) {
        if (turn === turns) spool.settle(['sent']);
        await new Promise((resolve) => setImmediate(resolve));
        if (!segmentsOf(directory).includes(name as string)) expect(positionOf(directory).done).toBe(1);
      }
      await work;
      await spool.close();
    }
  });

  it('is for one agent', async () => {
    const directory = fresh();
    const spool = await open(directory);
    await expect(open(directory)).rejects.toMatchObject({ code: 'spool-in-use', name: 'UserError' });
    await spool.close();
    await (await open(directory)).close();
  });

  it('refuses a directory that cannot be one, with a word about what to do', async () => {
    const file = path.join(root, 'file');
    writeFileSync(file, '');
    await expect(open(file)).rejects.toMatchObject({
      name: 'UserError',
      code: 'spool',
      place: { file },
      hint: expect.stringContaining('--spool'),
    });
  });

  it('leaves out what is damaged in the middle, and counts it exactly', async () => {
    const directory = fresh();
    const spool = await open(directory);
    for (const text of ['a', 'b', 'c', 'd']) spool.append({ rows: 10, body: body(text, 500) });
    await spool.close();
    const file = path.join(directory, segmentsOf(directory)[0] as string);
    const bytes = readFileSync(file);
    // The second body, and the third header.
    const record = bytes.length / 4;
    bytes[record + 100] ^= 1;
    bytes[2 * record + 20] ^= 1;
    writeFileSync(file, bytes);
    const again = await open(directory);
    expect(lines).toContain('a part of the spool is torn or damaged and was left out');
    expect(await drained(again)).toEqual(['a', 'd']);
    expect(again.counts).toMatchObject({ sent: 20, damaged: 20, waitingRows: 0 });
    await again.close();
  });

  it('sends everything again under the same numbers when only the position was lost', async () => {
    const directory = fresh();
    const spool = await open(directory);
    for (const text of ['a', 'b']) spool.append({ rows: 3, body: body(text) });
    await spool.settled();
    await spool.take();
    spool.settle(['sent']);
    await spool.close();
    writeFileSync(path.join(directory, 'position'), 'x'.repeat(512));
    const again = await open(directory);
    again.append({ rows: 1, body: body('new') });
    await again.settled();
    const taken: [number, string][] = [];
    for (let [batch] = await again.take(); batch !== undefined; [batch] = await again.take()) {
      taken.push([batch.number, textOf(batch.body)]);
      again.settle(['sent']);
    }
    expect(taken.slice(0, 2)).toEqual([
      [1, 'a'],
      [2, 'b'],
    ]);
    expect(taken[2]?.[1]).toBe('new');
    // Far above whatever may have been used and forgotten.
    expect(taken[2]?.[0]).toBeGreaterThan(100_000);
    await again.close();
  });
});

type Outcome = 'stored' | 'lost answer' | 'failed' | 'refused';

type Step =
  | { readonly kind: 'append'; readonly rows: number; readonly bytes: number }
  | { readonly kind: 'settle' }
  | { readonly kind: 'nudge' }
  | { readonly kind: 'send'; readonly outcomes: readonly Outcome[] }
  | { readonly kind: 'crash'; readonly cut: number | null; readonly flip: number | null }
  | { readonly kind: 'restart' };

const STEP: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('append' as const), rows: fc.integer({ min: 1, max: 50 }), bytes: fc.integer({ min: 0, max: 2500 }) }) },
  { weight: 4, arbitrary: fc.constant({ kind: 'settle' as const }) },
  { weight: 3, arbitrary: fc.constant({ kind: 'nudge' as const }) },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('send' as const),
      outcomes: fc.array(fc.constantFrom<Outcome>('stored', 'stored', 'stored', 'lost answer', 'failed', 'refused'), { minLength: 1, maxLength: 4 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      cut: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
      flip: fc.option(fc.double({ min: 0, max: 0.999, noNaN: true })),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
); // biome-ignore format: a table of steps

/** Follows a spool through its lives, and knows what a server has. */
class Model {
  /** By number, which batch the server was given under it. */
  readonly numbers = new Map<number, number>();
  readonly stored = new Set<number>();
  readonly refused = new Set<number>();
  readonly batches: { readonly rows: number; written: boolean }[] = [];
  lastTaken = -1;
  damages = 0;
  crashes = 0;
  /** Exchanges that were on their way to the disk when the process was killed. */
  tornRows = 0;

  rowsOf(ids: Iterable<number>): number {
    return [...ids].reduce((sum, id) => sum + (this.batches[id]?.rows ?? 0), 0);
  }

  /** Batches that were on the disk, and never reached the server. */
  get missing(): number[] {
    return this.batches.flatMap(({ written }, id) =>
      written && !this.stored.has(id) && !this.refused.has(id) ? [id] : [],
    );
  }
}

async function step(model: Model, spool: Spool, directory: string, one: Step): Promise<[Spool, string]> {
  switch (one.kind) {
    case 'append':
      spool.append({ rows: one.rows, body: body(String(model.batches.length), one.bytes) });
      model.batches.push({ rows: one.rows, written: false });
      return [spool, directory];
    case 'settle':
      await spool.settled();
      for (const batch of model.batches) batch.written = true;
      return [spool, directory];
    case 'nudge':
      // The disk is at work while the next steps happen.
      void spool.settled();
      return [spool, directory];
    case 'send':
      await send(model, spool, one.outcomes);
      return [spool, directory];
    case 'restart':
      await spool.close();
      for (const batch of model.batches) batch.written = true;
      model.lastTaken = -1;
      return [await open(directory, LIMIT_BYTES), directory];
    case 'crash': {
      const copy = crashed(directory);
      await spool.close();
      damage(model, copy, one);
      model.crashes += 1;
      model.lastTaken = -1;
      // What was on its way to the disk may be there or not.
      model.batches.forEach((batch, id) => {
        if (batch.written || model.refused.has(id)) return;
        model.refused.add(id);
        model.tornRows += batch.rows;
      });
      return [await open(copy, LIMIT_BYTES), copy];
    }
  }
}

const LIMIT_BYTES = 20_000;

/** Sends a few batches at once; `outcomes` are theirs, and those without one are stored. */
async function send(model: Model, spool: Spool, outcomes: readonly Outcome[]): Promise<void> {
  const batches = await spool.take(Math.max(1, outcomes.length));
  if (batches.length === 0) return;
  const settled: BatchOutcome[] = [];
  let again = false;
  for (const [index, batch] of batches.entries()) {
    const outcome = outcomes[index] ?? 'stored';
    const id = Number(textOf(batch.body));
    expect(batch.rows).toBe(model.batches[id]?.rows);
    expect(id).toBeGreaterThan(model.lastTaken);
    // A number stands for one batch, and a batch has one number.
    expect(model.numbers.get(batch.number) ?? id).toBe(id);
    for (const [number, other] of model.numbers) if (other === id) expect(number).toBe(batch.number);
    model.numbers.set(batch.number, id);
    if (outcome === 'stored' || outcome === 'lost answer') model.stored.add(id);
    again ||= outcome === 'lost answer' || outcome === 'failed';
    if (again) continue;
    if (outcome === 'refused') model.refused.add(id);
    settled.push(outcome === 'refused' ? 'refused' : 'sent');
    model.lastTaken = id;
  }
  spool.settle(settled);
}

function damage(
  model: Model,
  directory: string,
  { cut, flip }: { cut: number | null; flip: number | null },
): void {
  const names = segmentsOf(directory).filter((name) => statSync(path.join(directory, name)).size > 0);
  const last = names.at(-1);
  if (last === undefined) return;
  const file = path.join(directory, last);
  if (cut !== null) truncateSync(file, Math.floor(cut * statSync(file).size));
  if (flip !== null && statSync(file).size > 0) {
    const bytes = readFileSync(file);
    bytes[Math.floor(flip * bytes.length)] ^= 0x40;
    writeFileSync(file, bytes);
  }
  if (cut !== null || flip !== null) model.damages += 1;
}

describe('a spool that is killed, cut and damaged at any time', () => {
  it('never uses a number twice, never sends a batch as two, and counts everything that is lost', async () => {
    const run = async (steps: readonly Step[]): Promise<void> => {
      let directory = fresh();
      const model = new Model();
      let spool = await open(directory, LIMIT_BYTES);
      const { stream } = spool;
      for (const one of steps) {
        [spool, directory] = await step(model, spool, directory, one);
        expect(spool.stream).toBe(stream);
        expect(spool.counts.fileBytes).toBeLessThanOrEqual(LIMIT_BYTES);
      }
      await spool.settled();
      for (const batch of model.batches) batch.written = true;
      while (spool.counts.waitingBatches > 0) await send(model, spool, ['stored', 'stored', 'stored']);
      expect(spool.counts.waitingRows).toBe(0);
      await spool.close();
      const { sent, refused, dropped, damaged, doneRows, writtenRows, unwritten } = positionOf(directory);
      expect(sent + refused + dropped + damaged).toBe(doneRows);
      expect(doneRows).toBe(writtenRows);
      // Nothing is lost without being counted; without crashes the count is exact.
      const missing = model.rowsOf(model.missing);
      expect(missing).toBeLessThanOrEqual(dropped + damaged + unwritten);
      if (model.damages === 0) expect(damaged).toBeLessThanOrEqual(model.tornRows);
      if (model.crashes === 0) {
        expect(missing).toBe(dropped + damaged + unwritten);
        expect(sent + refused).toBe(model.rowsOf(new Set([...model.stored, ...model.refused])));
      }
      rmSync(directory, { recursive: true, force: true });
    };
    await fc.assert(fc.asyncProperty(fc.array(STEP, { maxLength: 60, size: 'max' }), run), { numRuns: 60 });
  });
});
