/** What can be told to end early. */
export interface Stoppable {
  stop(): void;
}

/** SIGHUP too: a terminal that is closed must not cost what was captured. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];
/** Exit code of who was told twice: what shells report of a process that SIGINT ended. */
export const INTERRUPTED = 130;
/** A timer cannot wait longer: 2^31 - 1 ms. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * The first signal ends the capture, and what is open comes out; the second ends the process. Also when something else
 * has stopped it before: then the first signal asks for no more than that. Gives back what lets go of the signals.
 */
export function stopOnSignals(source: Stoppable, signals = SIGNALS): () => void {
  let signalled = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (signalled) {
      // Nobody's second thought: a terminal that closes sends it twice, by the kernel and by the shell.
      if (signal === 'SIGHUP') return;
      process.exit(INTERRUPTED);
    }
    signalled = true;
    source.stop();
  };
  for (const signal of signals) process.on(signal, stop);
  return () => {
    for (const signal of signals) process.off(signal, stop);
  };
}

/** Stops after `durationNs`; null: never. Gives back what calls it off. */
export function stopAfter(durationNs: number | null, source: Stoppable): () => void {
  if (durationNs === null) return () => {};
  const endMs = performance.now() + durationNs / 1e6;
  let timer: NodeJS.Timeout | undefined;
  const wait = (): void => {
    const leftMs = endMs - performance.now();
    if (leftMs <= 0) source.stop();
    else timer = setTimeout(wait, Math.min(leftMs, LONGEST_TIMER_MS));
  };
  wait();
  return () => clearTimeout(timer);
}
