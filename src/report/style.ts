/** Colours of a terminal, or none: every member gives its text back unchanged when colours are off. */
export type Paint = (text: string) => string;

export interface Style {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly yellow: Paint;
  readonly green: Paint;
  readonly cyan: Paint;
}

const PLAIN: Paint = (text) => text;

/** ECMA-48 select graphic rendition: `on` and the code that undoes just that. */
function sgr(on: number, off: number): Paint {
  return (text) => (text === '' ? text : `\x1b[${on}m${text}\x1b[${off}m`);
}

export const NO_STYLE: Style = {
  bold: PLAIN,
  dim: PLAIN,
  red: PLAIN,
  yellow: PLAIN,
  green: PLAIN,
  cyan: PLAIN,
};

export const ANSI_STYLE: Style = {
  bold: sgr(1, 22),
  dim: sgr(2, 22),
  red: sgr(31, 39),
  yellow: sgr(33, 39),
  green: sgr(32, 39),
  cyan: sgr(36, 39),
};
