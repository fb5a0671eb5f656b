import type { BatchColumn, BatchOrigin, RowBatch } from '../../src/model/row-batch.ts';
import { BATCH_COLUMNS } from '../../src/transfer/batch-columns.ts';

/** Rows for the tests of stores, independent of what encodes and decodes them. */

export type RowValues = Readonly<Record<string, string | number | null>>;

/** 2023-11-14T22:13:20Z. */
export const EPOCH_US = 1_700_000_000_000_000;

const PLAIN: RowValues = {
  started_us: EPOCH_US,
  started_ns: 0,
  connection_id: 1,
  position: 1,
  client: '10.0.0.1',
  client_port: 40_000,
  server: '10.0.0.2',
  server_port: 80,
  method: 'GET',
  host: 'example.test',
  target: '/users/1',
  path: '/users/1',
  route: '/users/{id}',
  http_version: '1.1',
  response_http_version: '1.1',
  status: 200,
  reason: 'OK',
  outcome: 'complete',
  ending: null,
  pairing: 'exact',
  connect_ms: null,
  send_ms: 0.5,
  wait_ms: 2,
  receive_ms: 0.5,
  total_ms: 3,
  request_header_bytes: 80,
  request_body_bytes: 0,
  response_header_bytes: 120,
  response_body_bytes: 500,
  anomaly_count: 0,
  places: 1,
  uid: null,
};

/** A row with what is given, and plain values else. */
export function row(values: RowValues = {}): RowValues {
  return { ...PLAIN, ...values };
}

/** In columns, each in the form that its values have. */
export function batchOf(rows: readonly RowValues[]): RowBatch {
  const columns: Record<string, BatchColumn> = {};
  for (const { name, type, nullable } of BATCH_COLUMNS) {
    const values = rows.map((one) => one[name] ?? (nullable ? null : type === 'text' ? '' : 0));
    columns[name] = type === 'text' ? texts(values) : numbers(values);
  }
  return { rows: rows.length, columns };
}

function texts(values: readonly (string | number | null)[]): BatchColumn {
  if (values.every((value) => value === null)) return { form: 'all', value: null };
  const places = new Map<string, number>();
  const codes = Int32Array.from(values, (value) => {
    if (value === null) return -1;
    const text = String(value);
    if (!places.has(text)) places.set(text, places.size);
    return places.get(text) as number;
  });
  return { form: 'codes', texts: [...places.keys()], codes };
}

function numbers(values: readonly (string | number | null)[]): BatchColumn {
  const [first] = values;
  if (values.every((value) => value === first)) return { form: 'all', value: first };
  const nulls = Uint8Array.from(values, (value) => (value === null ? 1 : 0));
  return {
    form: 'numbers',
    values: Float64Array.from(values, (value) => Number(value ?? 0)),
    nulls: nulls.some((one) => one === 1) ? nulls : null,
  };
}

export function origin(agent: string, node: string | null = null): BatchOrigin {
  return { agent, node, pod: null, namespace: null };
}
