import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildCapture,
  buildConnection,
  buildExchange,
  buildInterface,
  buildInterim,
  buildRequest,
  buildResponse,
  buildUnanswered,
  EPOCH_SECONDS,
} from '../../test/build-exchange.ts';
import { run } from '../../test/store/arbitrary-run.ts';
import { parseFilter } from '../filter/filter.ts';
import type { Endpoint, Exchange, Sighting } from '../model/exchange.ts';
import { ANSI_STYLE, NO_STYLE } from '../report/style.ts';
import { displayWidth } from '../report/terminal-text.ts';
import type { Key, KeyName } from './key.ts';
import { renderScreen, type Screen, type ScreenOptions } from './watch-screen.ts';
import { WatchState } from './watch-state.ts';
import type { WatchStatus } from './watch-status.ts';

const clock = { epochSeconds: EPOCH_SECONDS };

const STATUS: WatchStatus = {
  packetsPerSecond: 1204,
  exchangesPerSecond: 96,
  packets: 12_345,
  exchanges: 678,
  dropped: 0,
  ringUse: 0.03,
  memoryBytes: 96e6,
  memoryBudgetBytes: 4e9,
  cpuShare: 0.24,
  cpuBudgetCores: 2,
  elapsedMs: 63_400,
  source: 'eth0, lo',
  notices: [],
};

function options(columns: number, rows: number, parts: Partial<ScreenOptions> = {}): ScreenOptions {
  return {
    columns,
    rows,
    style: NO_STYLE,
    colors: false,
    unicode: true,
    clock,
    captures: [buildCapture({ interfaces: [buildInterface({ name: 'eth0' })] })],
    maxRows: 10_000,
    nowMs: 0,
    ...parts,
  };
}

function stateWith(exchanges: readonly Exchange[], maxRows = 100): WatchState {
  const state = new WatchState({
    maxRows,
    parseFilter: (text) => {
      const filter = parseFilter(text);
      return { matches: (exchange) => filter.matches(exchange, clock) };
    },
  });
  for (const exchange of exchanges) state.add(exchange);
  return state;
}

const character = (text: string): Key => ({ kind: 'character', text });
const named = (name: KeyName): Key => ({ kind: 'named', name });

