import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildConnection, buildExchange, buildSighting } from '../../test/build-exchange.ts';
import { redactFiles } from '../../test/redact-run.ts';
import type { Exchange } from '../model/exchange.ts';
import { ExchangeRedactor } from './exchange-redactor.ts';
import { RedactionKey } from './key.ts';
import { DEFAULT_CHOICES, RedactionRules } from './rules.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures');

/** Interfaces and times of each exchange's sightings. */
function times(exchanges: readonly Exchange[]): unknown[] {
  return exchanges.map(({ id, sightings }) => [
    id,
    sightings.map(({ at, requestNs, responseNs }) => [
      at.interfaceNumber,
      at.client.port,
      at.server.port,
      requestNs,
      responseNs,
    ]),
  ]);
}

describe('redacting what was seen at several places', () => {
  it.each(['kubernetes-node/capture.pcapng', 'snat-node/capture.pcapng', 'service-dnat/capture.pcap'])(
    '%s: the copy has the same sightings, and none of the addresses',
    async (capture) => {
      const { before, after, bytes } = await redactFiles([readFileSync(path.join(FIXTURES, capture))]);
      expect(before.some(({ sightings }) => sightings.length > 1)).toBe(true);
      expect(times(after)).toEqual(times(before));
      const copy = Buffer.from(bytes).toString('latin1');
      for (const { at } of before.flatMap(({ sightings }) => sightings)) {
        for (const { address } of [at.client, at.server]) {
          const onWire = String.fromCharCode(...address.split('.').map(Number));
          expect(copy.includes(onWire) ? address : null).toBeNull();
        }
      }
    },
  );

  it('a stored exchange keeps none of the addresses of its places', () => {
    const at = buildSighting();
    const connection = buildConnection({ sightings: [buildSighting({ interfaceNumber: 0 }), at] });
    const rules = new RedactionRules(new RedactionKey(Buffer.from('test key')), DEFAULT_CHOICES);
    const redactor = new ExchangeRedactor(rules);
    const redacted = redactor.exchange(
      buildExchange({ connection, sightings: [{ at, requestNs: 10, responseNs: null }] }),
    );
    expect(JSON.stringify(redacted)).not.toContain(at.server.address);
    const ended = redactor.connection(connection);
    expect(JSON.stringify(ended)).not.toContain(at.server.address);
    // The place of the sighting is still found in the connection.
    expect(ended.sightings.map((one) => one === redacted.sightings[0]?.at)).toEqual([false, true]);
  });
});
