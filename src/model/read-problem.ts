const PROBLEMS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'a part of its path is a file, not a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
};

/** Why the system could not read a file, in words: `no such file`. What it seldom says comes as it says it. */
export function readProblem(error: unknown): string {
  const { code = '', message = String(error) } = error as { code?: string; message?: string };
  return PROBLEMS[code] ?? message;
}
