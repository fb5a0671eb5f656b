import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { Style } from './style.ts';
import { sanitise, wrap } from './terminal-text.ts';
import { counted, formatBytes, formatCount, formatDuration } from './units.ts';
import { dateAndTime } from './wall-clock.ts';

/** LINKTYPE_ names as tcpdump users know them (tcpdump.org/linktypes.html). */
const LINK_TYPES: Readonly<Record<number, string>> = {
  0: 'BSD loopback',
  1: 'Ethernet',
  9: 'PPP',
  12: 'raw IP',
  14: 'raw IP',
  50: 'PPP',
  51: 'PPPoE',
  101: 'raw IP',
  105: '802.11',
  108: 'OpenBSD loopback',
  113: 'Linux cooked v1',
  127: '802.11 with radiotap',
  228: 'raw IPv4',
  229: 'raw IPv6',
  276: 'Linux cooked v2',
};

/** What each capture is and what is wrong with it, in lines of at most `width` cells. */
export function captureLines(
  facts: readonly CaptureFacts[],
  clock: RunClock,
  width: number,
  style: Style,
): string[] {
  const lines: string[] = [];
  for (const capture of facts) {
    const name = capture.path === '-' ? 'standard input' : sanitise(capture.path);
    const [first, ...rest] = wrap(`${name}  ${description(capture, clock)}`, width);
    lines.push(first.startsWith(name) ? style.bold(name) + first.slice(name.length) : first);
    for (const line of rest) lines.push(`  ${line}`);
    for (const note of notes(capture)) {
      for (const line of wrap(note, width - 2)) lines.push(`  ${style.yellow(line)}`);
    }
    for (const comment of capture.comments) {
      if (comment.scope !== 'section') continue;
      for (const line of wrap(`comment: ${sanitise(comment.text)}`, width - 2))
        lines.push(`  ${style.dim(line)}`);
    }
  }
  return lines;
}

function description(capture: CaptureFacts, clock: RunClock): string {
  const parts = [
    capture.compression === 'none' ? capture.format : `${capture.format} in ${capture.compression}`,
  ];
  parts.push(formatBytes(capture.fileBytes), counted(capture.packets, 'packet'));
  if (capture.firstNs !== null && capture.lastNs !== null) {
    const duration = formatDuration(capture.lastNs - capture.firstNs);
    parts.push(`${duration} from ${dateAndTime(clock, capture.firstNs)} UTC`);
  }
  parts.push([...new Set(capture.interfaces.map((one) => linkTypeName(one.linkType)))].join(' and '));
  return parts.filter((part) => part !== '').join(', ');
}

export function linkTypeName(linkType: number): string {
  return LINK_TYPES[linkType] ?? `link type ${linkType}`;
}

function notes(capture: CaptureFacts): string[] {
  const found: string[] = [];
  for (const one of capture.interfaces) {
    if (one.dropped === null || one.dropped === 0) continue;
    const name = one.name === null ? `interface ${one.number}` : sanitise(one.name);
    found.push(`${name}: ${counted(one.dropped, 'packet')} dropped while capturing`);
  }
  if (capture.timeReversals > 0) {
    found.push(`${counted(capture.timeReversals, 'packet')} earlier than the packet before`);
  }
  if (capture.commentsDropped > 0)
    found.push(`${counted(capture.commentsDropped, 'further comment')} not kept`);
  if (capture.damage !== null) {
    const { what, packet, byteOffset } = capture.damage;
    const used =
      packet === 0 ? 'nothing before it could be used' : `used up to packet ${formatCount(packet)}`;
    found.push(`damaged at byte ${formatCount(byteOffset)}: ${sanitise(what)}; ${used}`);
  }
  return found;
}
