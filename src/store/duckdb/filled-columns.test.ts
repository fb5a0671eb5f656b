import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { LIST } from '../../../test/store/contract/questions-asked.ts';
import { batchOf, EPOCH_US, type RowValues, row } from '../../../test/store/server-rows.ts';
import { openDuckDbStore } from './open.ts';

const root = mkdtempSync(path.join(tmpdir(), 'wirelens-filled-columns-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;

/** Columns that most databases have nothing in, with a value for each. */
const RARE: RowValues = {
  ending: 'client-reset',
  connect_ms: 1.5,
  request_headers: '[["accept","*/*"]]',
  interim: '[100]',
  request_media_type: 'text/plain',
  vlans: '[7]',
  sightings: '[]',
  request_lost_bytes: 3,
};
const NAMES = Object.keys(RARE);
const UNSEEN = Object.fromEntries([...NAMES, 'pod', 'namespace'].map((name) => [name, null]));

const upload = fc.record({
  rows: fc.array(fc.subarray(NAMES), { minLength: 1, maxLength: 3 }),
  pod: fc.option(fc.constant('pod-1')),
  namespace: fc.option(fc.constant('shop')),
  reopened: fc.boolean(),
});

describe('columns that hold nothing', () => {
  it('are shown as soon as they hold something, and after the store was opened again', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(upload, { minLength: 1, maxLength: 3 }), async (uploads) => {
        directories += 1;
        const directory = path.join(root, String(directories));
        const open = () => openDuckDbStore({ directory, log: () => {} });
        let store = await open();
        const expected: RowValues[] = [];
        for (const { rows, pod, namespace, reopened } of uploads) {
          const values = rows.map((names, index) => ({
            started_us: EPOCH_US + (expected.length + index) * 1000,
            ...Object.fromEntries(names.map((name) => [name, RARE[name]])),
          }));
          await store.append(batchOf(values.map(row)), { agent: 'a', node: null, pod, namespace }, null);
          expected.push(...values.map((one) => ({ ...UNSEEN, pod, namespace, ...one })));
          if (reopened) {
            await store.close();
            store = await open();
          }
          const { rows: listed } = await store.list({ ...LIST, sort: 'id', descending: false });
          expect(listed).toMatchObject(expected);
        }
        await store.close();
      }),
      { numRuns: 5 },
    );
  });
});
