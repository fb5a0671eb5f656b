import { describe, expect, it } from 'vitest';
import { EXCHANGE_COLUMNS } from '../export/exchange-columns.ts';
import { BATCH_COLUMNS } from './batch-columns.ts';

describe('the columns of a batch', () => {
  it('are those of an exchange but for id and started, and what else a SQLite file has of it', () => {
    const own = EXCHANGE_COLUMNS.filter(({ name }) => name !== 'id' && name !== 'started');
    const further = ['anomalies', 'vlans', 'tunnels', 'sightings'].map((name) => ({ name, type: 'text' }));
    expect(BATCH_COLUMNS.map(({ name, type }) => ({ name, type }))).toEqual([
      ...own.map(({ name, type }) => ({ name, type })),
      ...further,
    ]);
  });
});
