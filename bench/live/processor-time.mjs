// CPU time of a process with all of its threads, from the scheduler's own account.

import { readdirSync, readFileSync } from 'node:fs';

/** Nanoseconds on a processor so far, all threads that are alive; null once it has ended. */
export function processorNs(pid) {
  try {
    let ns = 0;
    for (const thread of readdirSync(`/proc/${pid}/task`))
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    return ns;
  } catch {
    return null;
  }
}

/** Peak of resident memory, bytes. */
export function peakBytes(pid) {
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
}
