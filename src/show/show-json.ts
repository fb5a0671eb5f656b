import { ANOMALIES } from '../model/anomaly.ts';
import type { Exchange } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { startNs, totalNs } from '../model/phases.ts';
import { FROM_CLIENT } from '../model/stream.ts';
import { rfc3339 } from '../model/time-text.ts';
import { lastPacketNs } from '../report/wall-clock.ts';
import { why } from '../report/why.ts';
import type { CloseLook, MessageView } from './close-look.ts';
import { type CurlCommand, curlText } from './curl.ts';
import type { Found } from './finder.ts';
import { flagText } from './packets.ts';
import { connectionTcp, exchangeTcp } from './tcp-words.ts';

/**
 * What `show` adds to an exchange's record (docs/json-record.md): described in docs/show.md. Bytes that are no
 * UTF-8 stand as one character each.
 */
export function showJson(
  { exchange, before, after }: Found,
  look: CloseLook | null,
  curl: CurlCommand | null,
  { clock, captures }: { clock: RunClock; captures: readonly CaptureFacts[] },
): Record<string, unknown> {
  const { connection } = exchange;
  return {
    why: why(exchange, lastPacketNs(captures)),
    exchanges_on_connection: connection.exchanges,
    connection_end: connection.end,
    connection_opening: connection.opening,
    tcp_in_words: [...exchangeTcp(exchange), ...connectionTcp(connection)],
    anomalies_in_words: Object.fromEntries(exchange.anomalies.map((name) => [name, ANOMALIES[name]])),
    request_head: headJson(look?.request ?? null),
    request_body: bodyJson(look?.request ?? null),
    response_head: headJson(look?.response ?? null),
    response_body: bodyJson(look?.response ?? null),
    packets: look === null ? null : packetsJson(look, exchange),
    packets_not_listed: look?.packets.left ?? 0,
    before: neighbour(before, clock),
    after: neighbour(after, clock),
    curl: curl === null ? null : { command: curlText(curl), arguments: curl.words, notes: curl.notes },
  };
}

function headJson(view: MessageView | null): unknown {
  if (view === null) return null;
  const { startLine, fields } = view.head;
  return { start_line: startLine, fields: fields.map(({ name, value, line }) => ({ name, value, line })) };
}

function bodyJson(view: MessageView | null): unknown {
  if (view === null || view.body === null) return null;
  const { form, text, bytes, isCut, notes } = view.body;
  return { form, text, bytes, cut: isCut, notes };
}

function packetsJson({ packets }: CloseLook, exchange: Exchange): unknown[] {
  const asks = exchange.request?.direction ?? FROM_CLIENT;
  return packets.packets.map(({ capture, number, timeNs, direction, flags, payloadBytes, marks }) => ({
    capture,
    packet: number,
    ms: (timeNs - startNs(exchange)) / 1e6,
    from: direction === asks ? 'client' : 'server',
    payload_bytes: payloadBytes,
    flags: flagText(flags),
    marks,
  }));
}

function neighbour(exchange: Exchange | null, clock: RunClock): unknown {
  if (exchange === null) return null;
  const total = totalNs(exchange);
  return {
    id: exchange.id,
    time: rfc3339(clock.epochSeconds, startNs(exchange), 9),
    method: exchange.request?.method ?? null,
    target: exchange.request?.target ?? null,
    status: exchange.response?.status ?? null,
    total_ms: total === null ? null : total / 1e6,
  };
}
