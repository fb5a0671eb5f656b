import { closeSync, fsyncSync, openSync, writeSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';
import { Batch } from './batch.ts';
import { loadEngine } from './engine.ts';
import { SqliteWriter } from './sqlite-writer.ts';
import type { FromWorker, ToWorker } from './worker-messages.ts';

/** The store's worker thread: batches in, files out. Joined to the main thread by worker-messages.ts. */

const WRITE_BYTES = 8 * 1024 * 1024;

function writeFile(path: string, bytes: Uint8Array): void {
  const file = openSync(path, 'w');
  try {
    for (let at = 0; at < bytes.length; )
      at += writeSync(file, bytes, at, Math.min(WRITE_BYTES, bytes.length - at));
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
const post = (message: FromWorker, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

const engine = loadEngine();
let writer: SqliteWriter | null = null;
let busyMs = 0;
let failed = false;

async function handle(message: ToWorker): Promise<void> {
  const loaded = await engine;
  if (failed) return;
  const began = performance.now();
  writer ??= new SqliteWriter(loaded);
  if (message.kind === 'batch') {
    writer.write(new Batch(message.buffer), message.counts);
    const databaseBytes = writer.bytes();
    busyMs += performance.now() - began;
    post({ kind: 'stored', buffer: message.buffer, databaseBytes, part: message.part }, [message.buffer]);
    return;
  }
  const bytes = writer.finish(message.rows);
  writer = null;
  writeFile(message.path, bytes);
  busyMs += performance.now() - began;
  post({ kind: 'sealed', fileBytes: bytes.length, part: message.part, busyMs });
}

port.on('message', (message: ToWorker) => {
  handle(message).catch((error: unknown) => {
    if (failed) return;
    failed = true;
    const errno = (error as NodeJS.ErrnoException).code;
    const text = error instanceof Error ? error.message : String(error);
    post({ kind: 'failed', message: text, errno: typeof errno === 'string' ? errno : null });
  });
});
