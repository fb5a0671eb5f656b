import type { Paint } from '../report/style.ts';

/** Eighths of the highest value. */
export const BLOCKS = '▁▂▃▄▅▆▇█';
/** The same for terminals that have no Unicode. */
export const ASCII_LEVELS = '.:-=+*#@';

/** One character for each value; blank: zero, so that gaps are visible. `levels`: eight characters, lowest first. */
export function sparkline(values: ArrayLike<number>, levels: string): string {
  let most = 0;
  for (let index = 0; index < values.length; index += 1) most = Math.max(most, values[index]);
  let text = '';
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    text += value <= 0 ? ' ' : levels[Math.min(8, Math.max(1, Math.ceil((value * 8) / most))) - 1];
  }
  return text;
}

/** Adds up `per` neighbours at a time, from the first; the last sum may be of fewer. */
export function combined(values: ArrayLike<number>, per: number): Uint32Array {
  const sums = new Uint32Array(Math.ceil(values.length / per));
  for (let index = 0; index < values.length; index += 1) sums[Math.floor(index / per)] += values[index];
  return sums;
}

/** Paints the characters at which `marks` is above zero. */
export function paintMarks(marks: ArrayLike<number>, paint: Paint): Paint {
  return (text) => {
    let painted = '';
    let run = '';
    let at = 0;
    for (const character of text) {
      if (at < marks.length && marks[at] > 0) {
        run += character;
      } else {
        if (run !== '') painted += paint(run);
        run = '';
        painted += character;
      }
      at += 1;
    }
    return run === '' ? painted : painted + paint(run);
  };
}
