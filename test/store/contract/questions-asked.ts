import type { BatchNumber } from '../../../src/model/row-batch.ts';
import type { AgentReport, ListQuery, RedQuery, Selection } from '../../../src/store/exchange-store.ts';
import { EPOCH_US, type RowValues, row } from '../server-rows.ts';

/* What the parts of the contract ask and hand in. */

/** Everything. */
export const ALL: Selection = {
  where: null,
  fromUs: null,
  toUs: null,
  address: null,
  agent: null,
  node: null,
};
/** All exchanges, the newest first. */
export const LIST: ListQuery = {
  ...ALL,
  sort: 'started',
  descending: true,
  limit: 2000,
  cursor: null,
  afterId: null,
};
/** All exchanges in one group. */
export const RED: RedQuery = { ...ALL, by: [], bucketSeconds: null, limit: 100 };
/** A batch of a stream. */
export const number = (stream: string, value: number): BatchNumber => ({ stream, number: value });
/** A row that began so many seconds after EPOCH_US. */
export const at = (seconds: number, values: RowValues = {}): RowValues =>
  row({ started_us: EPOCH_US + seconds * 1e6, ...values });

/** Of an agent with something in every field. */
export const REPORT: AgentReport = {
  agent: 'a',
  node: 'node-1',
  pod: null,
  namespace: 'wirelens',
  version: '1.2.3',
  startedUs: EPOCH_US,
  interfaces: ['eth0', 'lo'],
  packets: 2 ** 40,
  packetsDropped: 3,
  exchanges: 4,
  exchangesSent: 2,
  exchangesDropped: 1,
  backlogBatches: 5,
  backlogBytes: 6,
  rssBytes: 7,
  cpuSeconds: 1.5,
  problem: 'the server answered 503',
};
