import type { Exchange } from '../model/exchange.ts';
import { startNs } from '../model/phases.ts';
import { FROM_CLIENT } from '../model/stream.ts';
import type { Style } from '../report/style.ts';
import { type Column, type Row, renderTable } from '../report/text-table.ts';
import { counted, formatCount } from '../report/units.ts';
import { flagText, type PacketList, type SeenPacket } from './packets.ts';

/** Packets at the beginning and at the end of a long list. */
const SHOWN = { first: 12, last: 8 } as const;
/** Packets in the display filter; more do not fit into Wireshark's line. */
const FILTERED = 200;

const COLUMNS: readonly Column[] = [
  { title: 'packet', align: 'right' },
  { title: 'ms', align: 'right' },
  { title: 'from' },
  { title: 'payload', align: 'right' },
  { title: 'flags', expendable: 1 },
  { title: 'what', shrinkTo: 12 },
];

/** The exchange's packets, as Wireshark numbers them, with times since it began. */
export function packetLines(
  list: PacketList,
  exchange: Exchange,
  { width, style, allPackets }: { width: number; style: Style; allPackets: boolean },
): string[] {
  const { packets, left } = list;
  const total = packets.length + left;
  if (total === 0) return [];
  const isShort = allPackets || packets.length <= SHOWN.first + SHOWN.last + 1;
  const several = new Set(packets.map(({ capture }) => capture)).size > 1;
  const rowOf = (packet: SeenPacket): Row => row(packet, exchange, several);
  const rows = isShort
    ? packets.map(rowOf)
    : [
        ...packets.slice(0, SHOWN.first).map(rowOf),
        omitted(packets),
        ...packets.slice(-SHOWN.last).map(rowOf),
      ];
  const lines = [
    `${style.bold('Packets')}  ${style.dim(counted(total, 'packet'))}`,
    ...renderTable(COLUMNS, rows, width, style),
  ];
  if (!isShort) lines.push(style.dim('  all of them with --packets'));
  if (left > 0) lines.push(style.yellow(`  ${formatCount(left)} more are not listed`));
  if (!several && packets.length <= FILTERED) {
    lines.push(style.dim(`  in Wireshark: frame.number in {${ranges(packets)}}`));
  }
  return lines;
}

function omitted(packets: readonly SeenPacket[]): Row {
  const between = packets.slice(SHOWN.first, -SHOWN.last);
  const again = between.filter(({ marks }) => marks.includes('retransmission')).length;
  const bytes = between.reduce((sum, { payloadBytes }) => sum + payloadBytes, 0);
  const what = again === 0 ? '' : `, ${formatCount(again)} retransmissions`;
  return ['…', '', '', formatCount(bytes), '', `${counted(between.length, 'packet')}${what}`];
}

function row(packet: SeenPacket, exchange: Exchange, several: boolean): Row {
  const asks = exchange.request?.direction ?? FROM_CLIENT;
  const number = several ? `${packet.capture + 1}:${packet.number}` : String(packet.number);
  return [
    number,
    ((packet.timeNs - startNs(exchange)) / 1e6).toFixed(3),
    packet.direction === asks ? 'client' : 'server',
    packet.payloadBytes === 0 ? '' : formatCount(packet.payloadBytes),
    flagText(packet.flags),
    packet.marks.join(', '),
  ];
}

/** `3-7, 9`, as Wireshark's sets are written: `3..7, 9`. */
function ranges(packets: readonly SeenPacket[]): string {
  const numbers = [...new Set(packets.map(({ number }) => number))].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let index = 0; index < numbers.length; index += 1) {
    const first = numbers[index];
    while (numbers[index + 1] === numbers[index] + 1) index += 1;
    parts.push(numbers[index] === first ? String(first) : `${first}..${numbers[index]}`);
  }
  return parts.join(', ');
}
