import { beforeEach } from 'vitest';
import { parseFilter } from '../src/filter/filter.ts';
import type { Exchange } from '../src/model/exchange.ts';
import type { KeyName } from '../src/watch/key.ts';
import { WatchState } from '../src/watch/watch-state.ts';
import {
  buildExchange,
  buildRequest,
  buildResponse,
  buildUnanswered,
  EPOCH_SECONDS,
} from './build-exchange.ts';

/** The state of a watch as its user sees it: exchanges come, keys are pressed, and the screen is five rows high. */

const NAMED = new Set(['up', 'down', 'left', 'right', 'home', 'end', 'page-up', 'page-down', 'enter', 'escape', 'backspace']); // biome-ignore format: a list
/** Rows of the list that fit on the screen. */
const SCREEN_ROWS = 5;
/** Rows that the state may keep. */
const KEPT_ROWS = 10;
/** Lines of an exchange's text. */
const TEXT_LINES = 20;

const clock = { epochSeconds: EPOCH_SECONDS };

/** What happens to a watch. Exchanges are numbered from 1; one begins a millisecond after the one before it. */
export interface WatchSteering {
  /** An exchange that took so many ms in all. */
  add(totalMs?: number, status?: number, parts?: Partial<Exchange>): Exchange;
  /** A request that ended so, without an answer. */
  addUnanswered(ending: Parameters<typeof buildUnanswered>[0]): void;
  addMany(count: number): void;
  /** The id of the exchange that was added last. */
  lastId(): number;
  /** Keys by name, or characters; after each the screen is drawn. */
  press(...keys: string[]): void;
  /** The characters of a text, key by key. */
  type(text: string): void;
  /** Draws the screen so many ms after it was drawn last. */
  draw(passedMs?: number): void;
  /** Ids of the rows on the screen, the selected one in brackets. */
  seen(): string;
}

/** A state for each test of the calling file, handed to `begun` before the test; it keeps 10 rows. */
export function watchPerTest(begun: (state: WatchState) => void): WatchSteering {
  let state: WatchState;
  let id: number;
  let nowMs: number;

  beforeEach(() => {
    state = new WatchState({
      maxRows: KEPT_ROWS,
      parseFilter: (text) => {
        const filter = parseFilter(text);
        return { matches: (exchange) => filter.matches(exchange, clock) };
      },
    });
    id = 0;
    nowMs = 0;
    begun(state);
  });

  function add(totalMs = 10, status = 200, parts: Partial<Exchange> = {}): Exchange {
    id += 1;
    const exchange = buildExchange({
      id,
      request: buildRequest({ firstByteNs: id * 1e6, lastByteNs: id * 1e6, target: `/${id}` }),
      response: buildResponse({ status, firstByteNs: id * 1e6, lastByteNs: (id + totalMs) * 1e6 }),
      ...parts,
    });
    state.add(exchange);
    return exchange;
  }

  function press(...keys: string[]): void {
    for (const key of keys) {
      state.key(
        NAMED.has(key) || key.startsWith('ctrl-')
          ? { kind: 'named', name: key as KeyName }
          : { kind: 'character', text: key },
      );
      draw();
    }
  }

  function draw(passedMs = 1000): void {
    nowMs += passedMs;
    state.settle({ tableRows: SCREEN_ROWS, pageLines: SCREEN_ROWS, lines: TEXT_LINES, nowMs });
  }

  return {
    add,
    addUnanswered(ending) {
      id += 1;
      state.add(buildUnanswered(ending, { id }));
    },
    addMany(count) {
      for (let index = 0; index < count; index += 1) add();
    },
    lastId: () => id,
    press,
    type: (text) => press(...text),
    draw,
    seen() {
      const { list, top, position } = state.view;
      const rows: string[] = [];
      for (let place = top; place < Math.min(list.end, top + SCREEN_ROWS); place += 1) {
        rows.push(place === position ? `[${list.at(place).id}]` : `${list.at(place).id}`);
      }
      return rows.join(' ');
    },
  };
}
