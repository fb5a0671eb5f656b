import { homedir } from 'node:os';
import path from 'node:path';

/** Where the database is when nobody says it: a service's place for root, the user's own for others. */
export function defaultDataFolder(
  env: Readonly<Record<string, string | undefined>>,
  isRoot: boolean,
): string {
  if (isRoot) return '/var/lib/wirelens/server';
  const state = env.XDG_STATE_HOME;
  const base =
    state !== undefined && path.isAbsolute(state) ? state : path.join(homedir(), '.local', 'state');
  return path.join(base, 'wirelens', 'server');
}
