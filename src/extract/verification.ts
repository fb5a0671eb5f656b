import type { Exchange } from '../model/exchange.ts';
import type { ExpectedGroup } from './chooser.ts';
import { FingerprintSum, fingerprint } from './fingerprint.ts';
import { type ConnectionPlan, isRunUp } from './plan.ts';

/**
 * Compares what the chosen packets give when they are analysed alone with what they gave in the whole capture.
 * Connections are told apart by their two ends, for ids are others.
 */
export class Verification {
  readonly #groups: ReadonlyMap<string, ExpectedGroup>;
  readonly #found = new Map<string, FingerprintSum>();

  constructor(groups: ReadonlyMap<string, ExpectedGroup>) {
    this.#groups = groups;
  }

  /** Takes an exchange of the chosen packets. */
  exchange(exchange: Exchange): void {
    const { client, server } = exchange.connection;
    const ends = [client.text, server.text].sort().join(' ');
    if (this.#groups.get(ends)?.plans.some((plan) => isRunUp(plan, exchange)) === true) return;
    let sum = this.#found.get(ends);
    if (sum === undefined) {
      sum = new FingerprintSum();
      this.#found.set(ends, sum);
    }
    sum.add(fingerprint(exchange));
  }

  /** Plans of connections whose exchanges came out otherwise. */
  failures(): ConnectionPlan[] {
    const failed: ConnectionPlan[] = [];
    for (const [ends, { expected, plans }] of this.#groups) {
      if (!expected.equals(this.#found.get(ends) ?? new FingerprintSum())) failed.push(...plans);
    }
    return failed;
  }
}
