import { describe, expect, it } from 'vitest';
import { emptyReport } from '../capture/follow/report.ts';
import type { WaitingRequest } from '../match/request-watch.ts';
import { StatusLine } from './status-line.ts';
import { NoticeFilter, reportLines, waitingLine } from './tail-notes.ts';
import { statusText } from './tail-status.ts';

describe('what is told at the end', () => {
  it('is nothing when all was read', () => {
    expect(reportLines({ ...emptyReport(), files: 12, leftOut: 3 }, 300, 0)).toEqual([]);
  });

  it('is every loss, with what to do', () => {
    const report = {
      ...emptyReport(),
      vanished: 3,
      damaged: 1,
      refused: 2,
      copies: 1,
      late: 4,
      unfinished: 1,
    };
    expect(reportLines(report, 300, 0)).toEqual([
      '3 files vanished before they could be read; the capture is faster than this reader, or the ring is too small',
      '1 capture could not be read to the end',
      '2 files left out: no captures',
      '1 compressed copy of files that were read left out',
      '4 packets came after later ones of another file (--merge-wait is 300 ms)',
      '1 capture ended inside a packet that was still being written',
    ]);
  });

  it('is what was not read', () => {
    expect(reportLines({ ...emptyReport(), unread: 2 }, 300, 5_000_000)).toEqual([
      'stopped with 5.00 MB and 2 whole files not read',
    ]);
  });
});

describe('notices', () => {
  it('are printed ten times of each kind, then counted', () => {
    const filter = new NoticeFilter();
    const lines = Array.from({ length: 12 }, (_, index) =>
      filter.lineOf({ kind: 'refused', path: `d/${index}`, text: 'is text' }),
    );
    expect(lines[0]).toBe('d/0: is text');
    expect(lines[9]).toBe('d/9: is text (further ones like this are only counted)');
    expect(lines.slice(10)).toEqual([null, null]);
    expect(filter.lineOf({ kind: 'damage', path: 'd', text: 'x' })).toBe('d: x');
  });

  it('cannot act on a terminal', () => {
    expect(new NoticeFilter().lineOf({ kind: 'damage', path: 'a\x1b[2J', text: 'b\x07' })).toBe(
      'a\\x1b[2J: b\\x07',
    );
  });
});

describe('a request that waits', () => {
  const request: WaitingRequest = {
    method: 'GET',
    target: '/orders\x1b[2J',
    host: 'shop.test',
    client: { address: '10.0.0.1', port: 40000, text: '10.0.0.1:40000' },
    server: { address: '10.0.0.2', port: 80, text: '10.0.0.2:80' },
    packet: 12,
    capture: 0,
    sinceNs: 123_000_000,
  };

  it('is told with its time, its ends and its packet', () => {
    const context = { nowNs: 5_123_000_000, clock: { epochSeconds: 1_700_000_000 }, captures: [] };
    expect(waitingLine(request, context)).toBe(
      'waiting for 5.00 s: GET shop.test/orders\\x1b[2J, 10.0.0.1:40000 to 10.0.0.2:80, since 22:13:20.123 (?, packet 12)',
    );
  });
});

describe('the status line', () => {
  const counts = { packets: 1204, exchanges: 1, files: 3, vanished: 0, unreadBytes: 0, path: 'trace.pcap2' };

  it('tells how far it is', () => {
    expect(statusText(counts)).toBe('1,204 packets  1 exchange  3 files  0 B behind  trace.pcap2');
    expect(statusText({ ...counts, vanished: 2, path: null })).toBe(
      '1,204 packets  1 exchange  3 files  0 B behind  2 files missed',
    );
  });

  it('is drawn in one line, not too often, and taken away', () => {
    let written = '';
    let nowMs = 0;
    const line = new StatusLine({ write: (text) => (written += text), columns: () => 11, now: () => nowMs });
    line.clear();
    expect(written).toBe('');
    line.update(() => 'a status that is too long');
    expect(written).toBe('\ra status …\x1b[K');
    nowMs = 100;
    line.update(() => 'again');
    expect(written).not.toContain('again');
    line.clear();
    expect(written.endsWith('\r\x1b[K')).toBe(true);
    line.update(() => 'at once');
    expect(written).toContain('at once');
  });
});
