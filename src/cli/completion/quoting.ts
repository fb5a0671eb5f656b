/** Text inside single quotes of a POSIX shell, of zsh or of fish. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
