import type { Exchange } from '../model/exchange.ts';
import { phasesOf } from '../model/phases.ts';
import type { Style } from '../report/style.ts';
import { pad } from '../report/terminal-text.ts';
import { formatDuration } from '../report/units.ts';
import { waitedNs } from '../report/why.ts';

/** Cells of the bar: no more than the eye can compare, no fewer than say something. */
const BAR_CELLS = { most: 120, least: 10 } as const;
/** Waiting between handshake and request that takes more than this part is drawn shorter. */
const IDLE_SHARE = 0.5;
const LABEL_CELLS = 9;
const DURATION_CELLS = 12;

interface Phase {
  readonly name: string;
  readonly ns: number;
  /** It had not ended when the capture or the connection did. */
  readonly isOpen: boolean;
}

function phasesInOrder(exchange: Exchange, captureEndNs: number | null): Phase[] {
  const { connectNs, sendNs, waitNs, receiveNs } = phasesOf(exchange);
  const list: Phase[] = [];
  const add = (name: string, ns: number | null, isOpen = false): void => {
    if (ns !== null) list.push({ name, ns, isOpen });
  };
  add('connect', connectNs);
  const { ackNs } = exchange.connection;
  if (connectNs !== null && ackNs !== null && exchange.request !== null)
    add('idle', Math.max(0, exchange.request.firstByteNs - ackNs));
  add('send', sendNs);
  add('wait', waitNs);
  if (exchange.response === null && sendNs !== null) add('wait', waitedNs(exchange, captureEndNs), true);
  add('receive', receiveNs);
  return list;
}

/**
 * The phases one below the other, each bar where it lies in time: `width` cells in all. Phases that the packets do
 * not show are named below. What is shorter than a cell takes one.
 */
export function timelineLines(
  exchange: Exchange,
  { width, style, captureEndNs }: { width: number; style: Style; captureEndNs: number | null },
): string[] {
  const phases = phasesInOrder(exchange, captureEndNs);
  const rest = phases.filter(({ name }) => name !== 'idle').reduce((sum, { ns }) => sum + ns, 0);
  const isShortened = phases.some(({ name, ns }) => name === 'idle' && ns > (rest + ns) * IDLE_SHARE);
  const drawn = phases.map(({ name, ns }) => (name === 'idle' && isShortened ? rest / 10 : ns));
  const whole = drawn.reduce((sum, ns) => sum + ns, 0);
  const room = width - 2 - LABEL_CELLS - DURATION_CELLS - 2;
  const cells = Math.max(BAR_CELLS.least, Math.min(BAR_CELLS.most, room));
  const lines: string[] = [];
  let before = 0;
  phases.forEach(({ name, ns, isOpen }, index) => {
    const from = whole === 0 ? 0 : Math.min(cells - 1, Math.floor((before / whole) * cells));
    before += drawn[index];
    const to = whole === 0 ? 0 : Math.round((before / whole) * cells);
    const length = Math.max(1, Math.min(cells, to) - from);
    const bar = barOf(name, length, isOpen, isShortened);
    const duration = `${isOpen ? '>' : ''}${formatDuration(ns)}`;
    const painted = name === 'idle' ? style.dim(bar) : style.cyan(bar);
    lines.push(
      `  ${pad(name, LABEL_CELLS)}${pad(duration, DURATION_CELLS, 'right')}  ${' '.repeat(from)}${painted}`,
    );
  });
  if (isShortened) lines.push(style.dim('  idle is not drawn to scale'));
  const unknown = unknownPhases(exchange, phases);
  if (unknown.length > 0) lines.push(style.dim(`  not in the packets: ${unknown.join(', ')}`));
  return lines;
}

function barOf(name: string, length: number, isOpen: boolean, isShortened: boolean): string {
  if (name === 'idle') return (isShortened ? '/' : '·').repeat(length);
  return isOpen ? `${'█'.repeat(Math.max(0, length - 1))}>` : '█'.repeat(length);
}

function unknownPhases(exchange: Exchange, phases: readonly Phase[]): string[] {
  const wanted =
    exchange.position === 1 ? ['connect', 'send', 'wait', 'receive'] : ['send', 'wait', 'receive'];
  return wanted.filter((name) => !phases.some((phase) => phase.name === name));
}
