import { EXIT } from '../../model/errors.ts';
import type { LiveCounters, LiveDriver } from '../../model/live.ts';
import { notUsedParts } from '../../report/ledger-text.ts';
import { counted } from '../../report/units.ts';
import { damageLines, totalLine } from '../closing.ts';
import type { LiveResult } from './live-run.ts';
import { percent } from './live-status.ts';

/**
 * What a capture says when it has ended: tcpdump's three lines, what was left out, what came out of it, and what the
 * drops of the kernel advise. What a driver cannot tell is said, and not given as 0.
 */
export function totalLines(result: LiveResult): string[] {
  const { ledger, context } = result;
  const { counters, driver } = context.source;
  const lines = [
    `${counted(ledger.packetsRead, 'packet')} captured`,
    ...counterLines(counters, driver),
    totalLine(result, false),
    `${counted(result.exchanges, 'exchange')} on ${counted(ledger.connectionsOpened, 'connection')}`,
  ];
  const notUsed = notUsedParts(ledger);
  if (notUsed.length > 0) lines.push(`packets not used: ${notUsed.join(', ')}`);
  const advice = dropAdvice(counters);
  if (advice !== null) lines.push(advice);
  return lines;
}

/** The exit code of a capture: salvaged when standard input broke inside a packet. */
export function exitCodeOf({ captures }: LiveResult): number {
  return captures.some(({ damage }) => damage !== null) ? EXIT.salvaged : EXIT.fine;
}

/** What was wrong with what was captured, in sentences: damage of standard input. Drops are told in the totals. */
export function complaintLines({ captures }: LiveResult): string[] {
  return damageLines(
    captures.map((capture) => (capture.format === 'live' ? { ...capture, interfaces: [] } : capture)),
  );
}

function counterLines(counters: LiveCounters, driver: LiveDriver): string[] {
  const { received, dropped, loopbackCopies } = counters;
  const lines: string[] = [];
  if (received !== null) lines.push(`${counted(received, 'packet')} received by filter`);
  if (dropped !== null) lines.push(`${counted(dropped, 'packet')} dropped by kernel`);
  else if (driver === 'stdin')
    lines.push('packets dropped by kernel: only the program that captures can tell');
  else lines.push(`packets dropped by kernel: ${driver} cannot tell`);
  if (loopbackCopies > 0)
    lines.push(`${counted(loopbackCopies, 'outgoing copy', 'outgoing copies')} on loopback left out`);
  return lines;
}

function dropAdvice({ received, dropped }: LiveCounters): string | null {
  if (dropped === null || dropped === 0) return null;
  const share = received === null || received === 0 ? '' : ` (${percent(dropped / received)})`;
  return (
    `what the kernel dropped${share} is missing in the exchanges marked packets-dropped; ` +
    'a larger --buffer, a packet filter or a smaller --snaplen helps'
  );
}
