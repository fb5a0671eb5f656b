import type { GroupField } from './group-table.ts';
import type { Metric } from './metric.ts';
import type { Percentile } from './percentiles.ts';
import type { Ranking } from './top-exchanges.ts';

/** What is asked for. */
export interface StatQuestion {
  /** Empty: everything is one group. */
  readonly by: readonly GroupField[];
  readonly metric: Metric;
  readonly percentiles: readonly Percentile[];
  /** Keep the times of all requests, for time buckets. */
  readonly times: boolean;
  /** Which single exchanges to list. */
  readonly ranking: Ranking | null;
  /** How many of them, and their least value of the metric. */
  readonly listed: number;
  readonly listedFrom: number;
}
