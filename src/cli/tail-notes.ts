import type { FollowNotice, FollowReport } from '../capture/follow/report.ts';
import type { WaitingRequest } from '../match/request-watch.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import { sanitise } from '../report/terminal-text.ts';
import { counted, formatBytes, formatDuration } from '../report/units.ts';
import { timeOfDay } from '../report/wall-clock.ts';

/** Notices of one kind that are printed; further ones are counted. */
const NOTICES_PRINTED = 10;

/** Decides which notices are printed, so that a directory full of other files does not fill the screen. */
export class NoticeFilter {
  readonly #counts = new Map<FollowNotice['kind'], number>();

  /** The line to print; null: it is only counted. */
  lineOf({ kind, path, text }: FollowNotice): string | null {
    const count = (this.#counts.get(kind) ?? 0) + 1;
    this.#counts.set(kind, count);
    if (count > NOTICES_PRINTED) return null;
    const last = count === NOTICES_PRINTED ? ' (further ones like this are only counted)' : '';
    return `${sanitise(path)}: ${sanitise(text)}${last}`;
  }
}

/** What following cost or left out, in sentences; nothing that is as it should be. */
export function reportLines(report: FollowReport, mergeWaitMs: number, unreadBytes: number): string[] {
  const lines: string[] = [];
  if (report.vanished > 0) {
    lines.push(
      `${counted(report.vanished, 'file')} vanished before they could be read; ` +
        'the capture is faster than this reader, or the ring is too small',
    );
  }
  if (report.damaged > 0) lines.push(`${counted(report.damaged, 'capture')} could not be read to the end`);
  if (report.refused > 0) lines.push(`${counted(report.refused, 'file')} left out: no captures`);
  if (report.copies > 0) {
    lines.push(
      `${counted(report.copies, 'compressed copy', 'compressed copies')} of files that were read left out`,
    );
  }
  if (report.late > 0) {
    const wait = formatDuration(mergeWaitMs * 1e6);
    lines.push(
      `${counted(report.late, 'packet')} came after later ones of another file (--merge-wait is ${wait})`,
    );
  }
  if (report.unfinished > 0) {
    lines.push(`${counted(report.unfinished, 'capture')} ended inside a packet that was still being written`);
  }
  if (report.unread > 0 || unreadBytes > 0) {
    const files = report.unread > 0 ? ` and ${counted(report.unread, 'whole file')}` : '';
    lines.push(`stopped with ${formatBytes(unreadBytes)}${files} not read`);
  }
  return lines;
}

/** `waiting for 5.00 s: GET shop.test/orders, 10.0.0.1:40000 to 10.0.0.2:80, since 07:42:00.123 (trace.pcap, packet 12)` */
export function waitingLine(
  request: WaitingRequest,
  context: { nowNs: number; clock: RunClock; captures: readonly CaptureFacts[] },
): string {
  const { nowNs, clock, captures } = context;
  const place = request.target.startsWith('/') ? (request.host ?? '') + request.target : request.target;
  const path = captures[request.capture]?.path ?? '?';
  return sanitise(
    `waiting for ${formatDuration(nowNs - request.sinceNs)}: ${request.method} ${place}, ` +
      `${request.client.text} to ${request.server.text}, since ${timeOfDay(clock, request.sinceNs)} ` +
      `(${path}, packet ${request.packet})`,
  );
}
