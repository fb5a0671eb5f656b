import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';

/** What this process may use before the system or its container objects. */
export interface Budgets {
  /** Memory of the control group, or of the machine. */
  readonly memoryBytes: number;
  /** Processor cores, as far as affinity and the control group allow; may be a fraction. */
  readonly cores: number;
}

/** Reads the budgets of this process; see cgroups(7) and the kernel's cgroup-v2 page for `cpu.max`. */
export function readBudgets(readText: (path: string) => string | null = textOf): Budgets {
  const machineBytes = totalmem();
  const groupBytes = process.constrainedMemory();
  const isLimited = groupBytes !== undefined && groupBytes > 0 && groupBytes < machineBytes;
  return {
    memoryBytes: isLimited ? groupBytes : machineBytes,
    cores: Math.min(availableParallelism(), quotaCores(readText)),
  };
}

/** Cores that the control group's quota is worth; Infinity: there is none. */
function quotaCores(readText: (path: string) => string | null): number {
  const [quota, period] =
    readText('/sys/fs/cgroup/cpu.max')?.split(' ') ??
    ['quota', 'period'].map((name) => readText(`/sys/fs/cgroup/cpu/cpu.cfs_${name}_us`) ?? '');
  const cores = Number(quota) / Number(period);
  return cores > 0 ? cores : Number.POSITIVE_INFINITY;
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}
