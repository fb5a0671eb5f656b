import { parentPort, workerData } from 'node:worker_threads';
import { Engine } from './engine.ts';
import type { FromStore, Question, ToStore, WorkerSettings } from './messages.ts';
import { packError } from './sent-error.ts';

/** The thread that owns the database of a server. Joined to the server's thread by messages.ts. */

const port = parentPort;
if (port === null) throw new Error('this file is the entry of a worker thread');
const post = (message: FromStore): void => port.postMessage(message);
const settings = workerData as WorkerSettings;

const engine = Engine.open({
  ...settings,
  log: (event) => post({ kind: 'log', event }),
  committed: (afterId) => post({ kind: 'committed', afterId }),
});
engine.then(
  () => post({ kind: 'opened' }),
  (error: unknown) => post({ kind: 'not-opened', error: packError(error) }),
);

const underWay = new Map<number, AbortController>();

async function answer(question: Question, signal: AbortSignal): Promise<unknown> {
  const store = await engine;
  switch (question.kind) {
    case 'append':
      return store.append(question.batch, question.origin, question.number, question.bytes);
    case 'stream':
      return store.stream(question.stream);
    case 'report':
      return store.report(question.report, question.receivedUs);
    case 'agents':
      return store.agents();
    case 'list':
      return store.list(question.task, signal);
    case 'get':
      return store.get(question.key);
    case 'red':
      return store.red(question.task, signal);
    case 'sql':
      return store.sql(question.text, question.limits, signal);
    case 'facts':
      return store.facts();
    case 'tidy':
      return store.tidy();
    case 'close':
      return store.close();
  }
}

port.on('message', (message: ToStore) => {
  if ('cancel' in message) {
    underWay.get(message.cancel)?.abort();
    return;
  }
  const { id, question } = message;
  const controller = new AbortController();
  underWay.set(id, controller);
  answer(question, controller.signal)
    .then(
      (value) => post({ kind: 'answer', id, value }),
      (error: unknown) => post({ kind: 'error', id, error: packError(error) }),
    )
    .finally(() => {
      underWay.delete(id);
      // The thread ends when nothing is left that keeps it.
      if (question.kind === 'close') port.close();
    })
    .catch(() => {});
});
