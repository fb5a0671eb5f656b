import { expect, it } from 'vitest';
import type { ExchangeStore } from '../../../src/store/exchange-store.ts';
import { batchOf, EPOCH_US, origin } from '../server-rows.ts';
import { at, LIST, number, REPORT } from './questions-asked.ts';

/** Who reports, and who sends rows. `store` opens an empty one, which is closed after the test. */
export function agentsContract(store: () => Promise<ExchangeStore>): void {
  it('keeps the last report of each agent', async () => {
    const one = await store();
    await one.append(batchOf([at(0), at(1)]), origin('a'), null);
    await one.report({ ...REPORT, packets: 1 }, EPOCH_US + 5);
    await one.report({ ...REPORT, agent: 'b', problem: null }, EPOCH_US + 6);
    await one.report(REPORT, EPOCH_US + 7);
    const place = { node: 'node-1', pod: null, namespace: 'wirelens' };
    const beforeUs = Date.now() * 1000;
    const other = { ...place, agent: 'b', report: { ...REPORT, agent: 'b', problem: null } };
    const all = await one.agents();
    expect(all).toEqual([
      {
        ...place,
        agent: 'a',
        report: REPORT,
        firstSeenUs: EPOCH_US + 5,
        // Its rows came after its reports.
        lastSeenUs: expect.any(Number),
        stored: 2,
      },
      { ...other, firstSeenUs: EPOCH_US + 6, lastSeenUs: EPOCH_US + 6, stored: 0 },
    ]);
    expect(Math.abs(all[0].lastSeenUs - beforeUs)).toBeLessThan(600e6);
  });

  it('lists agents that send rows and no reports', async () => {
    const one = await store();
    const job = { agent: 'job', node: 'n1', pod: 'p', namespace: 's' };
    await one.append(batchOf([at(0, { uid: '00000000000000aa' })]), job, null);
    await one.append(batchOf([at(0, { uid: '00000000000000aa' }), at(1)]), origin('lightobs'), null);
    await one.append(batchOf([at(1), at(2)]), { ...job, node: 'n2' }, number('s', 1));
    await one.append(batchOf([at(1), at(2)]), { ...job, node: 'n3' }, number('s', 1));
    await one.report({ ...REPORT, agent: 'b' }, EPOCH_US);
    const agents = await one.agents();
    expect(
      agents.map(({ agent, node, pod, report, stored }) => [agent, node, pod, report?.version, stored]),
    ).toEqual([
      ['b', 'node-1', null, '1.2.3', 0],
      ['job', 'n2', 'p', undefined, 3],
      ['lightobs', null, null, undefined, 2],
    ]);
    const { rows } = await one.list({ ...LIST, sort: 'id', descending: false });
    const [, own] = agents;
    expect(own.firstSeenUs).toBe(rows[0].received_us);
    expect(own.lastSeenUs).toBe(rows.at(-1)?.received_us);
  });
}
