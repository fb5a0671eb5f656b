import type { Style } from '../report/style.ts';
import { pad, sanitise, wrap } from '../report/terminal-text.ts';
import { counted } from '../report/units.ts';

const KEY_CELLS = 20;

type Section = readonly [title: string, keys: readonly (readonly [key: string, does: string])[]];

const SECTIONS: readonly Section[] = [
  [
    'List',
    [
      ['up down, k j', 'select the exchange before or after'],
      ['PgUp PgDn', 'a page up or down, also Ctrl-B and Ctrl-F'],
      ['Home End, g G', 'first and last; End follows the newest again'],
      ['Enter', 'everything about the selected exchange'],
      ['1 to 9', 'sort by that column; again: the other way round'],
      ['s', 'slowest first, of the whole run; again: by arrival'],
      ['0', 'by arrival, newest last'],
      ['/', 'filter, as for --where: status >= 500 && wait > 200ms'],
      ['e', 'only errors: no answer, a broken one, 4xx, 5xx'],
      ['p, space', 'hold the display; the capture goes on'],
      ['c', 'clear the list; counts go on'],
      ['m', 'messages of the capture'],
      ['Esc', 'undo the order, then errors only, then the filter'],
      ['Ctrl-L', 'draw the screen again'],
      ['Ctrl-Z', 'stop the program; fg goes on'],
      ['q, Ctrl-C', 'end the capture'],
    ],
  ],
  [
    'One exchange',
    [
      ['n p, right left', 'the exchange after or before it in the list'],
      ['up down, k j', 'scroll; also PgUp, PgDn, space, Home, End'],
      ['Esc, q, Enter', 'back to the list'],
    ],
  ],
  [
    'Filter line',
    [
      ['Enter', 'apply; empty: no filter'],
      ['Esc', 'leave the filter as it was'],
      ['up down', 'filters used before'],
      ['Ctrl-U, Ctrl-W', 'delete to the start, a word'],
    ],
  ],
];

/** All keys, and what the rows are taken from. */
export function helpLines(width: number, style: Style, maxRows: number): string[] {
  const lines: string[] = [];
  const room = Math.max(20, width - KEY_CELLS - 2);
  for (const [title, keys] of SECTIONS) {
    if (lines.length > 0) lines.push('');
    lines.push(style.bold(title));
    for (const [key, does] of keys) {
      wrap(does, room).forEach((line, index) => {
        lines.push(`  ${style.cyan(pad(index === 0 ? key : '', KEY_CELLS))}${line}`);
      });
    }
  }
  const about =
    `Kept are the latest ${counted(maxRows, 'exchange')} that pass the filter, and beside them the 1,000 slowest ` +
    'and the latest 1,000 errors of the whole run. Sorting and a new filter work on all of these. ' +
    '!! marks 5xx and no answer, ! marks 4xx, where there are no colours.';
  return [...lines, '', ...wrap(about, Math.max(20, width))];
}

/** Everything that the capture told, newest last. */
export function messageLines(notices: readonly string[], width: number, style: Style): string[] {
  if (notices.length === 0) return ['Nothing happened that would have to be told.'];
  return [
    style.bold('Messages'),
    ...notices.flatMap((notice) =>
      wrap(sanitise(notice), Math.max(20, width - 4)).map(
        (line, index) => `${index === 0 ? '- ' : '  '}${line}`,
      ),
    ),
  ];
}
