import { parentPort, workerData } from 'node:worker_threads';
import type { WorkerSettings } from './messages.ts';
import { work } from './work.ts';

/** The file that a worker thread runs. */

const port = parentPort;
if (port === null) throw new Error('this file is the program of a worker thread');
await work(port, workerData as WorkerSettings);
