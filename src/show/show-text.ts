import { ANOMALIES } from '../model/anomaly.ts';
import type { Exchange, Message } from '../model/exchange.ts';
import { exchangeUid } from '../model/exchange-uid.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { startNs, totalNs } from '../model/phases.ts';
import { rfc3339 } from '../model/time-text.ts';
import { brokenText } from '../report/broken-text.ts';
import { requestText, statusPaint, statusText } from '../report/exchange-text.ts';
import type { Style } from '../report/style.ts';
import { displayWidth, pad, sanitise, shorten, wrap } from '../report/terminal-text.ts';
import { counted, formatBytes, formatDuration } from '../report/units.ts';
import { firstPacketNs, lastPacketNs } from '../report/wall-clock.ts';
import { why } from '../report/why.ts';
import { previewNote } from './body.ts';
import type { CloseLook, MessageView } from './close-look.ts';
import type { Found } from './finder.ts';
import { packetLines } from './packet-text.ts';
import { sightingLines } from './sighting-lines.ts';
import { connectionTcp, exchangeTcp } from './tcp-words.ts';
import { timelineLines } from './timeline.ts';

/** Lines of a head that are shown; longer lines are wrapped where they reach the width. */
const HEAD_LINES = 200;
const NAME_CELLS = 12;
/** A neighbour's request is not shortened below this for the sake of the time between. */
const LEAST_REQUEST_CELLS = 24;

export interface ShowTextOptions {
  /** Cells of a line. */
  readonly width: number;
  readonly style: Style;
  readonly clock: RunClock;
  readonly captures: readonly CaptureFacts[];
  /** All packets instead of the first and last ones. */
  readonly allPackets: boolean;
  /** Why heads and packets are not there; null: they are. */
  readonly withoutLook: string | null;
}

