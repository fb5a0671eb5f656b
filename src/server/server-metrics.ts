import { type Counter, type Gauge, type Histogram, MetricSet } from '../metrics/exposition.ts';
import { processMetrics } from '../metrics/process-metrics.ts';
import type { StoreFacts } from '../store/exchange-store.ts';

const DURATIONS_S = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/** What the server counts. Routes are their patterns, never paths. */
export class ServerMetrics {
  readonly requests: Counter;
  readonly duration: Histogram;
  readonly refused: Counter;
  readonly uploads: Counter;
  readonly uploadBytes: Counter;
  readonly stored: Counter;
  readonly connectionsDropped: Counter;
  readonly liveEvents: Counter;
  readonly #set = new MetricSet('wirelens_server_');
  readonly #process: () => void;
  readonly #gauges: Readonly<Record<'connections' | 'uploadsHeld' | 'streams' | 'up', Gauge>>;
  readonly #store: Readonly<
    Record<'exchanges' | 'observations' | 'oldest' | 'newest' | 'bytes' | 'waiting' | 'aside', Gauge>
  >;
  readonly #expired: Counter;

  constructor(version: string) {
    const set = this.#set;
    this.requests = set.counter('http_requests_total', 'Requests answered.', ['method', 'route', 'status']);
    this.duration = set.histogram(
      'http_request_duration_seconds',
      'Time from the header section of a request to the end of its answer.',
      DURATIONS_S,
      ['route'],
    );
    this.refused = set.counter(
      'http_refused_total',
      'Requests that were not done, by the code of the answer.',
      ['code'],
    );
    this.uploads = set.counter('uploads_total', 'Uploads, by form and what became of them.', [
      'form',
      'result',
    ]);
    this.uploadBytes = set.counter('upload_bytes_total', 'Bytes of uploads as sent.');
    this.stored = set.counter(
      'rows_total',
      'Rows of acknowledged uploads: exchanges, further observations of one, or repeated and not stored again.',
      ['kind'],
    );
    this.connectionsDropped = set.counter(
      'connections_dropped_total',
      'Connections closed because there were too many.',
    );
    this.liveEvents = set.counter('live_events_total', 'Exchanges sent on live streams.');
    this.#gauges = {
      connections: set.gauge('connections', 'Connections open.'),
      uploadsHeld: set.gauge('upload_held_bytes', 'Bytes of uploads under way.'),
      streams: set.gauge('live_streams', 'Live streams open.'),
      up: set.gauge('store_up', '1 when the store answers.'),
    };
    this.#store = {
      exchanges: set.gauge('store_exchanges', 'Exchanges in the store.'),
      observations: set.gauge('store_observations', 'Rows in the store, further observations included.'),
      oldest: set.gauge('store_oldest_timestamp_seconds', 'Start of the oldest exchange, Unix time.'),
      newest: set.gauge('store_newest_timestamp_seconds', 'Start of the newest exchange, Unix time.'),
      bytes: set.gauge('store_size_bytes', 'Bytes that the database takes.'),
      waiting: set.gauge('store_waiting_batches', 'Batches that wait for the disk.'),
      aside: set.gauge('store_damaged_files', 'Damaged files put aside since the start.'),
    };
    this.#expired = set.counter('store_expired_total', 'Exchanges deleted because of age or size.');
    this.#process = processMetrics(set, version);
  }

  /** `facts` null: the store does not answer. */
  text(now: { connections: number; heldBytes: number; streams: number; facts: StoreFacts | null }): string {
    this.#process();
    this.#gauges.connections.set(now.connections);
    this.#gauges.uploadsHeld.set(now.heldBytes);
    this.#gauges.streams.set(now.streams);
    this.#gauges.up.set(now.facts === null ? 0 : 1);
    if (now.facts !== null) this.#storeFacts(now.facts);
    return this.#set.text();
  }

  #storeFacts(facts: StoreFacts): void {
    const store = this.#store;
    store.exchanges.set(facts.exchanges);
    store.observations.set(facts.observations);
    if (facts.oldestUs !== null) store.oldest.set(facts.oldestUs / 1e6);
    if (facts.newestUs !== null) store.newest.set(facts.newestUs / 1e6);
    store.bytes.set(facts.fileBytes);
    store.waiting.set(facts.waiting);
    store.aside.set(facts.keptAside.length);
    this.#expired.raiseTo(facts.expired);
  }
}
