import type { Masking } from './secrets.ts';

const CR = 13;
const LF = 10;

/** A line of a head as sent. */
export interface HeadField {
  /** As sent; null: the line has no colon, or white space where its name should be. */
  readonly name: string | null;
  /** Without white space around it; a folded one with its lines joined by a space (RFC 9112 §5.2). */
  readonly value: string;
  /** The line without its end, as sent. */
  readonly line: string;
  /** Otherwise each character stands for one byte. */
  readonly isUtf8: boolean;
}

/** A head as sent: start line and fields, secrets masked. */
export interface Head {
  readonly startLine: string;
  readonly startIsUtf8: boolean;
  readonly fields: readonly HeadField[];
  /** Bytes up to and with the empty line. */
  readonly bytes: number;
}

/**
 * Bytes of a head as text: UTF-8 where it is that, otherwise one character for each byte (ISO 8859-1), as RFC 9110
 * §5.5 has it.
 */
export function headCharacters(bytes: Uint8Array): { text: string; isUtf8: boolean } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), isUtf8: true };
  } catch {
    const { buffer, byteOffset, byteLength } = bytes;
    return { text: Buffer.from(buffer, byteOffset, byteLength).toString('latin1'), isUtf8: false };
  }
}

/** The bytes that `headCharacters` gave `text` for. */
export function headWord(text: string, isUtf8: boolean): string | Uint8Array {
  return isUtf8 ? text : Buffer.from(text, 'latin1');
}

/** The target of a request line, masked as it is; null: it has none. */
export function targetOf({ startLine }: Head): string | null {
  return /^\S+[ \t]+(.*?)([ \t]+HTTP\/[\d.]+\s*)?$/s.exec(startLine)?.[1] ?? null;
}

interface Line {
  readonly text: string;
  readonly isUtf8: boolean;
}

/** Reads the head at the beginning of `bytes`; `length` is that of start line and header section. */
export function readHead(bytes: Uint8Array, length: number, masking: Masking): Head {
  const lines: Uint8Array[] = [];
  const end = Math.min(length, bytes.length);
  let start = 0;
  while (start < end) {
    const feed = bytes.indexOf(LF, start);
    const stop = feed < 0 || feed >= end ? end : feed;
    const isCrLf = stop > start && bytes[stop - 1] === CR && stop < end;
    lines.push(bytes.subarray(start, isCrLf ? stop - 1 : stop));
    start = stop + 1;
  }
  if (lines.length > 0 && lines[lines.length - 1].length === 0) lines.pop();
  const [first, ...rest] = lines.map(headCharacters);
  return {
    startLine: maskedStartLine(first?.text ?? '', masking),
    startIsUtf8: first?.isUtf8 !== false,
    fields: fieldsOf(rest, masking),
    bytes: end,
  };
}

/** The target of a request line is masked; a status line stays. */
function maskedStartLine(line: string, masking: Masking): string {
  if (/^HTTP\/\d/i.test(line)) return line;
  const target = /^(\S+\s+)(.*?)(\s+HTTP\/[\d.]+\s*)?$/s.exec(line);
  return target === null ? masking.target(line) : target[1] + masking.target(target[2]) + (target[3] ?? '');
}

function fieldsOf(lines: readonly Line[], masking: Masking): HeadField[] {
  const joined: Line[] = [];
  for (const line of lines) {
    const last = joined.at(-1);
    if (/^[ \t]/.test(line.text) && last !== undefined) {
      joined[joined.length - 1] = {
        text: `${last.text}\n${line.text}`,
        isUtf8: last.isUtf8 && line.isUtf8,
      };
    } else joined.push(line);
  }
  return joined.map((line) => fieldOf(line, masking));
}

function fieldOf({ text: line, isUtf8 }: Line, masking: Masking): HeadField {
  const colon = line.indexOf(':');
  if (colon <= 0) return { name: null, value: '', line: masking.target(line), isUtf8 };
  const sent = line.slice(0, colon);
  const name = sent.trimEnd();
  const value = line
    .slice(colon + 1)
    .replace(/\s*\n\s*/g, ' ')
    .trim();
  const shown = masking.header(name, value);
  const isToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name);
  return {
    name: isToken ? name : null,
    value: shown,
    line: shown === value ? line : `${sent}: ${shown}`,
    isUtf8,
  };
}

/** Value of the first field with this lower-case name, several joined by commas; null: there is none. */
export function fieldValue(fields: readonly HeadField[], name: string): string | null {
  const values = fields.filter((field) => field.name?.toLowerCase() === name).map(({ value }) => value);
  return values.length === 0 ? null : values.join(', ');
}
