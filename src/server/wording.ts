import { momentText } from '../model/moment.ts';
import type { AgentFacts, AgentReport, ExchangeDetail, RedRow } from '../store/exchange-store.ts';

/** The store's answers in the words of the API: snake_case, times as RFC 3339. */

const rfc3339 = (us: number): string => momentText(us) ?? '1970-01-01T00:00:00.000000Z';

/** What only a report says is null for an agent that sends rows and no reports. */
export function agentAnswer(facts: AgentFacts) {
  const { report } = facts;
  return {
    agent: facts.agent,
    node: facts.node,
    pod: facts.pod,
    namespace: facts.namespace,
    reports: report !== null,
    version: report?.version ?? null,
    started: report === null ? null : rfc3339(report.startedUs),
    interfaces: report?.interfaces ?? null,
    packets: report?.packets ?? null,
    packets_dropped: report?.packetsDropped ?? null,
    exchanges: report?.exchanges ?? null,
    exchanges_sent: report?.exchangesSent ?? null,
    exchanges_dropped: report?.exchangesDropped ?? null,
    backlog_batches: report?.backlogBatches ?? null,
    backlog_bytes: report?.backlogBytes ?? null,
    rss_bytes: report?.rssBytes ?? null,
    cpu_seconds: report?.cpuSeconds ?? null,
    problem: report?.problem ?? null,
    first_seen: rfc3339(facts.firstSeenUs),
    last_seen: rfc3339(facts.lastSeenUs),
    stored: facts.stored,
  };
}

/** A report as it comes in, checked by AgentReportSchema. */
export interface AgentReportBody {
  readonly agent?: string;
  readonly node: string | null;
  readonly pod: string | null;
  readonly namespace: string | null;
  readonly version: string;
  readonly started: string;
  readonly interfaces: readonly string[];
  readonly packets: number;
  readonly packets_dropped: number;
  readonly exchanges: number;
  readonly exchanges_sent: number;
  readonly exchanges_dropped: number;
  readonly backlog_batches: number;
  readonly backlog_bytes: number;
  readonly rss_bytes: number;
  readonly cpu_seconds: number;
  readonly problem: string | null;
}

export function agentReport(agent: string, startedUs: number, body: AgentReportBody): AgentReport {
  return {
    agent,
    node: body.node,
    pod: body.pod,
    namespace: body.namespace,
    version: body.version,
    startedUs,
    interfaces: body.interfaces,
    packets: body.packets,
    packetsDropped: body.packets_dropped,
    exchanges: body.exchanges,
    exchangesSent: body.exchanges_sent,
    exchangesDropped: body.exchanges_dropped,
    backlogBatches: body.backlog_batches,
    backlogBytes: body.backlog_bytes,
    rssBytes: body.rss_bytes,
    cpuSeconds: body.cpu_seconds,
    problem: body.problem,
  };
}

export function redGroup(row: RedRow) {
  return {
    ...row.group,
    bucket: momentText(row.bucketUs),
    bucket_us: row.bucketUs,
    requests: row.requests,
    requests_per_s: row.requestsPerS,
    client_errors: row.clientErrors,
    server_errors: row.serverErrors,
    unanswered: row.unanswered,
    error_ratio: row.errorRatio,
    p50_ms: row.p50Ms,
    p90_ms: row.p90Ms,
    p99_ms: row.p99Ms,
    max_ms: row.maxMs,
  };
}

export function detailAnswer({ exchange, observations, apart }: ExchangeDetail) {
  return {
    exchange,
    observations,
    apart:
      apart === null
        ? null
        : {
            client_side_ms: apart.clientSideMs,
            server_side_ms: apart.serverSideMs,
            network_ms: apart.networkMs,
            clock_offset_ms: apart.clockOffsetMs,
          },
  };
}
