import type { Identity } from './identity.ts';

/** What an agent tells of itself with every heartbeat; see AgentReport of the store. Counts begin with the process. */
export interface ReportFacts {
  readonly identity: Identity;
  readonly version: string;
  readonly started: Date;
  readonly interfaces: readonly string[];
  readonly packets: number;
  readonly packetsDropped: number;
  readonly exchanges: number;
  readonly exchangesSent: number;
  readonly exchangesDropped: number;
  readonly backlogBatches: number;
  readonly backlogBytes: number;
  readonly rssBytes: number;
  readonly cpuSeconds: number;
  readonly problem: string | null;
}

const MOST_INTERFACES = 64;
const LONGEST_INTERFACE = 64;
const LONGEST_PROBLEM = 500;

/** The body of `PUT /api/v1/agents/:agent`. */
export function reportJson({ identity, started, ...facts }: ReportFacts): string {
  return JSON.stringify({
    node: identity.node,
    pod: identity.pod,
    namespace: identity.namespace,
    version: facts.version,
    started: started.toISOString(),
    interfaces: facts.interfaces.slice(0, MOST_INTERFACES).map((name) => name.slice(0, LONGEST_INTERFACE)),
    packets: facts.packets,
    packets_dropped: facts.packetsDropped,
    exchanges: facts.exchanges,
    exchanges_sent: facts.exchangesSent,
    exchanges_dropped: facts.exchangesDropped,
    backlog_batches: facts.backlogBatches,
    backlog_bytes: facts.backlogBytes,
    rss_bytes: facts.rssBytes,
    cpu_seconds: facts.cpuSeconds,
    // Through bytes, so that no half character remains.
    problem: facts.problem === null ? null : Buffer.from(facts.problem.slice(0, LONGEST_PROBLEM)).toString(),
  });
}
