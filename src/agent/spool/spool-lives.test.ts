import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { body, positionOf, segmentsOf, spoolPlace, textOf } from '../../../test/spool-directory.ts';
import type { Spool } from './spool.ts';
import type { BatchOutcome } from './spool-facts.ts';

const { fresh, open } = spoolPlace();

const LIMIT_BYTES = 20_000;

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

/** The server has the first batch; the spool cannot know, and the batch goes when there is no room. */
const STORED_THEN_DROPPED: readonly Step[] = [
  { kind: 'append', rows: 7, bytes: 2000 },
  { kind: 'settle' },
  { kind: 'send', outcomes: ['lost answer'] },
  ...Array.from({ length: 12 }, (): Step[] => [
    { kind: 'append', rows: 1, bytes: 2000 },
    { kind: 'settle' },
  ]).flat(),
];

/** What a process that is killed now leaves behind. */
function crashed(directory: string): string {
  const copy = fresh();
  mkdirSync(copy);
  for (const name of readdirSync(directory))
    if (name !== 'lock' && existsSync(path.join(directory, name)))
      copyFileSync(path.join(directory, name), path.join(copy, name));
  return copy;
}

/** Follows a spool through its lives, and knows what a server has. */
class Model {
  /** By number, which batch the server was given under it. */
  readonly numbers = new Map<number, number>();
  readonly stored = new Set<number>();
  readonly refused = new Set<number>();
  /** The spool knows what became of them. The server may have others, whose answer was lost. */
  readonly answered = new Set<number>();
  readonly batches: { readonly rows: number; written: boolean }[] = [];
  lastTaken = -1;
  damages = 0;
  crashes = 0;
  /** Exchanges that were on their way to the disk when the process was killed. */
  tornRows = 0;

  rowsOf(ids: Iterable<number>): number {
    return [...ids].reduce((sum, id) => sum + (this.batches[id]?.rows ?? 0), 0);
  }

  /** Batches of which no answer came. */
  get unanswered(): number[] {
    return this.batches.flatMap((_, id) => (this.answered.has(id) ? [] : [id]));
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
    model.answered.add(id);
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
        expect(dropped + damaged + unwritten).toBe(model.rowsOf(model.unanswered));
        expect(sent + refused).toBe(model.rowsOf(model.answered));
      }
      rmSync(directory, { recursive: true, force: true });
    };
    await fc.assert(fc.asyncProperty(fc.array(STEP, { maxLength: 60, size: 'max' }), run), {
      numRuns: 60,
      examples: [[STORED_THEN_DROPPED]],
    });
  });
});
