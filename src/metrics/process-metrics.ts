import type { MetricSet } from './exposition.ts';

/** What every process tells of itself. Call the returned function before the text is made. */
export function processMetrics(metrics: MetricSet, version: string): () => void {
  const started = metrics.gauge('start_time_seconds', 'When the process began, Unix time.');
  const build = metrics.gauge('build_info', 'Always 1; the labels say what runs.', [
    'version',
    'node_version',
  ]);
  const cpu = metrics.counter('cpu_seconds_total', 'CPU time of the process, in user and kernel mode.');
  const memory = metrics.gauge('resident_memory_bytes', 'Resident memory of the process.');
  started.set(Math.round(Date.now() / 1000 - process.uptime()));
  build.set(1, version, process.version);
  return () => {
    const { user, system } = process.cpuUsage();
    cpu.raiseTo((user + system) / 1e6);
    memory.set(process.memoryUsage.rss());
  };
}
