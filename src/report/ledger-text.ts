import type { Ledger, PacketReason } from '../model/ledger.ts';
import { PACKET_REASON_NAMES } from '../model/ledger.ts';
import type { Style } from './style.ts';
import { pad, wrap } from './terminal-text.ts';
import { counted, formatCount } from './units.ts';

/** Short names beside a number; the sentences are in the model. */
const REASONS: Readonly<Record<PacketReason, string>> = {
  'udp': 'UDP',
  'icmp': 'ICMP',
  'other-transport': 'other transport',
  'arp': 'ARP',
  'other-network': 'not IP',
  'unknown-link-type': 'unknown link type',
  'truncated': 'cut too short',
  'malformed': 'malformed',
  'bad-checksum': 'wrong checksum',
  'encrypted': 'encrypted',
  'fragment': 'fragments put together',
  'fragment-incomplete': 'fragments never whole',
  'tunnel-depth': 'too many tunnels',
  'duplicate-sighting': 'seen before',
  'not-selected': 'not selected',
}; // biome-ignore format: names as they are printed

type Part = readonly [count: number, name: string];

/** `12 = 10 this + 2 that`; parts that are zero are left out, but for the first. */
function equation(whole: number, unit: string, parts: readonly Part[]): string {
  const shown = parts.filter(([count], index) => count > 0 || index === 0);
  const sum = shown.map(([count, name]) => `${formatCount(count)} ${name}`).join(' + ');
  return `${formatCount(whole)} ${unit} = ${sum}`;
}

/** What became of the packets that are not TCP segments of a connection: `12 UDP`, the most frequent first. */
export function notUsedParts(ledger: Ledger): string[] {
  return PACKET_REASON_NAMES.map((name, index): Part => [ledger.notUsed[index], REASONS[name]])
    .filter(([count]) => count > 0)
    .sort(([one], [other]) => other - one)
    .map(([count, name]) => `${formatCount(count)} ${name}`);
}

/** The ledger in few lines: each whole with the parts that make it up, and whether they do. */
export function ledgerLines(ledger: Ledger, width: number, style: Style): string[] {
  const notUsed = PACKET_REASON_NAMES.map((name, index): Part => [ledger.notUsed[index], REASONS[name]]);
  const rows: [string, string][] = [
    ['packets', equation(ledger.packetsRead, 'read', [[ledger.segments, 'TCP'], ...notUsed])],
    [
      'payload',
      equation(ledger.payloadBytes, 'bytes', [
        [ledger.deliveredBytes, 'in order'],
        [ledger.duplicateBytes, 'seen before'],
        [ledger.cutBytes, 'cut by snaplen'],
        [ledger.discardedBytes, 'discarded'],
      ]),
    ],
    [
      'in order',
      equation(ledger.deliveredBytes, 'bytes', [
        [ledger.headBytes, 'HTTP heads'],
        [ledger.bodyBytes, 'HTTP bodies'],
        [ledger.otherProtocolBytes, 'other protocols'],
        [ledger.unparsedBytes, 'not understood'],
      ]),
    ],
    [
      'requests',
      equation(ledger.requests, 'found', [
        [ledger.paired, 'answered'],
        [ledger.unanswered, 'unanswered'],
      ]),
    ],
    [
      'responses',
      equation(ledger.responses, 'found', [
        [ledger.paired, 'paired'],
        [ledger.orphans, 'without a request'],
        [ledger.interim, 'interim (1xx)'],
      ]),
    ],
  ];
  if (ledger.gaps > 0) {
    rows.push(['missing', `${formatCount(ledger.gapBytes)} bytes in ${counted(ledger.gaps, 'gap')}`]);
  }
  const evictions: string[] = [];
  if (ledger.evictedConnections > 0) evictions.push(counted(ledger.evictedConnections, 'connection'));
  if (ledger.evictedPending > 0)
    evictions.push(`${counted(ledger.evictedPending, 'eviction')} of waiting segments`);
  if (ledger.evictedFragments > 0)
    evictions.push(`${counted(ledger.evictedFragments, 'datagram')} in fragments`);
  if (evictions.length > 0) rows.push(['limits', `reached, given up: ${evictions.join(', ')}`]);
  const imbalances = ledger.imbalances();
  const lines = [
    `${style.bold('Ledger')}  ${imbalances.length === 0 ? style.green('balanced') : style.red('does not balance')}`,
  ];
  for (const [name, text] of rows) lines.push(...hanging(name, text, width));
  for (const imbalance of imbalances) lines.push(`  ${style.red(imbalance)}`);
  return lines;
}

/** `  name       text …` with the following lines under the text. */
export function hanging(name: string, text: string, width: number, nameCells = 9): string[] {
  const indent = nameCells + 4;
  return wrap(text, Math.max(20, width - indent)).map((line, index) =>
    index === 0 ? `  ${pad(name, nameCells)}  ${line}` : ' '.repeat(indent) + line,
  );
}
