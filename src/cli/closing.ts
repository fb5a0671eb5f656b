import type { CaptureFacts } from '../model/packet.ts';
import type { RunRecord } from '../model/sink.ts';
import { sanitise } from '../report/terminal-text.ts';
import { counted, formatBytes, formatCount, formatDuration } from '../report/units.ts';
import { firstPacketNs, lastPacketNs } from '../report/wall-clock.ts';
import type { StoredFile } from '../store/sqlite-sink.ts';

/** One line of totals, for output that has no summary. */
export function totalLine({ ledger, captures }: RunRecord, stopped: boolean): string {
  const parts = [`${counted(ledger.requests, 'request')}, ${formatCount(ledger.paired)} answered`];
  if (ledger.unanswered > 0) parts.push(`${formatCount(ledger.unanswered)} unanswered`);
  if (ledger.orphans > 0) parts.push(`${counted(ledger.orphans, 'answer')} without a request`);
  const first = firstPacketNs(captures);
  const last = lastPacketNs(captures);
  const span = first === null || last === null ? '' : ` in ${formatDuration(last - first)}`;
  const balance = ledger.imbalances().length === 0 ? '' : '; the ledger does not balance';
  return `${parts.join(', ')}; ${counted(ledger.packetsRead, 'packet')}${span}${balance}${stopped ? '; stopped early' : ''}`;
}

function nameOf({ path }: CaptureFacts): string {
  return path === '-' ? 'standard input' : sanitise(path);
}

/** What is wrong with the captures themselves, each with its place. */
export function damageLines(captures: readonly CaptureFacts[]): string[] {
  const lines: string[] = [];
  for (const capture of captures) {
    if (capture.damage !== null) {
      const { what, packet, byteOffset } = capture.damage;
      lines.push(
        `${nameOf(capture)}, packet ${packet + 1}, byte ${byteOffset}: ${sanitise(what)}; ` +
          `the ${counted(packet, 'packet')} before it were used`,
      );
    }
    for (const { name, number, dropped } of capture.interfaces) {
      if (dropped === null || dropped === 0) continue;
      const which = name === null ? `interface ${number}` : sanitise(name);
      lines.push(`${nameOf(capture)}: ${counted(dropped, 'packet')} dropped on ${which} while capturing`);
    }
  }
  return lines;
}

/** What `--strict` does not accept: losses, damage, and a ledger that does not balance. */
export function strictViolations({ ledger, captures }: RunRecord): string[] {
  return [
    ...ledger.imbalances().map((imbalance) => `the ledger does not balance: ${imbalance}`),
    ...ledger.losses(),
    ...damageLines(captures),
  ];
}

/** The SQLite files that were written, and how to ask them. */
export function storedLines(files: readonly StoredFile[]): string[] {
  const lines = files.map(
    ({ path, bytes, exchanges }) =>
      `wrote ${sanitise(path)}: ${counted(exchanges, 'exchange')}, ${formatBytes(bytes)}`,
  );
  if (files.length > 0) lines.push(`  wirelens sql ${shellWord(files[0].path)} "SELECT * FROM red_by_route"`);
  return lines;
}

/** A file name as one can type it in a shell. */
function shellWord(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : sanitise(`'${path.replaceAll("'", `'\\''`)}'`);
}
