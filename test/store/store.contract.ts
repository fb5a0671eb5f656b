import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/model/exchange.ts';
import { Ledger } from '../../src/model/ledger.ts';
import type { RunClock } from '../../src/model/packet.ts';
import type { ExchangeSink } from '../../src/model/sink.ts';
import { connectionRecord, exchangeRecord, type StoredRecord } from '../../src/store/exchange-record.ts';
import { run as arbitraryRun } from './arbitrary-run.ts';

/** A store under test: a sink, and a way to read back what it kept. */
export interface StoreUnderTest {
  readonly sink: ExchangeSink;
  /** Everything kept, in the order of ids. After `finish`. */
  read(): Promise<{ exchanges: StoredRecord[]; connections: StoredRecord[] }>;
}

export const EPOCH_SECONDS = 1_700_000_000;

const byId = (left: StoredRecord, right: StoredRecord): number => Number(left.id) - Number(right.id);

/** What every store promises. */
export function storeContract(name: string, open: (clock: RunClock) => Promise<StoreUnderTest>): void {
  const clock: RunClock = { epochSeconds: EPOCH_SECONDS };
  const finish = (sink: ExchangeSink): Promise<void> =>
    sink.finish({ clock, captures: [], ledger: new Ledger() });

  describe(`${name} as a store`, () => {
    it('gives back exactly what was put in, whatever it is', async () => {
      await fc.assert(
        fc.asyncProperty(arbitraryRun, async ({ connections, exchanges }) => {
          const { sink, read } = await open(clock);
          for (const exchange of exchanges) {
            sink.exchange(exchange);
            await sink.drain();
          }
          for (const connection of connections) sink.connection(connection);
          await finish(sink);
          const kept = await read();
          expect(kept.exchanges).toEqual(exchanges.map((one) => exchangeRecord(one, EPOCH_SECONDS)));
          expect(kept.connections.sort(byId)).toEqual(
            connections.map((one) => connectionRecord(one, EPOCH_SECONDS)),
          );
        }),
        { numRuns: 40 },
      );
    });

    it('keeps thousands of exchanges and texts of a megabyte apart', async () => {
      const [first] = fc.sample(
        arbitraryRun.filter(({ exchanges }) => exchanges.some((one) => one.request !== null)),
        {
          numRuns: 1,
          seed: 7,
        },
      );
      const model = first.exchanges.find((one) => one.request !== null) as Exchange;
      const exchanges: Exchange[] = Array.from({ length: 5_000 }, (_, index) => ({
        ...model,
        id: index + 1,
        request: {
          ...model.request!,
          target: index % 1000 === 0 ? `/${index}/${'€'.repeat(350_000)}` : `/things/${index}`,
          host: `host-${index % 3000}`,
          userAgent: index % 2 === 0 ? null : `agent ${index}`,
        },
      }));
      const { sink, read } = await open(clock);
      for (const exchange of exchanges) {
        sink.exchange(exchange);
        await sink.drain();
      }
      await finish(sink);
      const kept = await read();
      expect(kept.exchanges).toHaveLength(exchanges.length);
      const wrong = exchanges.findIndex((one, index) => {
        const { target, host, user_agent: agent } = kept.exchanges[index];
        return (
          target !== one.request?.target || host !== one.request?.host || agent !== one.request?.userAgent
        );
      });
      expect(wrong).toBe(-1);
    });

    it('keeps a run without any exchange', async () => {
      const { sink, read } = await open(clock);
      await finish(sink);
      expect(await read()).toEqual({ exchanges: [], connections: [] });
    });
  });
}
