import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { run as arbitraryRun } from '../../test/store/arbitrary-run.ts';
import { createMemorySink } from '../store/memory-sink.ts';
import { VIEWS } from '../store/schema-views.ts';
import { EXCHANGE_COLUMNS } from './exchange-columns.ts';

const clock = { epochSeconds: 1_795_246_920 };

describe('the columns of an exchange', () => {
  it('are those of the view exchanges, in its order', () => {
    const view = VIEWS.find(({ name }) => name === 'exchanges');
    expect(EXCHANGE_COLUMNS.map(({ name, type }) => [name, type.toUpperCase()])).toEqual(
      view?.columns.map(({ name, type }) => [name, type]),
    );
  });

  it('have the values of the view', () => {
    fc.assert(
      fc.property(arbitraryRun, ({ exchanges }) => {
        const store = createMemorySink(clock);
        for (const exchange of exchanges) store.exchange(exchange);
        const records = exchanges.map((exchange) =>
          Object.fromEntries(
            EXCHANGE_COLUMNS.map((one) => [one.name, one.value(exchange, clock.epochSeconds)]),
          ),
        );
        expect(records).toEqual(store.exchangeRecords());
      }),
      { numRuns: 60 },
    );
  });
});
