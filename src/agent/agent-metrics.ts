import { MetricSet } from '../metrics/exposition.ts';
import { processMetrics } from '../metrics/process-metrics.ts';
import type { SpoolCounts } from './spool/spool-facts.ts';
import type { UploadCounts } from './uploader.ts';

/** What /metrics tells; gathered when somebody asks. */
export interface MetricFacts {
  readonly packets: number;
  /** null: the driver cannot tell. */
  readonly packetsDropped: number | null;
  /** 0 to 1; null: there is no ring. */
  readonly ringShare: number | null;
  readonly exchanges: number;
  /** Uploads of agents that were left out. */
  readonly ownExchanges: number;
  readonly spool: SpoolCounts;
  readonly spoolLimitBytes: number;
  readonly upload: UploadCounts;
  readonly secondsSinceStored: number | null;
  readonly memoryLimitBytes: number;
  readonly timesAboveMemory: number;
  readonly limitsShare: number;
  readonly capturing: boolean;
  readonly spoolWritable: boolean;
}

/** The text of /metrics. Names and meanings stand in docs/agent.md. */
export function agentMetrics(version: string, gather: () => MetricFacts): () => string {
  const metrics = new MetricSet('wirelens_agent_');
  const refreshProcess = processMetrics(metrics, version);
  const packets = metrics.counter('packets_total', 'Packets taken from the kernel.');
  const packetsDropped = metrics.counter('packets_dropped_total', 'Packets that the kernel dropped.');
  const ring = metrics.gauge('ring_used_ratio', 'Share of the ring that holds packets not taken yet.');
  const exchanges = metrics.counter('exchanges_total', 'Exchanges seen, those of --where only.');
  const own = metrics.counter('own_exchanges_total', 'Uploads and heartbeats of agents that were left out.');
  const sent = metrics.counter('exchanges_sent_total', 'Exchanges that the server has stored.');
  const dropped = metrics.counter(
    'exchanges_dropped_total',
    'Exchanges that will never reach the server, by reason.',
    ['reason'],
  );
  const backlogExchanges = metrics.gauge('backlog_exchanges', 'Exchanges that wait to be sent.');
  const backlogBatches = metrics.gauge('backlog_batches', 'Batches that wait to be sent.');
  const backlogBytes = metrics.gauge('backlog_bytes', 'Bytes of batches that wait to be sent.');
  const spoolBytes = metrics.gauge('spool_bytes', 'Bytes of segments on the disk.');
  const spoolLimit = metrics.gauge('spool_limit_bytes', 'Bytes of segments at which the oldest one goes.');
  const writable = metrics.gauge('spool_writable', '1: the spool can be written.');
  const uploads = metrics.counter('uploads_total', 'Requests with a batch, by what became of them.', [
    'result',
  ]);
  const bytesSent = metrics.counter('upload_bytes_total', 'Bytes of batches for which an answer came.');
  const sinceStored = metrics.gauge('seconds_since_stored', 'Since the server stored the last batch.');
  const memoryLimit = metrics.gauge('memory_limit_bytes', 'Value of --max-memory.');
  const aboveMemory = metrics.counter(
    'memory_above_limit_total',
    'Seconds in which memory was above the limit.',
  );
  const limitsShare = metrics.gauge('limits_ratio', 'Share of its usual limits that the pipeline has now.');
  const capturing = metrics.gauge('capturing', '1: packets are taken.');
  return () => {
    const facts = gather();
    const { spool, upload } = facts;
    refreshProcess();
    packets.raiseTo(facts.packets);
    if (facts.packetsDropped !== null) packetsDropped.raiseTo(facts.packetsDropped);
    if (facts.ringShare !== null) ring.set(facts.ringShare);
    exchanges.raiseTo(facts.exchanges);
    own.raiseTo(facts.ownExchanges);
    sent.raiseTo(spool.sent);
    dropped.raiseTo(spool.droppedFull, 'spool-full');
    dropped.raiseTo(spool.droppedUnwritten, 'not-written');
    dropped.raiseTo(spool.damaged, 'damaged');
    dropped.raiseTo(spool.refused, 'refused');
    backlogExchanges.set(spool.waitingRows);
    backlogBatches.set(spool.waitingBatches);
    backlogBytes.set(spool.waitingBytes);
    spoolBytes.set(spool.fileBytes);
    spoolLimit.set(facts.spoolLimitBytes);
    writable.set(facts.spoolWritable ? 1 : 0);
    for (const [result, count] of upload.byResult) uploads.raiseTo(count, result);
    bytesSent.raiseTo(upload.bytesSent);
    if (facts.secondsSinceStored !== null) sinceStored.set(facts.secondsSinceStored);
    memoryLimit.set(facts.memoryLimitBytes);
    aboveMemory.raiseTo(facts.timesAboveMemory);
    limitsShare.set(facts.limitsShare);
    capturing.set(facts.capturing ? 1 : 0);
    return metrics.text();
  };
}
