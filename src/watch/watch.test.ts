import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildCapture, buildExchange, buildRequest, EPOCH_SECONDS } from '../../test/build-exchange.ts';
import type { Key, KeyName, ScreenGuard } from './key.ts';
import { createWatch, type Watch } from './watch.ts';

/** As much of a terminal as a watch uses: two screens, cursor addressing, erasing to the end of a line. */
class FakeTerminal {
  columns = 80;
  rows = 10;
  isAlternate = false;
  cursorShown = true;
  wraps = true;
  written = 0;
  normal = '';
  lines: string[] = [];
  #row = 0;

  write(text: string): void {
    this.written += 1;
    for (const [, csi, plain] of text.matchAll(/\x1b\[([?\d;]*[a-zA-Z])|([^\x1b]+)/g)) {
      if (plain !== undefined) this.#print(plain);
      else this.#control(csi);
    }
  }

  #print(text: string): void {
    if (!this.isAlternate) this.normal += text;
    else this.lines[this.#row] = (this.lines[this.#row] ?? '') + text;
  }

  #control(sequence: string): void {
    const place = /^(\d+);(\d+)H$/.exec(sequence);
    if (place !== null) this.#row = Number(place[1]) - 1;
    else if (sequence === 'K') this.lines[this.#row] = '';
    else if (sequence === '2J') this.lines = [];
    else if (sequence === '?1049h') this.isAlternate = true;
    else if (sequence === '?1049l') this.isAlternate = false;
    else if (sequence === '?25h') this.cursorShown = true;
    else if (sequence === '?25l') this.cursorShown = false;
    else if (sequence === '?7l') this.wraps = false;
    else if (sequence === '?7h') this.wraps = true;
  }
}

interface Stage {
  readonly terminal: FakeTerminal;
  readonly watch: Watch;
  press(key: Key): Promise<void>;
  later(ms: number): void;
  guard: ScreenGuard;
  quits: number;
  interrupts: number;
  inputStopped: boolean;
  /** Changes the numbers of the status. */
  packets: number;
}

function stage(): Stage {
  const terminal = new FakeTerminal();
  let nowMs = 0;
  let onKey: (key: Key) => void = () => {};
  const made = {
    terminal,
    quits: 0,
    interrupts: 0,
    inputStopped: false,
    packets: 0,
    press: async (key: Key) => {
      onKey(key);
      await Promise.resolve();
    },
    later: (ms: number) => {
      nowMs += ms;
    },
  } as Stage & { watch: Watch };
  const watch = createWatch({
    terminal: {
      write: (text) => terminal.write(text),
      columns: () => terminal.columns,
      rows: () => terminal.rows,
    },
    keys: {
      onKey: (callback) => {
        onKey = callback;
      },
      guard: (screen) => {
        made.guard = screen;
      },
      interrupt: () => {
        made.interrupts += 1;
      },
      stop: () => {
        made.inputStopped = true;
      },
    },
    clock: { epochSeconds: EPOCH_SECONDS },
    captures: [buildCapture()],
    status: () => ({
      packetsPerSecond: 0,
      exchangesPerSecond: 0,
      packets: made.packets,
      exchanges: 0,
      dropped: 0,
      ringUse: null,
      memoryBytes: 1e8,
      cpuShare: null,
      elapsedMs: 0,
      source: 'any',
      notices: [],
    }),
    color: false,
    unicode: true,
    parseFilter: () => ({ matches: () => true }),
    nowMs: () => nowMs,
    onQuit: () => {
      made.quits += 1;
    },
    maxRows: 20,
  });
  Object.defineProperty(made, 'watch', { value: watch });
  return made;
}

const exchange = (id: number) => buildExchange({ id, request: buildRequest({ target: `/${id}` }) });
const named = (name: KeyName): Key => ({ kind: 'named', name });
const character = (text: string): Key => ({ kind: 'character', text });

describe('a watch', () => {
  it('takes the screen, shows exchanges, and gives the screen back before the closing lines', () => {
    const { terminal, watch, later } = stage();
    expect(terminal).toMatchObject({ isAlternate: true, cursorShown: false, wraps: false });
    watch.exchange(exchange(1));
    later(100);
    watch.tick();
    expect(terminal.lines.join('\n')).toContain('example.org/1');
    watch.closing(['12 packets', '1 exchange']);
    expect(terminal).toMatchObject({ isAlternate: false, cursorShown: true, wraps: true });
    expect(terminal.normal).toBe('12 packets\n1 exchange\n');
  });

  it('draws at most ten times per second, and writes nothing when nothing changed', () => {
    const { terminal, watch, later } = stage();
    terminal.written = 0;
    for (let id = 1; id <= 100; id += 1) {
      watch.exchange(exchange(id));
      later(10);
      watch.tick();
    }
    expect(terminal.written).toBeLessThanOrEqual(10);
    expect(terminal.written).toBeGreaterThanOrEqual(9);
    later(100);
    watch.tick();
    terminal.written = 0;
    for (let count = 0; count < 50; count += 1) {
      later(100);
      watch.tick();
    }
    expect(terminal.written).toBe(0);
  });

  it('answers keys at once, and a burst of them with one frame', async () => {
    const { terminal, watch, later, press } = stage();
    for (let id = 1; id <= 3; id += 1) watch.exchange(exchange(id));
    later(100);
    watch.tick();
    terminal.written = 0;
    await Promise.all(['?', '?', '?'].map((key) => press(character(key))));
    expect(terminal.written).toBe(1);
    expect(terminal.lines.join('\n')).toContain('PgUp PgDn');
  });

  it('asks to end with q or Ctrl-C, and interrupts the process when asked again', async () => {
    const one = stage();
    expect(one.watch.stopped).toBe(false);
    await one.press(character('q'));
    expect(one.quits).toBe(1);
    expect(one.watch.stopped).toBe(true);
    expect(one.terminal.lines.join('\n')).toContain('Ending the capture');
    expect(one.interrupts).toBe(0);
    await one.press(named('ctrl-c'));
    expect(one.quits).toBe(1);
    expect(one.interrupts).toBe(1);
  });

  it('gives the terminal back when the run fails', async () => {
    const one = stage();
    await one.watch.abort();
    expect(one.terminal.isAlternate).toBe(false);
    expect(one.inputStopped).toBe(true);
    one.terminal.written = 0;
    one.later(1000);
    one.watch.tick();
    await one.press(character('?'));
    expect(one.terminal.written).toBe(0);
  });

  it('writes nothing while the process is stopped, and everything when it goes on', () => {
    const { guard, terminal, watch, later } = stage();
    guard.leave();
    expect(terminal.isAlternate).toBe(false);
    terminal.written = 0;
    watch.exchange(exchange(1));
    later(1000);
    watch.tick();
    expect(terminal.written).toBe(0);
    guard.enter();
    expect(terminal.isAlternate).toBe(true);
    expect(terminal.lines.join('\n')).toContain('example.org/1');
  });

  it('shows on the changed lines what a full redraw would show', () => {
    const steps = fc.array(
      fc.oneof(
        fc.constantFrom(...'123456789spe?hmjkgG'.split('')).map(character),
        fc.constantFrom<KeyName>('up', 'down', 'enter', 'escape', 'ctrl-l').map(named),
        fc.constant('exchanges' as const),
        fc.record({ columns: fc.integer({ min: 20, max: 90 }), rows: fc.integer({ min: 2, max: 15 }) }),
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.asyncProperty(steps, async (list) => {
        const one = stage();
        let id = 0;
        for (const step of list) {
          if (step === 'exchanges')
            for (let count = 0; count < 3; count += 1) one.watch.exchange(exchange(++id));
          else if ('kind' in step) await one.press(step);
          else Object.assign(one.terminal, step);
          one.packets += 1;
          one.later(1000);
          one.watch.tick();
        }
        const text = () =>
          one.terminal.lines
            .map((line) => (line ?? '').trimEnd())
            .join('\n')
            .trimEnd();
        const shown = text();
        await one.press(named('ctrl-l'));
        expect(shown).toBe(text());
      }),
      { numRuns: 60 },
    );
  });
});
