import { sanitise } from '../../report/terminal-text.ts';
import { counted, formatBytes } from '../../report/units.ts';
import type { SqliteSink, StoredFile } from '../../store/sqlite-sink.ts';
import type { CaptureFlags } from './capture-flags.ts';
import type { LiveContext } from './live-run.ts';

/**
 * Opens the SQLite file of --output, or with --rotate the first of several; null: none is asked for. Rejects with
 * UserError when it cannot be written.
 */
export async function openLiveStore(
  { output, force, rotate }: CaptureFlags,
  { clock, limits, version, keptHeaders, source, note }: LiveContext,
): Promise<SqliteSink | null> {
  if (output === undefined) return null;
  const options = { path: output, limits, clock, version, keptHeaders };
  // Loaded only when asked for.
  if (rotate === undefined) {
    const { createSqliteSink } = await import('../../store/sqlite-sink.ts');
    note(`${sanitise(output)} is written when the capture ends; with --rotate a crash loses less`);
    return createSqliteSink({ ...options, force: force === true });
  }
  const [{ createRotatingStore }, { steadyMemory }] = await Promise.all([
    import('../../store/rotating-store.ts'),
    import('../../capture/live/steady-memory.ts'),
  ]);
  await steadyMemory();
  const store = await createRotatingStore({
    ...options,
    intervalNs: 'durationNs' in rotate ? rotate.durationNs : null,
    fileBytes: 'bytes' in rotate ? rotate.bytes : null,
    nowNs: () => source.nowNs,
    onSealed: (file) => note(sealedLine(file)),
  });
  for (const name of store.leftovers)
    note(`removed ${sanitise(name)}, which a process that was killed had left half-written`);
  return store;
}

function sealedLine({ path, exchanges, bytes }: StoredFile): string {
  return `sealed ${sanitise(path)}: ${counted(exchanges, 'exchange')}, ${formatBytes(bytes)}`;
}
