import { ANOMALIES } from '../model/anomaly.ts';
import type { ConnectionProtocol } from '../model/exchange.ts';
import { captureLines } from './capture-text.ts';
import { exchangeLines } from './exchange-text.ts';
import { hanging, ledgerLines } from './ledger-text.ts';
import { routeLines, serverLines } from './red-text.ts';
import type { Style } from './style.ts';
import type { SummaryReport } from './summary.ts';
import { displayWidth, wrap } from './terminal-text.ts';
import { counted, formatCount, formatDuration, formatRate } from './units.ts';
import { why, whyFailed } from './why.ts';

export interface SummaryTextOptions {
  /** Cells of a line. */
  readonly width: number;
  readonly style: Style;
  /** Rows of each list. */
  readonly limit: number;
}

/** The human summary: what was captured, what was asked, how it went, what went wrong, and the ledger. */
export function summaryText(report: SummaryReport, options: SummaryTextOptions): string {
  const { style, limit } = options;
  const width = Math.max(40, options.width);
  const { run, firstNs, lastNs } = report;
  const spanNs = firstNs === null || lastNs === null ? null : lastNs - firstNs;
  const blocks: string[][] = [
    captureLines(run.captures, run.clock, width, style),
    headline(report, spanNs, width, style),
  ];
  if (report.requests > 0) {
    const red = { width, style, limit, spanNs };
    blocks.push(serverLines(report.servers, red), routeLines(report.routes, red));
  }
  const list = {
    width,
    style,
    clock: run.clock,
    captureEndNs: lastNs,
    severalCaptures: run.captures.length > 1,
    why,
  };
  if (report.slowest.length > 0) {
    blocks.push([style.bold('Slowest'), ...exchangeLines(report.slowest.slice(0, limit), list)]);
  }
  if (report.failures > 0) {
    const failed = report.failed.slice(0, limit);
    const some =
      failed.length < report.failures
        ? style.dim(`  ${failed.length} of ${formatCount(report.failures)}`)
        : '';
    blocks.push([
      style.bold('Failed and unanswered') + some,
      ...exchangeLines(failed, { ...list, why: whyFailed }),
    ]);
  }
  const notes = noteLines(report, width, style);
  if (notes.length > 0) blocks.push(notes);
  if (report.anomalies.length > 0) blocks.push(anomalyLines(report, width, style));
  blocks.push(ledgerLines(run.ledger, width, style));
  return `${blocks.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function headline(report: SummaryReport, spanNs: number | null, width: number, style: Style): string[] {
  const { requests, unanswered, clientErrors, serverErrors, total } = report;
  const lines: string[] = [];
  if (requests === 0) {
    lines.push(style.bold('No HTTP request found.'), ...nothingFound(report, width));
  } else {
    const rate = spanNs === null || spanNs <= 0 ? '' : ` (${formatRate((requests * 1e9) / spanNs)}/s)`;
    const answered = `${formatCount(requests - unanswered)} answered`;
    const counts = [style.bold(counted(requests, 'request')) + rate, answered];
    if (unanswered > 0) counts.push(style.red(`${formatCount(unanswered)} unanswered`));
    if (clientErrors > 0) counts.push(style.yellow(`${counted(clientErrors, 'client error')} (4xx)`));
    if (serverErrors > 0) counts.push(style.red(`${counted(serverErrors, 'server error')} (5xx)`));
    lines.push(...flow(counts, ', ', width));
    if (total.p50Ns !== null) {
      const about = total.approximate ? '~' : '';
      const times = (
        [
          ['half within', total.p50Ns],
          ['90 % within', total.p90Ns],
          ['99 % within', total.p99Ns],
        ] as const
      ).map(([name, ns]) => `${name} ${style.bold(about + formatDuration(ns))}`);
      times.push(`slowest ${style.bold(formatDuration(total.maxNs))}`);
      lines.push(...flow(times, ', ', width));
    }
  }
  const connections = connectionsText(report.protocols);
  if (connections !== '') lines.push(...wrap(connections, width).map(style.dim));
  return lines;
}

/** Joins painted pieces and breaks lines between them. */
function flow(pieces: readonly string[], separator: string, width: number): string[] {
  const plainWidth = (piece: string): number => displayWidth(piece.replace(/\x1b\[\d+m/g, ''));
  const lines: string[] = [];
  let line = '';
  for (const piece of pieces) {
    if (line !== '' && plainWidth(line) + plainWidth(separator + piece) > width) {
      lines.push(line + separator.trimEnd());
      line = `  ${piece}`;
    } else {
      line = line === '' ? piece : line + separator + piece;
    }
  }
  return [...lines, line];
}

const PROTOCOLS: readonly (readonly [ConnectionProtocol, string])[] = [
  ['http', 'HTTP/1'],
  ['http2', 'HTTP/2'],
  ['websocket', 'WebSocket'],
  ['tls', 'TLS'],
  ['other', 'other'],
  ['none', 'without payload'],
];

function connectionsText(protocols: ReadonlyMap<ConnectionProtocol, number>): string {
  let all = 0;
  const parts: string[] = [];
  for (const [protocol, name] of PROTOCOLS) {
    const count = protocols.get(protocol) ?? 0;
    all += count;
    if (count > 0) parts.push(`${formatCount(count)} ${name}`);
  }
  return all === 0 ? '' : `${counted(all, 'TCP connection')}: ${parts.join(', ')}`;
}

/** What to think of when a capture holds no request. */
function nothingFound(report: SummaryReport, width: number): string[] {
  const { ledger } = report.run;
  const advice: string[] = [];
  if (ledger.packetsRead === 0) advice.push('The capture holds no packets.');
  else if (ledger.segments === 0)
    advice.push('None of its packets could be used as TCP; the ledger says why.');
  else if (ledger.payloadBytes === 0) advice.push('Its TCP connections carry no data.');
  if (ledger.orphans > 0)
    advice.push(`${counted(ledger.orphans, 'answer')} without a request in the capture.`);
  if ((report.protocols.get('tls') ?? 0) > 0)
    advice.push('TLS is encrypted: capture where the traffic is in the clear.');
  if ((report.protocols.get('http2') ?? 0) > 0) advice.push('HTTP/2 is recognised but not taken apart.');
  return advice.flatMap((sentence) => wrap(sentence, width));
}

function noteLines(report: SummaryReport, width: number, style: Style): string[] {
  const lines: string[] = [];
  const nameCells = 9;
  if (report.incomplete.length > 0) {
    const parts = report.incomplete.map(([name, count]) => `${formatCount(count)} ${name}`);
    lines.push(...hanging('outcomes', parts.join('; '), width, nameCells));
  }
  const { exact, inferred, ambiguous } = report.pairings;
  if (inferred + ambiguous > 0) {
    const parts = [`${formatCount(exact)} exact`];
    if (inferred > 0) parts.push(`${formatCount(inferred)} inferred`);
    if (ambiguous > 0) parts.push(`${formatCount(ambiguous)} ambiguous`);
    lines.push(...hanging('pairing', parts.join(', '), width, nameCells));
  }
  return lines.length === 0 ? [] : [style.bold('Not complete or not certain'), ...lines];
}

function anomalyLines(report: SummaryReport, width: number, style: Style): string[] {
  const nameCells = Math.max(...report.anomalies.map(([name]) => name.length));
  const countCells = Math.max(...report.anomalies.map(([, count]) => formatCount(count).length));
  const lines = [style.bold('Anomalies')];
  for (const [name, count] of report.anomalies) {
    const lead = `  ${formatCount(count).padStart(countCells)}  `;
    const room = width - lead.length - nameCells - 2;
    if (room >= 30) {
      const [first, ...rest] = wrap(ANOMALIES[name], room);
      lines.push(`${lead}${style.yellow(name.padEnd(nameCells))}  ${first}`);
      for (const line of rest) lines.push(' '.repeat(lead.length + nameCells + 2) + line);
    } else {
      lines.push(lead + style.yellow(name));
      for (const line of wrap(ANOMALIES[name], width - lead.length))
        lines.push(' '.repeat(lead.length) + line);
    }
  }
  return lines;
}
