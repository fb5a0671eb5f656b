export const CR = 13;
export const LF = 10;
export const SP = 32;
export const HTAB = 9;
export const COLON = 58;

/** tchar of RFC 9110 §5.6.2: what methods and field names are made of. */
const TOKEN = new Uint8Array(256);
for (const character of "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz") {
  TOKEN[character.charCodeAt(0)] = 1;
}

export function isToken(byte: number): boolean {
  return TOKEN[byte] === 1;
}

export function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57;
}

/** Value of a hexadecimal digit, or -1. */
export function hexValue(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const lower = byte | 0x20;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}

/** True when `bytes` at `start` is `text` (given in lower case, letters and hyphens), whatever the case. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, text: string): boolean {
  for (let index = 0; index < text.length; index += 1) {
    if ((bytes[start + index] | 0x20) !== (text.charCodeAt(index) | 0x20)) return false;
  }
  return true;
}
