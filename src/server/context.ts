import type { EventLog } from '../metrics/event-log.ts';
import type { ExchangeStore, SqlLimits } from '../store/exchange-store.ts';
import type { ServerLimits } from './limits.ts';
import type { LiveFeed } from './live-feed.ts';
import type { ServerMetrics } from './server-metrics.ts';
import type { TokenSet } from './tokens.ts';
import type { Slots, UploadGate } from './upload-gate.ts';

/** Who may ask an endpoint: anybody, who has a reader's token, who has an agent's. */
export type Access = 'open' | 'reader' | 'agent';

/** The tokens that are valid now; null: none is asked for. Replaced when the files are read again. */
export interface Tokens {
  agent: TokenSet | null;
  reader: TokenSet | null;
}

/** What the endpoints work with. */
export interface ServerContext {
  readonly store: ExchangeStore;
  readonly log: EventLog;
  readonly version: string;
  readonly limits: ServerLimits;
  readonly tokens: Tokens;
  readonly metrics: ServerMetrics;
  readonly gate: UploadGate;
  readonly questions: Slots;
  readonly statements: Slots;
  readonly feed: LiveFeed;
  /** null: no SQL of people. */
  readonly sql: SqlLimits | null;
  readonly openMetrics: boolean;
  /** Only requests for this machine by name or address: keeps web pages of strangers out where no token does. */
  readonly localOnly: boolean;
  /** True from the moment at which the server was told to stop. */
  stopping: boolean;
  /** Unix time in µs. */
  nowUs(): number;
}
