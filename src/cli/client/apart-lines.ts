import type { Style } from '../../report/style.ts';
import { wrap } from '../../report/terminal-text.ts';
import { formatDuration } from '../../report/units.ts';
import { type AnswerObject, numberOf } from './answer.ts';
import { barLines } from './bar-lines.ts';

/**
 * Where the time went that the client waited for the first byte: on the way, and at the server. Drawn as if the way
 * there takes as long as the way back; only their sum is measured.
 */
export function apartLines(apart: AnswerObject, { width, style }: { width: number; style: Style }): string[] {
  const client = numberOf(apart, 'client_side_ms');
  const server = numberOf(apart, 'server_side_ms');
  const network = numberOf(apart, 'network_ms');
  if (client === null || server === null || network === null) return [];
  const way = Math.max(0, network) / 2;
  const bars = barLines(
    [
      { name: 'client side', fromMs: 0, ms: client },
      { name: 'network', fromMs: 0, ms: network, second: { fromMs: way + server, ms: way } },
      { name: 'server side', fromMs: way, ms: server },
    ],
    { width, style },
  );
  const offset = numberOf(apart, 'clock_offset_ms');
  const notes = ['first byte of the request to first byte of the response'];
  if (offset !== null && offset !== 0) {
    const by = formatDuration(Math.abs(offset) * 1e6);
    notes.push(`the server side's clock is about ${by} ${offset > 0 ? 'ahead' : 'behind'}`);
  }
  if (network < 0) notes.push('less than nothing on the way: clocks or time stamps are not exact enough');
  return [
    style.bold('Where the time went'),
    ...bars,
    ...wrap(notes.join('; '), width - 2).map((line) => `  ${style.dim(line)}`),
  ];
}

/** Why it is not known where the time went of an exchange that several saw; nothing where one saw it. */
export function unknownApartLines(
  observations: number,
  { width, style }: { width: number; style: Style },
): string[] {
  if (observations < 2) return [];
  const why =
    "network unknown: no two of them saw it whole, one on the client's side and one on the server's";
  return [style.bold('Where the time went'), ...wrap(why, width - 2).map((line) => `  ${style.dim(line)}`)];
}
