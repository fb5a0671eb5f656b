#!/usr/bin/env node
// npm run crash-test -- DIR [rounds] [seed]
//
// Reads every file under DIR whole, cut at random places, and with random bytes changed. Nothing may throw but a
// UserError, nothing may take long, and every ledger must balance. The seed is printed, to repeat a run.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { openCaptures } from '../dist/capture/open.js';
import { LIMITS } from '../dist/model/limits.js';
import { runPipeline } from '../dist/pipeline.js';

const [directory, roundsText = '3', seedText = String(Date.now() % 1_000_000)] = process.argv.slice(2);
if (directory === undefined) {
  console.error('usage: npm run crash-test -- DIR [rounds] [seed]');
  process.exit(2);
}
const LONGEST_MS = 20_000;
let state = Number(seedText) >>> 0 || 1;
const random = (below) => {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) % below;
};

function* files(folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const full = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* files(full);
    else yield full;
  }
}

const MUTATIONS = {
  whole: (bytes) => bytes,
  cut: (bytes) => bytes.subarray(0, random(bytes.length + 1)),
  changed: (bytes) => {
    const copy = Buffer.from(bytes);
    for (let count = 1 + random(30); count > 0 && copy.length > 0; count -= 1)
      copy[random(copy.length)] = random(256);
    return copy;
  },
  'changed after its header': (bytes) => {
    const copy = Buffer.from(bytes);
    if (copy.length > 40)
      for (let count = 1 + random(200); count > 0; count -= 1)
        copy[40 + random(copy.length - 40)] = random(256);
    return copy;
  },
  'a piece removed': (bytes) => {
    const at = random(bytes.length + 1);
    return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(2000))]);
  },
};

const sink = {
  exchange() {},
  connection() {},
  drain: () => null,
  finish: async () => {},
  abort: async () => {},
};
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'wirelens-crash-'));
const target = path.join(folder, 'capture');
let runs = 0;
let refused = 0;
let failures = 0;
let slowest = 0;
for (const file of files(directory)) {
  const bytes = fs.readFileSync(file);
  for (const [name, mutate] of Object.entries(MUTATIONS)) {
    for (let round = 0; round < (name === 'whole' ? 1 : Number(roundsText)); round += 1) {
      const before = state;
      fs.writeFileSync(target, mutate(bytes));
      const began = performance.now();
      runs += 1;
      try {
        const clock = { epochSeconds: null };
        const source = await openCaptures([target], { clock, limits: LIMITS });
        const options = { ports: null, limits: LIMITS, reveal: false, checksums: false };
        const { ledger } = await runPipeline(source, clock, [sink], options);
        const problems = ledger.imbalances();
        if (problems.length > 0) throw new Error(`ledger: ${problems.join('; ')}`);
      } catch (error) {
        if (error.name === 'UserError') refused += 1;
        else {
          failures += 1;
          console.error(`${file}, ${name}, state ${before}: ${error.stack}`);
        }
      }
      const ms = performance.now() - began;
      slowest = Math.max(slowest, ms);
      if (ms > LONGEST_MS) {
        failures += 1;
        console.error(`${file}, ${name}, state ${before}: took ${ms.toFixed(0)} ms`);
      }
    }
  }
}
fs.rmSync(folder, { recursive: true, force: true });
console.log(
  `seed ${seedText}: ${runs} runs, ${refused} refused as no captures, ${failures} failures, slowest ${slowest.toFixed(0)} ms`,
);
process.exitCode = failures > 0 ? 1 : 0;
