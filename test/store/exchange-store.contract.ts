import { afterEach, describe } from 'vitest';
import type { ExchangeStore } from '../../src/store/exchange-store.ts';
import { agentsContract } from './contract/agents.ts';
import { followersContract } from './contract/followers.ts';
import { groupsContract } from './contract/groups.ts';
import { keepingContract } from './contract/keeping.ts';
import { listsContract } from './contract/lists.ts';
import { observationsContract } from './contract/observations.ts';
import { questionsContract } from './contract/questions.ts';

/** What every ExchangeStore promises. `open` gives an empty store, which the test closes. */
export function exchangeStoreContract(name: string, open: () => Promise<ExchangeStore>): void {
  describe(`${name} as the store of a server`, () => {
    let opened: ExchangeStore | null = null;
    const store = async (): Promise<ExchangeStore> => {
      opened = await open();
      return opened;
    };
    afterEach(async () => {
      await opened?.close();
      opened = null;
    });

    keepingContract(store);
    listsContract(store);
    observationsContract(store);
    groupsContract(store);
    agentsContract(store);
    followersContract(store);
    questionsContract(store);
  });
}
