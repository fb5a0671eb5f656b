#!/usr/bin/env node
// npm run score -- DIR [options of the scorer]
//
// Reads every capture of a correctness corpus and compares the exchanges with its oracle.
// DIR holds captures/SOURCE/NAME, oracle/SOURCE/NAME.json and score.mjs. Every file under captures is read,
// HTTP or not; one that throws or takes too long is a failure of its own.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openCaptures } from '../dist/capture/open.js';
import { JsonRecordWriter } from '../dist/export/json-record.js';
import { LIMITS } from '../dist/model/limits.js';
import { routeOf } from '../dist/model/route.js';
import { runPipeline } from '../dist/pipeline.js';

const [directory, ...scorerOptions] = process.argv.slice(2);
if (directory === undefined) {
  console.error('usage: npm run score -- DIR [--by-tag] [--show=5] [--disputed=optional] ...');
  process.exit(2);
}
const captures = path.join(directory, 'captures');
const results = fs.mkdtempSync(path.join(os.tmpdir(), 'wirelens-score-'));

function* files(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* files(full);
    else yield full;
  }
}

/** The scorer's fields beside ours: the time from first byte to first byte. */
function scored(line, exchange) {
  const record = JSON.parse(line);
  const { request, response } = exchange;
  if (request !== null && response !== null) {
    record.latency_ms = (response.firstByteNs - request.firstByteNs) / 1e6;
  }
  return JSON.stringify(record);
}

let read = 0;
let unreadable = 0;
let unbalanced = 0;
let slowest = { ms: 0, name: '' };
for (const file of files(captures)) {
  const name = path.relative(captures, file);
  const clock = { epochSeconds: null };
  const lines = [];
  const began = process.hrtime.bigint();
  try {
    const source = await openCaptures([file], { clock, limits: LIMITS });
    const writer = new JsonRecordWriter({ clock, captures: source.facts, routeOf });
    const sink = {
      exchange: (exchange) => {
        writer.write(exchange);
        lines.push(scored(Buffer.from(writer.take()).toString(), exchange));
      },
      connection: () => {},
      drain: () => null,
      finish: async () => {},
      abort: async () => {},
    };
    const options = { ports: null, limits: LIMITS, reveal: true, checksums: false };
    const { ledger } = await runPipeline(source, clock, [sink], options);
    const problems = ledger.imbalances();
    if (problems.length > 0) {
      unbalanced += 1;
      console.error(`${name}: ledger: ${problems.join('; ')}`);
    }
  } catch (error) {
    if (error.name !== 'UserError') {
      console.error(`${name}: ${error.stack}`);
      process.exitCode = 1;
    } else console.error(`${name}: ${error.message}`);
    unreadable += 1;
  }
  const ms = Number(process.hrtime.bigint() - began) / 1e6;
  if (ms > slowest.ms) slowest = { ms, name };
  read += 1;
  const target = path.join(results, `${name}.jsonl`);
  fs.mkdirSync(path.dirname(target), { recursive: true });
  fs.writeFileSync(target, lines.map((line) => `${line}\n`).join(''));
}
console.log(
  `${read} captures read, ${unreadable} refused, ${unbalanced} ledgers out of balance; slowest ${slowest.name} ${slowest.ms.toFixed(0)} ms`,
);
const scorer = path.join(directory, 'score.mjs');
const scoring = spawnSync(
  process.execPath,
  [scorer, path.join(directory, 'oracle'), results, ...scorerOptions],
  {
    stdio: 'inherit',
  },
);
if (scoring.status !== 0) process.exitCode = 1;
if (process.env.KEEP_RESULTS === undefined) fs.rmSync(results, { recursive: true, force: true });
else console.log(`results kept in ${results}`);
