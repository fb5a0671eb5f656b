import { INTERRUPTED } from '../live/stopping.ts';

/**
 * Resolves with the first SIGTERM or SIGINT; a second one ends the process at once. Also as the first process of a
 * container, for which the kernel does nothing by itself.
 */
export function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let signalled = false;
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      process.on(name, () => {
        if (signalled) process.exit(INTERRUPTED);
        signalled = true;
        resolve(name);
      });
    }
  });
}
