import { ANSI_STYLE, NO_STYLE, type Style } from '../report/style.ts';

export type ColorChoice = 'auto' | 'always' | 'never';
export const COLOR_CHOICES: readonly ColorChoice[] = ['auto', 'always', 'never'];

/** The parts of the process that decide how output looks; passed in so that tests can choose them. */
export interface TerminalFacts {
  readonly stdoutIsTty: boolean;
  readonly stderrIsTty: boolean;
  /** Cells of a line on standard output; undefined when it is no terminal. */
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function terminalFacts(): TerminalFacts {
  return {
    stdoutIsTty: process.stdout.isTTY === true,
    stderrIsTty: process.stderr.isTTY === true,
    columns: process.stdout.columns,
    env: process.env,
  };
}

/** Colours only on a terminal, unless asked for; none with NO_COLOR (no-color.org) or a dumb terminal. */
export function chooseStyle(choice: ColorChoice, { stdoutIsTty, env }: TerminalFacts): Style {
  if (choice === 'always') return ANSI_STYLE;
  if (choice === 'never' || !stdoutIsTty) return NO_STYLE;
  const refused = (env.NO_COLOR ?? '') !== '' || env.TERM === 'dumb';
  return refused ? NO_STYLE : ANSI_STYLE;
}

/** Cells of a line: COLUMNS, then the terminal's own width, then `otherwise`. */
export function chooseWidth({ columns, env }: TerminalFacts, otherwise: number): number {
  const asked = Number(env.COLUMNS);
  if (Number.isInteger(asked) && asked > 0) return asked;
  return columns !== undefined && columns > 0 ? columns : otherwise;
}
