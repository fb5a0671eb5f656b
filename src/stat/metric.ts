import type { Exchange } from '../model/exchange.ts';
import { connectNs, receiveNs, sendNs, totalNs, waitNs } from '../model/phases.ts';

/** What percentiles are of. */
export type MetricName =
  | 'total'
  | 'wait'
  | 'connect'
  | 'send'
  | 'receive'
  | 'request.bytes'
  | 'response.bytes';

export interface Metric {
  readonly name: MetricName;
  /** ns or bytes; whole, 0 or more. */
  readonly unit: 'ns' | 'B';
  /** For headings: `p50 … of the …`. */
  readonly about: string;
  /** null: the packets do not show it. */
  value(exchange: Exchange): number | null;
}

const bytesOf = (message: { headerBytes: number; bodyBytes: number } | null): number | null =>
  message === null ? null : message.headerBytes + message.bodyBytes;

export const METRICS: readonly Metric[] = [
  { name: 'total', unit: 'ns', about: 'total time', value: totalNs },
  { name: 'wait', unit: 'ns', about: 'waiting time', value: waitNs },
  { name: 'connect', unit: 'ns', about: 'connecting time', value: connectNs },
  { name: 'send', unit: 'ns', about: 'sending time', value: sendNs },
  { name: 'receive', unit: 'ns', about: 'receiving time', value: receiveNs },
  { name: 'request.bytes', unit: 'B', about: 'request size', value: ({ request }) => bytesOf(request) },
  { name: 'response.bytes', unit: 'B', about: 'response size', value: ({ response }) => bytesOf(response) },
];

export function findMetric(name: string): Metric | undefined {
  return METRICS.find((metric) => metric.name === name);
}
