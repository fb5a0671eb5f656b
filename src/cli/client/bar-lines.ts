import type { Paint, Style } from '../../report/style.ts';
import { pad } from '../../report/terminal-text.ts';
import { formatDuration } from '../../report/units.ts';

/** A stretch of time, drawn where it lies. */
export interface Bar {
  readonly name: string;
  /** From the begin of the whole, ms, 0 or more. */
  readonly fromMs: number;
  readonly ms: number;
  /** A second stretch of the same name, behind the first; its length is within `ms`. */
  readonly second?: { readonly fromMs: number; readonly ms: number };
}

const BAR_CELLS = { most: 120, least: 10 } as const;
const LABEL_CELLS = 13;
const DURATION_CELLS = 10;

/** Stretches of time one below the other: name, duration, bar. What is shorter than a cell takes one. */
export function barLines(bars: readonly Bar[], { width, style }: { width: number; style: Style }): string[] {
  const room = width - 2 - LABEL_CELLS - DURATION_CELLS - 2;
  const cells = Math.max(BAR_CELLS.least, Math.min(BAR_CELLS.most, room));
  const whole = bars.reduce(
    (end, { fromMs, ms, second }) =>
      Math.max(end, fromMs + ms, second === undefined ? 0 : second.fromMs + second.ms),
    0,
  );
  return bars.map(({ name, fromMs, ms, second }) => {
    const text = pad(formatDuration(ms * 1e6), DURATION_CELLS, 'right');
    const first = second === undefined ? ms : ms - second.ms;
    const drawn = stretch(0, { fromMs, ms: first }, whole, cells);
    const bar = second === undefined ? drawn : drawn.text + stretch(drawn.end, second, whole, cells).text;
    return `  ${pad(name, LABEL_CELLS)}${text}  ${painted(typeof bar === 'string' ? bar : bar.text, style.cyan)}`;
  });
}

/** Blank up to its begin, then blocks; `after`: the cells that are drawn already. */
function stretch(
  after: number,
  { fromMs, ms }: { fromMs: number; ms: number },
  wholeMs: number,
  cells: number,
): { text: string; end: number } {
  const place = (at: number): number => (wholeMs === 0 ? 0 : Math.round((at / wholeMs) * cells));
  const from = Math.max(after, Math.min(cells - 1, place(fromMs)));
  const end = Math.max(from + 1, Math.min(cells, place(fromMs + ms)));
  return { text: ' '.repeat(from - after) + '█'.repeat(end - from), end };
}

/** Colours the blocks alone: blanks of a colour are nothing to see, and many bytes. */
function painted(bar: string, paint: Paint): string {
  return bar.replace(/█+/g, (blocks) => paint(blocks));
}
