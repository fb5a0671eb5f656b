import { storeContract } from '../../test/store/store.contract.ts';
import { createMemorySink } from './memory-sink.ts';

storeContract('memory', async (clock) => {
  const sink = createMemorySink(clock);
  return {
    sink,
    read: async () => ({ exchanges: sink.exchangeRecords(), connections: sink.connectionRecords() }),
  };
});
