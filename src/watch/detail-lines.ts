import { ANOMALIES } from '../model/anomaly.ts';
import type { Connection, Exchange, HeaderField, Message } from '../model/exchange.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { startNs, totalNs } from '../model/phases.ts';
import { rfc3339 } from '../model/time-text.ts';
import { brokenText } from '../report/broken-text.ts';
import { requestText, statusPaint, statusText } from '../report/exchange-text.ts';
import type { Style } from '../report/style.ts';
import { pad, sanitise, wrap } from '../report/terminal-text.ts';
import { formatBytes, formatDuration } from '../report/units.ts';
import { lastPacketNs } from '../report/wall-clock.ts';
import { why } from '../report/why.ts';
import { connectionTcp, exchangeTcp } from '../show/tcp-words.ts';
import { timelineLines } from '../show/timeline.ts';
import { sightingLines } from './sighting-lines.ts';

const NAME_CELLS = 12;
/** Lines are broken as if the screen were at least so wide; what goes beyond is cut. */
const LEAST_CELLS = 40;

export interface DetailOptions {
  readonly width: number;
  readonly style: Style;
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
}

/** Everything that is known of one exchange, line by line; the packets are not looked at again. */
export function detailLines(exchange: Exchange, given: DetailOptions): string[] {
  const options = { ...given, width: Math.max(LEAST_CELLS, given.width) };
  const { style, width, captures } = options;
  const captureEndNs = lastPacketNs(captures);
  const blocks = [
    headline(exchange, captureEndNs, options),
    placeLines(exchange, options),
    [style.bold('Phases'), ...timelineLines(exchange, { width, style, captureEndNs })],
    sightingLines(exchange, captures, options),
    interimLines(exchange, options),
    messageLines('Request', exchange.request, options),
    messageLines('Response', exchange.response, options),
    tcpLines(exchange, options),
    anomalyLines(exchange, options),
  ];
  return blocks
    .filter((block) => block.length > 0)
    .flatMap((block, index) => (index === 0 ? block : ['', ...block]));
}

function headline(exchange: Exchange, captureEndNs: number | null, options: DetailOptions): string[] {
  const { style, width } = options;
  const paint = statusPaint(exchange, style) ?? style.bold;
  const reason = sanitise(exchange.response?.reason ?? '');
  const answer = exchange.response === null ? 'no answer' : `${statusText(exchange)} ${reason}`.trimEnd();
  const total = totalNs(exchange);
  const verdict = [
    exchange.outcome.replaceAll('-', ' '),
    total === null ? 'total unknown' : `${formatDuration(total)} in all`,
    `pairing ${exchange.pairing}`,
  ].join(', ');
  const reasons = why(exchange, captureEndNs);
  return [
    ...brokenText(requestText(exchange), width).map((line) => style.bold(line)),
    ...brokenText(answer, width - 2).map((line) => `  ${paint(line)}`),
    ...wrap(reasons === null ? verdict : `${verdict}; ${reasons}`, width - 2).map(
      (line) => `  ${style.cyan(line)}`,
    ),
  ];
}

function placeLines(exchange: Exchange, options: DetailOptions): string[] {
  const { connection, client, server, position } = exchange;
  const { clock, captures } = options;
  const lines = [
    ...named('exchange', String(exchange.id), options),
    ...named('when', rfc3339(clock.epochSeconds, startNs(exchange), 9), options),
    ...named('client', client.text, options),
    ...named('server', server.text, options),
    ...named(
      'connection',
      `${connection.id}, exchange ${position} of ${connection.exchanges} on it so far`,
      options,
    ),
  ];
  const interfaceName = interfaceOf(connection, captures);
  if (interfaceName !== null) lines.push(...named('interface', interfaceName, options));
  const inside = [
    ...connection.vlans.map((id) => `VLAN ${id}`),
    ...connection.tunnels.map(({ kind, id }) => (id === null ? kind : `${kind} ${id}`)),
  ];
  if (inside.length > 0) lines.push(...named('inside', inside.join(', '), options));
  return lines;
}

function interfaceOf({ capture, interfaceNumber }: Connection, captures: readonly CaptureFacts[]) {
  const found = captures[capture]?.interfaces.find(({ number }) => number === interfaceNumber);
  return found?.name ?? null;
}

function interimLines({ interim, request }: Exchange, { style }: DetailOptions): string[] {
  if (interim.length === 0) return [];
  return [
    style.bold('Interim responses'),
    ...interim.map(({ status, timeNs }) => {
      const after =
        request === null ? '' : `, ${formatDuration(timeNs - request.firstByteNs)} after the request began`;
      return `  ${status}${after}`;
    }),
  ];
}

function messageLines(title: string, message: Message | null, options: DetailOptions): string[] {
  if (message === null) return [];
  const { style, width } = options;
  const facts = [
    `HTTP/${sanitise(message.version)}`,
    `packet ${message.packet}`,
    `${formatBytes(message.headerBytes)} of headers`,
    message.bodyBytes === 0 ? 'no body' : `${formatBytes(message.bodyBytes)} of body`,
  ];
  if (message.lostBytes > 0) facts.push(`${formatBytes(message.lostBytes)} of it not in the capture`);
  const lines = [
    style.bold(title),
    ...wrap(facts.join(', '), width - 2).map((line) => `  ${style.dim(line)}`),
  ];
  for (const { name, value } of fieldsOf(message)) {
    const [first, ...rest] = brokenText(`${name}: ${value}`, width - 4);
    lines.push(`  ${first}`, ...rest.map((line) => `    ${line}`));
  }
  return lines;
}

/** The header fields that an exchange keeps, those with a place of their own first. */
function fieldsOf(message: Message): HeaderField[] {
  const fields: HeaderField[] = [];
  const add = (name: string, value: string | null | undefined): void => {
    const isKept = message.headers.some((field) => field.name === name);
    if (value !== null && value !== undefined && !isKept) fields.push({ name, value });
  };
  const request = message as Partial<Record<'host' | 'userAgent', string | null>>;
  add('host', request.host);
  add('user-agent', request.userAgent);
  add('content-type', message.mediaType);
  return [...fields, ...message.headers];
}

function tcpLines(exchange: Exchange, { width, style }: DetailOptions): string[] {
  // While the capture runs, a connection that has not ended is open.
  const ofConnection = connectionTcp(exchange.connection).map((sentence) =>
    sentence.replace('still open when the capture ended', 'still open'),
  );
  return [
    style.bold('TCP'),
    ...[...exchangeTcp(exchange), ...ofConnection].flatMap((text) =>
      wrap(text, width - 2).map((line) => `  ${line}`),
    ),
  ];
}

function anomalyLines({ anomalies }: Exchange, { width, style }: DetailOptions): string[] {
  if (anomalies.length === 0) return [];
  return [
    style.bold('Anomalies'),
    ...anomalies.flatMap((name) =>
      wrap(`${name}: ${ANOMALIES[name]}`, width - 4).map((line, index) =>
        index === 0
          ? `  ${style.yellow(line.slice(0, name.length))}${line.slice(name.length)}`
          : `    ${line}`,
      ),
    ),
  ];
}

function named(name: string, text: string, { width, style }: DetailOptions): string[] {
  return brokenText(text, width - NAME_CELLS - 2).map(
    (line, index) => `  ${style.dim(pad(index === 0 ? name : '', NAME_CELLS))}${line}`,
  );
}
