/** False: there is half of a surrogate pair in it, which UTF-8 cannot hold. */
export function isWellFormed(text: string): boolean {
  return text.isWellFormed();
}

/** The text with U+FFFD for each half of a surrogate pair, as a SQLite file has it. */
export function wellFormed(text: string): string {
  return text.toWellFormed();
}
