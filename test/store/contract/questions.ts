import { expect, it } from 'vitest';
import { UserError } from '../../../src/model/errors.ts';
import type { ExchangeStore } from '../../../src/store/exchange-store.ts';
import { batchOf, origin } from '../server-rows.ts';
import { at, LIST, RED } from './questions-asked.ts';

/** SQL of people, and questions that nobody waits for any more. `store` opens an empty one, which is closed after the test. */
export function questionsContract(store: () => Promise<ExchangeStore>): void {
  it('answers SQL, and nothing that it should not', async () => {
    const one = await store();
    await one.append(batchOf([at(0), at(1, { status: 500 }), at(2)]), origin('a'), null);
    const limits = { rows: 2, milliseconds: 5000 };
    const answer = await one.sql(
      'SELECT status, count(*) AS n FROM exchanges GROUP BY status ORDER BY n DESC',
      limits,
    );
    expect(answer).toMatchObject({
      columns: [
        { name: 'status', type: 'BIGINT' },
        { name: 'n', type: 'BIGINT' },
      ],
      rows: [
        [200, 2],
        [500, 1],
      ],
      truncated: false,
    });
    expect(await one.sql('SELECT id FROM exchanges ORDER BY id', limits)).toMatchObject({
      rows: [[1], [2]],
      truncated: true,
    });
    for (const text of ['DELETE FROM exchanges', 'SELECT 1; SELECT 2', 'SELEC', ''])
      await expect(one.sql(text, limits), text).rejects.toThrow(UserError);
    expect(await one.facts()).toMatchObject({ exchanges: 3 });
  });

  it('gives up what is no longer wanted', async () => {
    const one = await store();
    await one.append(batchOf([at(0)]), origin('a'), null);
    const reason = new Error('the client went away');
    await expect(one.list(LIST, AbortSignal.abort(reason))).rejects.toBe(reason);
    const controller = new AbortController();
    const waiting = one.red(RED, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    expect((await one.red(RED))[0].requests).toBe(1);
  });
}
