import { momentText } from '../model/moment.ts';
import type { ExchangeRow } from '../store/exchange-store.ts';

/** What LightObs' clients ask and read; docs/server.md says what differs. */

const DEFAULT_LIMIT = 200;
const MOST = 2000;
/** Go's strconv.Atoi: a sign and digits. */
const ATOI = /^[+-]?\d{1,19}$/;

const one = (value: unknown): string => {
  const first = Array.isArray(value) ? value[0] : value;
  return typeof first === 'string' ? first.trim() : '';
};

/** 1 to 2000; anything else is 200, as LightObs has it. */
export function lightObsLimit(value: unknown): number {
  const text = one(value);
  const limit = ATOI.test(text) ? Number(text) : Number.NaN;
  return limit >= 1 && limit <= MOST ? limit : DEFAULT_LIMIT;
}

export type LightObsQuestion = { readonly by: 'pid' } | { readonly by: 'ip'; readonly ip: string } | null;

/** `pid` comes first, as LightObs has it. null: neither can be used. */
export function lightObsQuestion(parameters: Readonly<Record<string, unknown>>): LightObsQuestion {
  const pid = one(parameters.pid);
  if (ATOI.test(pid) && Number(pid) > 0) return { by: 'pid' };
  const ip = one(parameters.ip);
  return ip === '' ? null : { by: 'ip', ip };
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

/** What `lightObsRow` looks at: the store reads no more. */
export const LIGHTOBS_COLUMNS = [
  'started_us', 'client', 'client_port', 'server', 'server_port', 'method', 'target', 'status', 'send_ms',
  'wait_ms', 'response_header_bytes', 'response_body_bytes',
] as const; // biome-ignore format: a list

/** The 11 fields. What LightObs has no word for becomes 0 or empty. */
export function lightObsRow(row: ExchangeRow) {
  return {
    timestamp: momentText(number(row.started_us)) ?? '',
    src_ip: text(row.client),
    src_port: number(row.client_port),
    dst_ip: text(row.server),
    dst_port: number(row.server_port),
    pid: 0,
    http_method: text(row.method),
    http_path: text(row.target),
    status_code: number(row.status),
    // From the request's first byte to the response's first, as LightObs measures it; whole ms, never below 0.
    latency_ms: Math.max(0, Math.trunc(number(row.send_ms) + number(row.wait_ms))),
    packet_size: number(row.response_header_bytes) + number(row.response_body_bytes),
  };
}
