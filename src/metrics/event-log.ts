/**
 * What a long-running process says of itself: one line an event, as JSON in pino's form or as plain text for a terminal.
 * Texts of strangers are escaped in both. Who logs hands in fields; tokens are never among them.
 */

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];
export type LogFields = Readonly<Record<string, unknown>>;

export interface EventLog {
  debug(fields: LogFields, message: string): void;
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

export interface EventLogOptions {
  /** Events below it are not written. */
  readonly level: LogLevel;
  readonly format: 'json' | 'text';
  /** `server`, `agent`: field `name` of JSON lines. */
  readonly name: string;
  /** Takes a whole line with its line feed. */
  readonly write: (line: string) => void;
  /** Unix time in ms; left out: the clock. */
  readonly now?: () => number;
}

/** pino's numbers. */
const NUMBER: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50 };
/** Characters of a field's text that are written. */
const LONGEST_TEXT = 1000;

/** Never throws, whatever the fields hold: what cannot be written is said so. */
export function createEventLog(options: EventLogOptions): EventLog {
  const { level, format, name, write, now = Date.now } = options;
  const line = format === 'json' ? jsonLine : textLine;
  const writer = (of: LogLevel) => (fields: LogFields, message: string) => {
    if (NUMBER[of] >= NUMBER[level]) write(line(of, now(), name, message, plainFields(fields)));
  };
  return { debug: writer('debug'), info: writer('info'), warn: writer('warn'), error: writer('error') };
}

type PlainField = string | number | boolean | null;

function plainFields(fields: LogFields): [string, PlainField][] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => [key, plain(value)]);
}

function plain(value: unknown): PlainField {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return value;
  if (value instanceof Error) return cut(value.message);
  if (typeof value === 'string') return cut(value);
  try {
    return cut(JSON.stringify(value) ?? String(value));
  } catch {
    return '(cannot be written)';
  }
}

const cut = (text: string): string =>
  text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT)}…`;

function jsonLine(
  level: LogLevel,
  timeMs: number,
  name: string,
  message: string,
  fields: readonly [string, PlainField][],
): string {
  const own = { level: NUMBER[level], time: timeMs, name };
  const others = fields.filter(
    ([key]) => key !== 'level' && key !== 'time' && key !== 'name' && key !== 'msg',
  );
  return `${escaped(JSON.stringify({ ...own, ...Object.fromEntries(others), msg: message }))}\n`;
}

const WARNING: Readonly<Record<LogLevel, string>> = {
  debug: '',
  info: '',
  warn: 'warning: ',
  error: 'error: ',
};
const BARE = /^[A-Za-z0-9_.:/@%+-]+$/;

function textLine(
  level: LogLevel,
  timeMs: number,
  _name: string,
  message: string,
  fields: readonly [string, PlainField][],
): string {
  const told = fields.map(([key, value]) => {
    const text = String(value);
    return `${key}=${BARE.test(text) ? text : JSON.stringify(text)}`;
  });
  const time = new Date(timeMs).toISOString().slice(11, 23);
  return `${escaped([`${time} ${WARNING[level]}${message}`, ...told].join('  '))}\n`;
}

/** What a terminal could act on, or reads otherwise than written: control, format, separators, surrogates, private use. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/gu;

/** As JSON writes it, so that a JSON line stays one. */
function escaped(text: string): string {
  return text.replace(UNSAFE, (character) =>
    Array.from(
      { length: character.length },
      (_, index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`,
    ).join(''),
  );
}
