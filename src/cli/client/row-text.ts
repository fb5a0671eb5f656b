import type { Paint, Style } from '../../report/style.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { type AnswerRow, numberOf, textOf } from './answer.ts';

/** Cells of an exchange as a server answers it, safe for a terminal. An en dash: there is none. */
export const NONE = '–';

/** `10.0.0.1:49152`, `[2001:db8::1]:80`. */
export function endpointText(row: AnswerRow, name: 'client' | 'server'): string {
  const address = sanitise(textOf(row, name) ?? NONE);
  const port = numberOf(row, `${name}_port`);
  const host = address.includes(':') ? `[${address}]` : address;
  return port === null ? host : `${host}:${port}`;
}

/** Milliseconds from the request's first byte to the response's, which LightObs calls latency; null: no response. */
export function latencyMs(row: AnswerRow): number | null {
  const wait = numberOf(row, 'wait_ms');
  return wait === null ? null : (numberOf(row, 'send_ms') ?? 0) + wait;
}

/** Three decimals: microseconds, which is what captures are exact to. */
export function millisecondsText(ms: number | null): string {
  return ms === null ? NONE : ms.toFixed(3);
}

/** Bytes of the response on the wire, head and body; null: there is none. */
export function responseBytes(row: AnswerRow): number | null {
  const head = numberOf(row, 'response_header_bytes');
  const body = numberOf(row, 'response_body_bytes');
  return head === null && body === null ? null : (head ?? 0) + (body ?? 0);
}

export function statusText(row: AnswerRow): string {
  const status = numberOf(row, 'status');
  if (status === null) return NONE;
  return status === 0 ? 'HTTP/0.9' : String(status);
}

/** Red for 5xx and for no answer, yellow for 4xx. */
export function statusPaint(row: AnswerRow, style: Style): Paint | undefined {
  const status = numberOf(row, 'status');
  if (status === null || status >= 500) return style.red;
  return status >= 400 ? style.yellow : undefined;
}

/** RFC 3339 in UTC, with nanoseconds where the capture has them. */
export function timeText(row: AnswerRow): string {
  const started = sanitise(textOf(row, 'started') ?? NONE);
  const ns = numberOf(row, 'started_ns') ?? 0;
  return ns > 0 && started.endsWith('Z') ? `${started.slice(0, -1)}${String(ns).padStart(3, '0')}Z` : started;
}