/** One exchange in full. `look` null: only the facts are known. */
export function showText(found: Found, look: CloseLook | null, options: ShowTextOptions): string {
  const { exchange } = found;
  const width = Math.max(40, options.width);
  const fitted = { ...options, width };
  const blocks: string[][] = [
    headline(exchange, fitted),
    factLines(exchange, fitted),
    [
      options.style.bold('Phases'),
      ...timelineLines(exchange, {
        width,
        style: options.style,
        captureEndNs: lastPacketNs(options.captures),
      }),
    ],
    messageLines('Request', exchange.request, look?.request ?? null, fitted),
    messageLines('Response', exchange.response, look?.response ?? null, fitted),
    sightingLines(exchange, fitted),
    tcpLines(exchange, fitted),
    anomalyLines(exchange, fitted),
    look === null ? [] : packetLines(look.packets, exchange, fitted),
    neighbourLines(found, fitted),
  ];
  if (look === null && options.withoutLook !== null) {
    blocks.push(wrap(options.withoutLook, width).map((line) => options.style.yellow(line)));
  }
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

function headline(exchange: Exchange, { width, style, captures }: ShowTextOptions): string[] {
  const status = statusText(exchange);
  const reason = sanitise(exchange.response?.reason ?? '');
  const whole = exchange.response === null ? 'no answer' : `${status} ${reason}`.trimEnd();
  const answer = shorten(whole, Math.max(12, Math.floor(width / 3)));
  const paint = statusPaint(exchange, style) ?? style.bold;
  const name = `Exchange ${exchange.id}`;
  const room = Math.max(8, width - name.length - displayWidth(answer) - 6);
  const request = shorten(requestText(exchange), room, 'middle');
  const total = totalNs(exchange);
  const verdict = [
    exchange.outcome.replaceAll('-', ' '),
    total === null ? 'total unknown' : `${formatDuration(total)} in all`,
    `pairing ${exchange.pairing}`,
  ].join(', ');
  const reasons = why(exchange, lastPacketNs(captures));
  const lines = [`${style.bold(name)}  ${request} -> ${paint(answer)}`];
  for (const line of wrap(reasons === null ? verdict : `${verdict}; ${reasons}`, width - 2)) {
    lines.push(`  ${style.cyan(line)}`);
  }
  return lines;
}

function named(name: string, text: string, { width, style }: ShowTextOptions): string[] {
  return wrap(text, width - NAME_CELLS - 2).map(
    (line, index) => `  ${style.dim(pad(index === 0 ? name : '', NAME_CELLS))}${line}`,
  );
}

function factLines(exchange: Exchange, options: ShowTextOptions): string[] {
  const { connection, client, server, position } = exchange;
  const { clock, captures } = options;
  const digits = digitsOf(exchange, captures);
  const start = startNs(exchange);
  const first = firstPacketNs(captures);
  const after = first === null ? '' : `, ${formatDuration(start - first)} after the first packet`;
  const lines = [
    ...named('when', `${rfc3339(clock.epochSeconds, start, digits)}${after}`, options),
    ...named('client', client.text, options),
    ...named('server', server.text, options),
    ...named(
      'connection',
      `${connection.id}, exchange ${position} of ${connection.exchanges} on it`,
      options,
    ),
    ...named('capture', captureText(exchange, captures), options),
  ];
  const uid = exchangeUid(exchange);
  if (uid !== null)
    lines.push(...named('uid', `${uid}, the same wherever this exchange was captured`, options));
  const around = surroundings(exchange);
  if (around !== '') lines.push(...named('inside', around, options));
  return lines;
}

function digitsOf({ connection }: Exchange, captures: readonly CaptureFacts[]): 6 | 9 {
  for (const { interfaces } of captures) {
    const one = interfaces.find(({ number }) => number === connection.interfaceNumber);
    if (one !== undefined) return one.timeDigits > 6 ? 9 : 6;
  }
  return 9;
}

function captureText({ connection }: Exchange, captures: readonly CaptureFacts[]): string {
  const capture = captures[connection.capture];
  if (capture === undefined) return '–';
  const one = capture.interfaces.find(({ number }) => number === connection.interfaceNumber);
  const path = capture.path === '-' ? 'standard input' : sanitise(capture.path);
  return one?.name === null || one === undefined ? path : `${path}, interface ${sanitise(one.name)}`;
}

function surroundings({ connection }: Exchange): string {
  const parts = connection.vlans.map((id) => `VLAN ${id}`);
  for (const { kind, id } of connection.tunnels) parts.push(id === null ? kind : `${kind} ${id}`);
  return parts.join(', ');
}

function messageLines(
  title: string,
  message: Message | null,
  view: MessageView | null,
  options: ShowTextOptions,
): string[] {
  const { style, width } = options;
  if (message === null) return [];
  const facts = [
    `packet ${message.packet}`,
    `${formatBytes(message.headerBytes)} of headers`,
    message.bodyBytes === 0 ? 'no body' : `${formatBytes(message.bodyBytes)} of body`,
  ];
  if (message.lostBytes > 0) facts.push(`${formatBytes(message.lostBytes)} of it not in the capture`);
  const [first, ...rest] = wrap(facts.join(', '), width - title.length - 2);
  const lines = [
    `${style.bold(title)}  ${style.dim(first)}`,
    ...rest.map((line) => `${' '.repeat(title.length + 2)}${style.dim(line)}`),
  ];
  if (view === null) return lines;
  const { startLine, fields } = view.head;
  lines.push(...brokenText(startLine, width - 2).map((line) => `  ${style.bold(line)}`));
  for (const { line } of fields.slice(0, HEAD_LINES)) {
    for (const part of line.split('\n'))
      lines.push(...brokenText(part, width - 2).map((text) => `  ${text}`));
  }
  if (fields.length > HEAD_LINES) {
    lines.push(style.dim(`  and ${counted(fields.length - HEAD_LINES, 'more line')}`));
  }
  if (view.body === null) return lines;
  lines.push('', style.dim(`  body: ${previewNote(view.body)}`));
  if (view.body.text === '') return lines;
  for (const line of view.body.text.replace(/\r?\n$/, '').split(/\r?\n/)) {
    lines.push(...brokenText(line.replaceAll('\t', '    '), width - 2).map((part) => `  ${part}`));
  }
  return lines;
}

function tcpLines(exchange: Exchange, { width, style }: ShowTextOptions): string[] {
  const sentences = [...exchangeTcp(exchange), ...connectionTcp(exchange.connection)];
  return [
    style.bold('TCP'),
    ...sentences.flatMap((text) => wrap(text, width - 2).map((line) => `  ${line}`)),
  ];
}

function anomalyLines(exchange: Exchange, { width, style }: ShowTextOptions): string[] {
  if (exchange.anomalies.length === 0) return [];
  return [
    style.bold('Anomalies'),
    ...exchange.anomalies.flatMap((name) =>
      wrap(`${name}: ${ANOMALIES[name]}`, width - 2).map((line, index) =>
        index === 0
          ? `  ${style.yellow(line.slice(0, name.length))}${line.slice(name.length)}`
          : `    ${line}`,
      ),
    ),
  ];
}

function neighbourLines({ exchange, before, after }: Found, options: ShowTextOptions): string[] {
  if (before === null && after === null) return [];
  const { style } = options;
  const lines = [style.bold('On the same connection')];
  if (before !== null) {
    const apart = startNs(exchange) - (before.response?.lastByteNs ?? startNs(before));
    const gap = apart < 0 ? '' : `, ${formatDuration(apart)} before this one began`;
    lines.push(neighbourLine('before', before, gap, options));
  }
  if (after !== null) {
    const apart = startNs(after) - (exchange.response?.lastByteNs ?? startNs(exchange));
    const gap = apart < 0 ? '' : `, ${formatDuration(apart)} after this one ended`;
    lines.push(neighbourLine('after', after, gap, options));
  }
  return lines;
}

function neighbourLine(name: string, exchange: Exchange, gap: string, { width, style }: ShowTextOptions) {
  const total = totalNs(exchange);
  const result = ` -> ${statusText(exchange)}, ${total === null ? 'total unknown' : formatDuration(total)}`;
  const head = `exchange ${exchange.id}  `;
  const free = width - 10 - head.length - result.length;
  const tail = free - gap.length >= LEAST_REQUEST_CELLS ? result + gap : result;
  const room = Math.max(8, width - 10 - head.length - tail.length);
  return `  ${style.dim(pad(name, 8))}${head}${shorten(requestText(exchange), room, 'middle')}${tail}`;
}
