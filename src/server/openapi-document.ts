import type { EventLog } from '../metrics/event-log.ts';
import type { ExchangeStore } from '../store/exchange-store.ts';
import { createApp } from './app.ts';
import { SERVER_LIMITS } from './limits.ts';
import { LiveFeed } from './live-feed.ts';
import { ServerMetrics } from './server-metrics.ts';
import { Slots, UploadGate } from './upload-gate.ts';

const SILENT: EventLog = { debug() {}, info() {}, warn() {}, error() {} };
/** The document is made of routes and schemas; nobody asks the store. */
const NO_STORE = { onCommit: () => () => {} } as unknown as ExchangeStore;

/** The OpenAPI document of a server with default options: docs/openapi.json. */
export async function openApiDocument(version: string): Promise<Record<string, unknown>> {
  const limits = SERVER_LIMITS;
  const app = await createApp(
    {
      store: NO_STORE,
      log: SILENT,
      version,
      limits,
      tokens: { agent: null, reader: null },
      metrics: new ServerMetrics(version),
      gate: new UploadGate(limits.uploadsBytes),
      questions: new Slots(limits.questions, 'questions'),
      statements: new Slots(limits.statements, 'SQL statements'),
      feed: new LiveFeed({ store: NO_STORE, limits, onEvent() {}, onFailure() {} }),
      sql: { rows: 10_000, milliseconds: 30_000 },
      openMetrics: false,
      localOnly: false,
      stopping: false,
      nowUs: () => 0,
    },
    null,
  );
  await app.ready();
  const document = app.swagger() as unknown as Record<string, unknown>;
  await app.close();
  return document;
}
