import { sanitise } from '../report/terminal-text.ts';
import { counted, formatCount } from '../report/units.ts';
import type { ConnectionCensus } from './connection-census.ts';
import { type Add, type Evidence, nameOf, percent, reasonsText, sum } from './evidence.ts';

/** Digits after the second below which durations of milliseconds mean little. */
const USEFUL_DIGITS = 6;

export function aboutFiles({ run }: Evidence, add: Add): void {
  for (const capture of run.captures) {
    const name = nameOf(capture);
    if (capture.damage !== null) {
      const { what, packet, byteOffset } = capture.damage;
      add(
        'damaged',
        'problem',
        `${name} is damaged at byte ${formatCount(byteOffset)}: ${sanitise(what)}`,
        `the ${counted(packet, 'packet')} before it were used, nothing after`,
        'copy the file again; stop tcpdump with Ctrl-C or SIGTERM, never with SIGKILL',
      );
    }
    if (capture.packets === 0) {
      add(
        'no-packets',
        'problem',
        `${name} holds no packets`,
        'there is nothing to answer from',
        'check the interface (tcpdump -D) and the capture filter',
      );
    }
    const drops = sum(capture.interfaces, ({ dropped }) => dropped ?? 0);
    if (drops > 0) {
      const share = drops / Math.max(1, drops + capture.packets);
      add(
        'kernel-drops',
        share > 0.001 ? 'problem' : 'warning',
        `the kernel dropped ${counted(drops, 'packet')} while ${name} was captured (${percent(share)})`,
        'answers are missing, and what stands beside a gap is paired by inference',
        'a larger buffer (-B), a narrower filter, a faster disk',
      );
    } else if (capture.packets > 0 && capture.interfaces.every(({ dropped }) => dropped === null)) {
      add(
        'drops-unknown',
        'note',
        `${name} does not say how many packets the kernel dropped`,
        'drops show only as missing bytes',
        capture.format === 'pcap'
          ? 'tcpdump prints the number when it ends; dumpcap writes it into pcapng'
          : null,
      );
    }
    const digits = Math.min(...capture.interfaces.map(({ timeDigits }) => timeDigits));
    if (capture.interfaces.length > 0 && digits < USEFUL_DIGITS) {
      add(
        'coarse-clock',
        'warning',
        `times in ${name} have ${counted(digits, 'digit')} after the second`,
        'short phases come out as 0',
        'capture with microseconds or nanoseconds',
      );
    }
  }
}

export function aboutContents({ run, connections }: Evidence, add: Add): void {
  const { ledger } = run;
  if (ledger.packetsRead === 0) return;
  if (ledger.segments === 0) {
    add(
      'no-tcp',
      'problem',
      `none of the ${counted(ledger.packetsRead, 'packet')} is TCP that can be used`,
      'there is no HTTP to be found',
      `what they are: ${reasonsText(run, () => true)}`,
    );
  } else if (connections.exchanges === 0 && ledger.requests + ledger.responses === 0) {
    add(
      'no-http',
      'problem',
      `no HTTP in ${counted(connections.connections, 'TCP connection')}`,
      'there is nothing to answer from',
      protocolsText(connections),
    );
  }
}

function protocolsText({ protocols }: ConnectionCensus): string {
  const parts = [...protocols].map(
    ([protocol, { connections }]) =>
      `${counted(connections, 'connection')} ${protocol === 'none' ? 'without payload' : `of ${protocol}`}`,
  );
  return `what is there: ${parts.join(', ')}`;
}
