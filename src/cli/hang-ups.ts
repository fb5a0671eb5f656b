/** Commands that run for days, and are told by SIGHUP that tokens have changed. */
const LONG_RUNNING: ReadonlySet<string> = new Set(['server', 'agent']);

let came = false;
let handler: (() => void) | null = null;

/**
 * From now on SIGHUP does not end this process, if its command is one that runs for days. To be called before anything
 * else is loaded: whoever changes tokens does not know that the process has just begun. `args`: the command line.
 */
export function surviveHangUps(args: readonly string[]): void {
  const command = args.find((arg) => !arg.startsWith('-'));
  if (command === undefined || !LONG_RUNNING.has(command)) return;
  process.on('SIGHUP', () => {
    if (handler === null) came = true;
    else handler();
  });
}

/** `handle` is called with every SIGHUP, and now if one came before: what it was about may have been read already. */
export function onHangUp(handle: () => void): void {
  handler = handle;
  if (!came) return;
  came = false;
  handle();
}