/** The screen as a person sees it: without the marks of reverse video, and without blanks at the end. */
function seen({ lines }: Screen): string {
  return lines.map((line) => line.replaceAll(/\x1b\[2?7m/g, '').trimEnd()).join('\n');
}

/** Four of a kind that a shop's front gets; the third never gets an answer. */
const FOUR: readonly Exchange[] = [
  buildExchange({ id: 1 }),
  buildExchange({
    id: 2,
    position: 2,
    request: buildRequest({ method: 'POST', target: '/orders', firstByteNs: 1e9, lastByteNs: 1e9 }),
    response: buildResponse({ status: 503, firstByteNs: 1.25e9, lastByteNs: 1.25e9, bodyBytes: 30 }),
  }),
  buildUnanswered('reset-by-server', {
    id: 3,
    position: 3,
    connection: buildConnection({ lastNs: 3e9 }),
    request: buildRequest({ target: '/slow', firstByteNs: 2e9, lastByteNs: 2e9 }),
  }),
  buildExchange({
    id: 4,
    position: 4,
    request: buildRequest({
      target: '/a/very/long/path/that/nobody/needs',
      firstByteNs: 3e9,
      lastByteNs: 3e9,
    }),
    response: buildResponse({ status: 404, firstByteNs: 3.0005e9, lastByteNs: 3.0005e9 }),
  }),
];

describe('the screen', () => {
  it('of 80 by 24', () => {
    expect(seen(renderScreen(stateWith(FOUR), STATUS, options(80, 24)))).toBe(
      [
        'wirelens  eth0, lo  63 s  12,345 packets  678 exchanges',
        '1,204 packets/s  96.0 exchanges/s  no drops  memory 96.0 MB  CPU 12 %  ring 3 %',
        '',
        '  1 time   2 method 3 status  4 total   5 wait 9 request',
        '  07:42:00 GET      200       11.0 ms  10.0 ms example.org/',
        '  07:42:01 POST     503 !!     250 ms   250 ms example.org/orders',
        '  07:42:02 GET      – !!      >1.00 s  >1.00 s example.org/slow',
        '> 07:42:03 GET      404 !      500 µs   500 µs example.org/a/ve…hat/nobody/needs',
        ...Array(15).fill(''),
        '?: help  /: filter  s: slowest  e: errors  p: pause            4 of 4, following',
      ].join('\n'),
    );
  });

  it('of 200 by 50', () => {
    const lines = seen(renderScreen(stateWith(FOUR), STATUS, options(200, 50))).split('\n');
    expect(lines.length).toBe(50);
    expect(lines.slice(0, 8)).toEqual([
      'wirelens  eth0, lo  63 s  12,345 packets  678 exchanges',
      '1,204 packets/s  96.0 exchanges/s  no drops  memory 96.0 MB of 4.00 GB  CPU 12 % of 2 cores  ring 3 %',
      '',
      '  1 time        2 method  3 status   4 total    5 wait   6 bytes  7 client               8 server               9 request                                       outcome',
      '  07:42:00.002  GET       200        11.0 ms   10.0 ms   1.35 kB  10.0.0.1:5000          10.0.0.2:80            example.org/                                    complete',
      '  07:42:01.000  POST      503 !!      250 ms    250 ms     150 B  10.0.0.1:5000          10.0.0.2:80            example.org/orders                              complete',
      '  07:42:02.000  GET       – !!       >1.00 s   >1.00 s         –  10.0.0.1:5000          10.0.0.2:80            example.org/slow                                reset by the server 1.00 s after the re…',
      '> 07:42:03.000  GET       404 !       500 µs    500 µs   1.35 kB  10.0.0.1:5000          10.0.0.2:80            example.org/a/very/long/path/that/nobody/needs  complete',
    ]);
    expect(lines[49]).toMatch(/^\?: help .* {2}q: quit +4 of 4, following$/);
  });

  it('tells the reasons of slow ones when sorted by them', () => {
    const state = stateWith(FOUR);
    state.key(character('s'));
    const text = seen(renderScreen(state, STATUS, options(200, 12)));
    expect(text).toContain('by total, slowest first');
    expect(text).toContain(' 4▼total ');
    expect(text).toContain('server took 250 ms to answer');
    expect(text.indexOf('/slow')).toBeLessThan(text.indexOf('/orders'));
  });

  it('says that packets were dropped, that the display is held, and what the capture told', () => {
    const state = stateWith(FOUR);
    renderScreen(state, STATUS, options(80, 24));
    state.key(character('p'));
    state.add(buildExchange({ id: 5 }));
    const status = { ...STATUS, packets: 900, dropped: 100, notices: ['eth1 is gone', 'eth1 is back'] };
    const screen = seen(renderScreen(state, status, options(80, 24)));
    expect(screen).toContain('100 DROPPED (10 %)');
    expect(screen).toContain('paused, 1 newer');
    expect(screen).toContain('eth1 is back  (m: all 2 messages)');
    expect(screen).toContain('p: go on');
    state.key(character('m'));
    expect(seen(renderScreen(state, status, options(80, 24)))).toContain('- eth1 is gone\n- eth1 is back\n');
    state.key(character('m'));
    // They have been read.
    expect(seen(renderScreen(state, status, options(80, 24)))).not.toContain('eth1');
  });

  it('does not claim that nothing was dropped when nobody can tell', () => {
    const status = { ...STATUS, dropped: null };
    expect(seen(renderScreen(stateWith([]), status, options(80, 24)))).toContain('drops unknown');
  });

  it('says why there are no rows', () => {
    const state = stateWith([]);
    const text = () => seen(renderScreen(state, STATUS, options(80, 24)));
    expect(text()).toContain('No exchange yet.');
    state.key(character('e'));
    expect(text()).toContain('No errors.');
    for (const key of ['/', '1', '<', '0']) state.key(character(key));
    expect(text()).toContain('filter: 1<0\nEnter: apply');
  });

  it('puts carets under a mistake in the filter, and the cursor where text is typed', () => {
    const state = stateWith(FOUR);
    for (const key of '/status > foo') state.key(character(key));
    state.key(named('enter'));
    const screen = renderScreen(state, STATUS, options(80, 24));
    const lines = seen(screen).split('\n');
    expect(lines.slice(21, 23)).toEqual(['filter: status > foo', '                 ^^^']);
    expect(lines[23]).toContain('foo');
    expect(screen.cursor).toEqual({ line: 21, cell: 20 });
    state.key(named('home'));
    expect(renderScreen(state, STATUS, options(80, 24)).cursor).toEqual({ line: 21, cell: 8 });
  });

  it('reverses the selected row over the whole width, and paints the others by their status', () => {
    const state = stateWith(FOUR);
    const colored = options(80, 24, { style: ANSI_STYLE, colors: true });
    const { lines } = renderScreen(state, STATUS, colored);
    expect(lines[5]).toContain('\x1b[31m503     \x1b[39m');
    expect(lines[6]).toContain('\x1b[31m–       \x1b[39m');
    expect(lines[7]).toMatch(/^\x1b\[7m> [^\x1b]{78}\x1b\[27m$/);
    state.key(named('up'));
    expect(renderScreen(state, STATUS, colored).lines[7]).toContain('\x1b[33m404     \x1b[39m');
  });

  it('has room for rows on a terminal of few lines', () => {
    const state = stateWith(FOUR);
    expect(
      seen(renderScreen(state, STATUS, options(80, 5)))
        .split('\n')
        .map((line) => line.slice(0, 20)),
    ).toEqual([
      '  1 time   2 method ',
      '  07:42:01 POST     ',
      '  07:42:02 GET      ',
      '> 07:42:03 GET      ',
      '?: help  /: filter  ',
    ]);
    expect(renderScreen(state, STATUS, options(80, 1)).lines.length).toBe(1);
  });
});

describe('one exchange in full', () => {
  const exchange = buildExchange({
    id: 7,
    position: 1,
    connection: buildConnection({ id: 3, vlans: [12], tunnels: [{ kind: 'vxlan', id: 42 }], exchanges: 2 }),
    request: buildRequest({
      method: 'PUT',
      target: '/upload',
      bodyBytes: 5000,
      userAgent: 'curl/8.5',
      lastByteNs: 4_000_000,
    }),
    response: buildResponse({ headers: [{ name: 'via', value: 'a\x1b[2Jb' }] }),
    interim: [buildInterim({ timeNs: 2_500_000 })],
    anomalies: ['obs-fold'],
    tcp: { requestRetransmissions: 1 },
  });

  it('is told line by line', () => {
    const state = stateWith([exchange]);
    renderScreen(state, STATUS, options(80, 24));
    state.key(named('enter'));
    const lines = seen(renderScreen(state, STATUS, options(80, 60)))
      .split('\n')
      .slice(3);
    expect(lines.slice(0, 13)).toEqual([
      'PUT example.org/upload',
      '  200 OK',
      '  complete, 11.0 ms in all, pairing exact; request retransmitted once',
      '',
      '  exchange    7',
      '  when        2026-11-21T07:42:00.002000000Z',
      '  client      10.0.0.1:5000',
      '  server      10.0.0.2:80',
      '  connection  3, exchange 1 of 2 on it so far',
      '  interface   eth0',
      '  inside      VLAN 12, vxlan 42',
      '',
      'Phases',
    ]);
    const text = lines.join('\n');
    // Sent in 2 ms, 8 ms until the answer began, 1 ms for the answer.
    expect(text).toMatch(
      / {2}send {10,}2\.00 ms {2,}█+\n {2}wait {10,}8\.00 ms {2,}█+\n {2}receive {7,}1\.00 ms {2,}█+\n/,
    );
    expect(text).toContain('Interim responses\n  100, 500 µs after the request began\n');
    expect(text).toContain(
      'Request\n  HTTP/1.1, packet 4, 40 B of headers, 5.00 kB of body\n  host: example.org\n  user-agent: curl/8.5\n',
    );
    expect(text).toContain('  content-type: text/html\n  via: a\\x1b[2Jb\n');
    expect(text).toContain("1 of the client's segments was sent again");
    expect(text).toContain('its handshake is in the capture, still open\n');
    expect(text).toContain('Anomalies\n  obs-fold: ');
  });

  it('tells where it was seen when that was at several places', () => {
    const endpoint = (address: string, port: number) => ({ address, port, text: `${address}:${port}` });
    const place = (number: number, server: Endpoint, vlans: number[]): Sighting => ({
      capture: 0,
      interfaceNumber: number,
      interfaceIndex: null,
      client: endpoint('10.0.0.1', 5000),
      server,
      vlans,
      tunnels: [],
      firstNs: 0,
      packets: 5,
    });
    const seenTwice = buildExchange({
      sightings: [
        { at: place(0, endpoint('10.96.0.1', 80), []), requestNs: 2e6, responseNs: 12_100_000 },
        { at: place(1, endpoint('10.0.0.2', 8080), [7]), requestNs: 2_030_000, responseNs: 12e6 },
        { at: place(9, endpoint('10.0.0.2', 8080), []), requestNs: null, responseNs: null },
      ],
    });
    const state = stateWith([seenTwice]);
    const interfaces = [
      buildInterface({ number: 0, name: 'eth0' }),
      buildInterface({ number: 1, name: 'br\x1b[m' }),
    ];
    const wide = options(100, 50, { captures: [buildCapture({ interfaces })] });
    renderScreen(state, STATUS, wide);
    state.key(named('enter'));
    expect(seen(renderScreen(state, STATUS, wide))).toContain(
      [
        'Seen at',
        '  eth0        10.0.0.1:5000 to 10.96.0.1:80, request first, answer +100 µs',
        '  br\\x1b[m    10.0.0.1:5000 to 10.0.0.2:8080, VLAN 7, request +30.0 µs, answer first',
        '  interface 9 10.0.0.1:5000 to 10.0.0.2:8080, request not seen, answer not seen',
        '',
      ].join('\n'),
    );
  });

  it('scrolls', () => {
    const state = stateWith([exchange]);
    renderScreen(state, STATUS, options(80, 24));
    state.key(named('enter'));
    renderScreen(state, STATUS, options(80, 24));
    state.key(named('end'));
    const lines = seen(renderScreen(state, STATUS, options(80, 24))).split('\n');
    expect(lines[22]).toContain('obs-fold');
    expect(lines[23]).toMatch(/^Esc: back .* 1 of 1$/);
  });
});

describe('every screen', () => {
  const key: fc.Arbitrary<Key> = fc.oneof(
    fc.constantFrom(...'123456789spce/?hmqgGjknx <>='.split('')).map(character),
    fc
      .constantFrom<KeyName>('up', 'down', 'left', 'right', 'home', 'end', 'page-up', 'page-down', 'enter', 'escape', 'backspace', 'delete', 'tab', 'ctrl-u', 'ctrl-l')
      .map(named), // biome-ignore format: a list
    fc.string({ unit: 'binary', maxLength: 12 }).map((text): Key => ({ kind: 'paste', text })),
    fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }).map(character),
  );
  const step = fc.oneof(
    { weight: 3, arbitrary: key },
    { weight: 1, arbitrary: fc.constantFrom('exchange', 'draw') },
  );

  /** The exchange, seen at its own place and at another one. */
  const seenAtTwoPlaces = (one: Exchange): Exchange => {
    const { client, server, connection } = one;
    const { capture, interfaceNumber, vlans, tunnels, firstNs } = connection;
    const place = { capture, interfaceNumber, interfaceIndex: null, client, server, vlans, tunnels, firstNs };
    const times = {
      requestNs: one.request?.firstByteNs ?? null,
      responseNs: one.response?.lastByteNs ?? null,
    };
    const own = { at: { ...place, packets: 1 }, ...times };
    const other = { at: { ...place, interfaceNumber: 0, packets: 1 }, requestNs: firstNs, responseNs: null };
    return { ...one, sightings: [own, other] };
  };

  it('fits, has a selection that exists, and nothing from packets that a terminal would act on', () => {
    fc.assert(
      fc.property(
        run,
        fc.array(step, { maxLength: 60 }),
        fc.integer({ min: 1, max: 220 }),
        fc.integer({ min: 1, max: 60 }),
        fc.boolean(),
        fc.boolean(),
        fc.string({ unit: 'binary', maxLength: 30 }),
        ({ exchanges }, steps, columns, rows, colors, unicode, hostile) => {
          const state = stateWith([], 7);
          const style = colors ? ANSI_STYLE : NO_STYLE;
          const status = { ...STATUS, source: hostile, notices: [hostile] };
          const captures = [buildCapture({ interfaces: [buildInterface({ name: hostile })] })];
          let next = 0;
          steps.forEach((one, index) => {
            if (typeof one === 'object') state.key(one);
            else if (one === 'exchange') {
              for (let count = 0; count < 5 && next < exchanges.length; count += 1)
                state.add(seenAtTwoPlaces(exchanges[next++]));
            }
            const { lines, cursor } = renderScreen(
              state,
              status,
              options(columns, rows, { style, colors, unicode, captures, nowMs: index * 300 }),
            );
            expect(lines.length).toBe(rows);
            for (const line of lines) {
              const text = line.replaceAll(/\x1b\[(?:1|2|7|22|27|31|32|33|36|39)m/g, '');
              expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u);
              expect(displayWidth(text)).toBeLessThanOrEqual(columns);
              if (!unicode) expect(text).toMatch(/^[\x20-\x7e]*$/);
              if (!colors) expect(line.replaceAll(/\x1b\[2?7m/g, '')).toBe(text);
            }
            if (cursor !== null) {
              expect(cursor.line).toBeLessThan(rows);
              expect(cursor.cell).toBeLessThan(columns);
            }
            const { list, position, selected } = state.view;
            if (list.end > list.begin) expect(list.at(position)).toBe(selected);
            else expect(selected).toBeNull();
          });
        },
      ),
      { numRuns: 150 },
    );
  });
});
