import type { Style } from '../report/style.ts';
import { displayWidth, sanitise, wrap } from '../report/terminal-text.ts';
import { counted, formatBytes, formatCount, formatDuration } from '../report/units.ts';
import { dateAndTime, firstPacketNs, lastPacketNs } from '../report/wall-clock.ts';
import { type Evidence, percent } from './evidence.ts';
import type { Finding, Severity } from './finding.ts';
import type { Recapture } from './recapture.ts';

const MARK: Readonly<Record<Severity, string>> = { problem: '✗', warning: '!', note: '·' };
/** Readable lines end here, however wide the terminal is. */
const LONGEST_LINE = 110;

export interface DoctorReport {
  readonly evidence: Evidence;
  readonly findings: readonly Finding[];
  readonly recapture: Recapture;
}

/** One page: what the capture is, what is wrong with it, and how to take a better one. Ends with a line feed. */
export function doctorText(
  { evidence, findings, recapture }: DoctorReport,
  width: number,
  style: Style,
): string {
  const cells = Math.max(40, Math.min(width, LONGEST_LINE));
  const paint = { problem: style.red, warning: style.yellow, note: style.dim };
  const lines = [style.bold(verdict(findings)), '', ...wrapped(whatItIs(evidence), cells, '')];
  for (const finding of findings) {
    const mark = paint[finding.severity](MARK[finding.severity]);
    const [first, ...rest] = wrap(sentence(finding.what), cells - 2);
    lines.push('', `${mark} ${finding.severity === 'note' ? first : style.bold(first)}`);
    for (const line of rest) lines.push(`  ${finding.severity === 'note' ? line : style.bold(line)}`);
    lines.push(...wrapped(sentence(finding.effect), cells, '  '));
    if (finding.advice !== null)
      lines.push(...wrapped(`→ ${finding.advice}`, cells, '  ', '    ').map(style.cyan));
  }
  if (findings.length === 0) lines.push('', style.green('Nothing is wrong with it.'));
  lines.push('', style.bold('To capture better'));
  for (const { command, purpose } of recapture.commands) {
    lines.push(...wrapped(`# ${purpose}`, cells, '  ', '  # ').map(style.dim), `  ${command}`);
  }
  if (evidence.packets === null) {
    lines.push(
      '',
      ...wrapped(
        'Read from a SQLite file: duplicates by interface, checksums, offloading and clocks show only in the capture itself.',
        cells,
        '',
      ),
    );
  }
  return `${lines.join('\n')}\n`;
}

/** `good`, `usable` or `misleading`: what answers from this capture are worth. */
export function verdictWord(findings: readonly Finding[]): 'good' | 'usable' | 'misleading' {
  if (findings.some(({ severity }) => severity === 'problem')) return 'misleading';
  return findings.some(({ severity }) => severity === 'warning') ? 'usable' : 'good';
}

function verdict(findings: readonly Finding[]): string {
  const of = (severity: Severity): number => findings.filter((one) => one.severity === severity).length;
  switch (verdictWord(findings)) {
    case 'good':
      return 'A good capture: answers from it can be trusted.';
    case 'usable':
      return `A usable capture, with ${counted(of('warning'), 'reservation')}.`;
    default:
      return `A misleading capture: ${counted(of('problem'), 'problem')}.`;
  }
}

function whatItIs({ run, connections }: Evidence): string {
  const { captures, ledger, clock } = run;
  const first = firstPacketNs(captures);
  const last = lastPacketNs(captures);
  const bytes = captures.reduce((total, { capturedBytes }) => total + capturedBytes, 0);
  const parts = [
    captures.length === 1 ? captureName(captures[0].path) : counted(captures.length, 'capture'),
    `${counted(ledger.packetsRead, 'packet')} with ${formatBytes(bytes)}`,
  ];
  if (first !== null && last !== null)
    parts.push(`${formatDuration(last - first)} from ${dateAndTime(clock, first)} UTC`);
  const http = connections.protocols.get('http')?.connections ?? 0;
  parts.push(
    `${counted(connections.connections, 'TCP connection')}, ${formatCount(http)} of them HTTP`,
    `${counted(ledger.requests, 'request')}, ${formatCount(ledger.paired)} answered`,
  );
  const rate = connections.packets === 0 ? 0 : connections.retransmissions / connections.packets;
  if (connections.retransmissions > 0) parts.push(`${percent(rate)} of the segments retransmitted`);
  return `${parts.join('; ')}.`;
}

function captureName(path: string): string {
  return path === '-' ? 'standard input' : sanitise(path);
}

function sentence(text: string): string {
  const first = text.charAt(0);
  // File names and interface names keep their case.
  const begun =
    /^[a-z]+(?=[ ,:])/.test(text) && !text.includes('/') ? first.toUpperCase() + text.slice(1) : text;
  return displayWidth(begun) === 0 ? begun : `${begun}.`;
}

function wrapped(text: string, cells: number, indent: string, following = indent): string[] {
  return wrap(text, cells - following.length).map((line, index) => (index === 0 ? indent : following) + line);
}
