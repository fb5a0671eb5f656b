/** Exit codes of the command line; documented in docs/exit-codes.md. */
export const EXIT = { fine: 0, failed: 1, usage: 2, salvaged: 3, strict: 4, found: 5 } as const;

/** Where in the input something is wrong. */
export interface ErrorPlace {
  file?: string;
  packet?: number;
  byteOffset?: number;
  /** Of a table: 1-based row, and name of the column. */
  row?: number;
  column?: string;
}

/** A part of a text that the user gave: `[start, end)` of it, in UTF-16 units, is what is wrong. */
export interface Excerpt {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

/**
 * An error that the user can do something about: one line that says what is wrong, where, and what to do.
 * Printed without a stack trace. Anything else that is thrown is our own mistake.
 */
export class UserError extends Error {
  override readonly name = 'UserError';
  /** Stable kebab-case word for scripts and tests. */
  readonly code: string;
  readonly place: ErrorPlace;
  /** What to do next; null when the message says it. */
  readonly hint: string | null;
  readonly exitCode: number;
  /** Shown under the line, with a caret under the mistake; null: there is none. */
  readonly excerpt: Excerpt | null;

  constructor(
    code: string,
    message: string,
    options: {
      place?: ErrorPlace;
      hint?: string;
      exitCode?: number;
      excerpt?: Excerpt;
      cause?: unknown;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.place = options.place ?? {};
    this.hint = options.hint ?? null;
    this.exitCode = options.exitCode ?? EXIT.failed;
    this.excerpt = options.excerpt ?? null;
  }
}

/** `file.pcap, packet 12, byte 3456: message; hint` */
export function describeError(error: UserError): string {
  const { file, packet, byteOffset, row, column } = error.place;
  const parts: string[] = [];
  if (file !== undefined) parts.push(file === '-' ? 'standard input' : file === '' ? "''" : file);
  if (packet !== undefined) parts.push(`packet ${packet}`);
  if (byteOffset !== undefined) parts.push(`byte ${byteOffset}`);
  if (row !== undefined) parts.push(`row ${row}`);
  if (column !== undefined) parts.push(`column ${column}`);
  const where = parts.length > 0 ? `${parts.join(', ')}: ` : '';
  return `${where}${error.message}${error.hint === null ? '' : `; ${error.hint}`}`;
}
