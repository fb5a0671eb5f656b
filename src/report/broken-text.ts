import { displayWidth, sanitise } from './terminal-text.ts';

/** Text from packets, made safe and broken where it reaches `cells` of a terminal, also inside words; at least one line. */
export function brokenText(text: string, cells: number): string[] {
  const lines: string[] = [];
  let line = '';
  let used = 0;
  for (const character of sanitise(text)) {
    const own = displayWidth(character);
    if (used + own > cells) {
      lines.push(line);
      line = '';
      used = 0;
    }
    line += character;
    used += own;
  }
  return [...lines, line];
}
