import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  buildExchange,
  buildRequest,
  buildRun,
  EPOCH_SECONDS,
  textInMemory,
} from '../../test/build-exchange.ts';
import { readCsv } from '../../test/read-csv.ts';
import { run as arbitraryRun } from '../../test/store/arbitrary-run.ts';
import type { Exchange } from '../model/exchange.ts';
import { createMemorySink } from '../store/memory-sink.ts';
import { type CsvOptions, createCsvSink, withoutFormula } from './csv-sink.ts';

const clock = { epochSeconds: EPOCH_SECONDS };

async function csvOf(exchanges: readonly Exchange[], more: Partial<CsvOptions> = {}): Promise<string> {
  const output = textInMemory();
  const sink = createCsvSink({ output, clock, captures: [], version: '0', ...more });
  for (const exchange of exchanges) sink.exchange(exchange);
  await sink.finish(buildRun());
  return output.text();
}

async function rowOf(exchange: Exchange, more: Partial<CsvOptions> = {}): Promise<Record<string, string>> {
  const [head, row] = readCsv(await csvOf([exchange], more));
  return Object.fromEntries(head.map((name, index) => [name, row[index]]));
}

describe('exchanges as CSV', () => {
  it('reads back to the rows of the view, whatever the texts', async () => {
    await fc.assert(
      fc.asyncProperty(arbitraryRun, async ({ exchanges }) => {
        const [head, ...rows] = readCsv(await csvOf(exchanges));
        const store = createMemorySink(clock);
        for (const exchange of exchanges) store.exchange(exchange);
        const expected = store.exchangeRecords();
        expect(rows.map((row) => row.length)).toEqual(expected.map(() => head.length));
        expect(rows.map((row) => Object.fromEntries(head.map((name, index) => [name, row[index]])))).toEqual(
          expected.map((record) =>
            Object.fromEntries(
              Object.entries(record).map(([name, value]) => [name, value === null ? '' : String(value)]),
            ),
          ),
        );
      }),
      { numRuns: 60 },
    );
  });

  it('has a header line also when there is no exchange', async () => {
    const lines = (await csvOf([])).split('\r\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^id,started,started_us,/);
    expect(lines[1]).toBe('');
  });

  it('keeps what looks like a formula, and disarms it when asked to', async () => {
    const target = "=cmd|' /C calc'!A0";
    const exchange = buildExchange({
      request: buildRequest({ target, userAgent: '+1', host: 'plain.example' }),
    });
    expect(await rowOf(exchange)).toMatchObject({ target, user_agent: '+1' });
    expect(await rowOf(exchange, { safe: true })).toMatchObject({
      target: `'${target}`,
      user_agent: "'+1",
      host: 'plain.example',
      status: '200',
    });
    for (const armed of ['=1', '+1', '-1', '@SUM(A1)', '\t=1', '\r=1', ' =1', '\0=1', '＝1'])
      expect(withoutFormula(armed)).toBe(`'${armed}`);
    for (const harmless of ['', '/', 'a=1', '1-1']) expect(withoutFormula(harmless)).toBe(harmless);
  });

  it('lets a terminal see no control characters when asked to', async () => {
    const exchange = buildExchange({ request: buildRequest({ userAgent: 'a\x1b]0;x\x07' }) });
    expect(await csvOf([exchange])).toContain('\x1b');
    const cleaned = await csvOf([exchange], { clean: (text) => text.replaceAll(/\p{Cc}/gu, '?') });
    expect(cleaned).toContain('a?]0;x?');
  });
});
