import { describe, expect, it } from 'vitest';
import { fixtureNames, runFixture } from '../../test/run-fixture.ts';
import type { Connection, Exchange, Message } from '../model/exchange.ts';
import { BatchWriter, readBatch } from './packed-batch.ts';

async function exchangesOf(name: string): Promise<Exchange[]> {
  const exchanges: Exchange[] = [];
  await runFixture(name, () => ({
    exchange: (exchange) => exchanges.push(exchange),
    connection() {},
    drain: () => null,
    finish: async () => {},
    abort: async () => {},
  }));
  return exchanges;
}

/** As postMessage does it. */
const sent = (writer: BatchWriter) => readBatch(structuredClone(writer.take()) as never);

/** The fields of `like`, whether they are own ones or getters. */
function fieldsOf<T extends Message>(message: T | null, like: T | null): unknown {
  if (message === null || like === null) return message;
  return Object.fromEntries(Object.keys(like).map((name) => [name, message[name as keyof T]]));
}

describe('exchanges on their way between threads', () => {
  it.each(fixtureNames())('come through as they are: %s', async (name) => {
    const exchanges = await exchangesOf(name);
    const connections = [...new Set(exchanges.map(({ connection }) => connection))];
    const writer = new BatchWriter();
    for (const exchange of exchanges) writer.exchange(exchange);
    for (const connection of connections) writer.connection(connection);
    const read = exchanges.length === 0 ? { exchanges: [], connections: [] } : sent(writer);
    expect(read.exchanges.length).toBe(exchanges.length);
    read.exchanges.forEach((one, index) => {
      const { request, response, ...others } = exchanges[index];
      expect(one).toEqual({
        ...others,
        request: fieldsOf(request, one.request),
        response: fieldsOf(response, one.response),
      });
      // The same objects as before, in their own thread.
      expect(one.connection).toBe(read.connections[connections.indexOf(others.connection)]);
      for (const { at } of one.sightings) expect(one.connection.sightings).toContain(at);
    });
    expect(read.connections).toEqual(connections);
    expect(writer.take()).toBeNull();
  });

  it('are of all kinds in these tests', async () => {
    const all = (await Promise.all(fixtureNames().map(exchangesOf))).flat();
    const holds = (what: (exchange: Exchange) => unknown): boolean => all.some((one) => Boolean(what(one)));
    expect(holds(({ sightings }) => sightings.length > 1)).toBe(true);
    expect(holds(({ interim }) => interim.length > 0)).toBe(true);
    expect(holds(({ request }) => request === null)).toBe(true);
    expect(holds(({ response }) => response?.status === null)).toBe(true);
    expect(holds(({ tcp }) => tcp.responseRetransmissions > 0)).toBe(true);
    expect(holds(({ connection }: { connection: Connection }) => connection.tunnels.length > 0)).toBe(true);
  });

  it('have what their connection has become when they are sent', async () => {
    const [exchange] = await exchangesOf('web-shop');
    const writer = new BatchWriter();
    writer.exchange(exchange);
    const { connection } = exchange;
    connection.lastNs += 5;
    connection.history = `${connection.history}F`;
    expect(sent(writer).exchanges[0].connection).toEqual(connection);
    // A further batch brings it again.
    writer.exchange(exchange);
    expect(sent(writer).exchanges[0].connection).toEqual(connection);
  });
});
