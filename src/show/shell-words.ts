const BARE = /^[A-Za-z0-9_@%+=:,./-]+$/;
/** Printable ASCII, and letters and symbols beyond it that hide nothing. */
const SAFE = /^[^\x00-\x1f\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}\ufffd]*$/u;

/**
 * One word for bash, zsh and ksh that stands for exactly these bytes: as it is, in single quotes, or, where bytes
 * are no readable text, as `$'…'` with escapes (POSIX.1-2024 §2.2.4). Text stands for its UTF-8. Throws RangeError
 * for NUL, which no word can hold.
 */
export function shellWord(value: string | Uint8Array): string {
  const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  if (bytes.includes(0)) throw new RangeError('a word cannot hold NUL');
  const text = typeof value === 'string' ? value : asUtf8(bytes);
  if (text !== null && SAFE.test(text)) {
    if (BARE.test(text)) return text;
    return `'${text.replaceAll("'", "'\\''")}'`;
  }
  return `$'${Array.from(bytes, escaped).join('')}'`;
}

function asUtf8(bytes: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return null;
  }
}

/** Octal: always three digits, so that what follows is never taken for a part of it. */
function escaped(byte: number): string {
  if (byte === 0x27) return "\\'";
  if (byte === 0x5c) return '\\\\';
  if (byte === 0x0a) return '\\n';
  if (byte === 0x0d) return '\\r';
  if (byte === 0x09) return '\\t';
  if (byte >= 0x20 && byte < 0x7f) return String.fromCharCode(byte);
  return `\\${byte.toString(8).padStart(3, '0')}`;
}
