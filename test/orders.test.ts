import { describe, expect, it } from 'vitest';
import { conversation, type Segment, type Side, START_NS } from '../fixtures/build/conversation.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { PipelineFeed, packetsOf } from './pipeline-run.ts';

/** All orders of the numbers below `length`, those with the fewest displacements first. */
function orders(length: number): number[][] {
  let all: number[][] = [[]];
  for (let next = 0; next < length; next += 1) {
    all = all.flatMap((order) =>
      Array.from({ length: order.length + 1 }, (_, at) => [...order.slice(0, at), next, ...order.slice(at)]),
    );
  }
  const weight = (order: readonly number[]): number =>
    order.reduce((sum, value, at) => sum + order.slice(at).filter((later) => later < value).length, 0);
  return all
    .map((order) => ({ order, inversions: weight(order) }))
    .sort((a, b) => a.inversions - b.inversions)
    .map(({ order }) => order);
}

function shown({ request, response, outcome, pairing }: Exchange): string {
  return `${request?.target ?? '?'} -> ${response?.reason ?? 'nothing'} (${outcome}, ${pairing}, ${request?.bodyBytes}+${response?.bodyBytes})`;
}

interface Script {
  readonly name: string;
  readonly expected: readonly string[];
  readonly segments: (client: { address: string; port: number }) => readonly Segment[];
  /** Every how manieth order is tried. */
  readonly step: number;
}

const GET = (n: number): string => `GET /${n} HTTP/1.1\r\nHost: order.test\r\n\r\n`;
const OK = (n: number): string => `HTTP/1.1 200 R${n}\r\nContent-Length: 4\r\n\r\nbody`;

/** A sequence number for each client: the same SYN on other addresses would be address translation. */
const seqOf = ({ address }: Side): number =>
  1000 + address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) * 100_000;

const SCRIPTS: readonly Script[] = [
  {
    name: 'one exchange with handshake',
    expected: ['/1 -> R1 (complete, exact, 0+4)'],
    segments: (client) => conversation({ client, clientSeq: seqOf(client) }).handshake().fromClient(GET(1)).fromServer(OK(1)).segments,
    step: 1,
  },
  {
    name: 'one exchange, opened and closed',
    expected: ['/1 -> R1 (complete, exact, 0+4)'],
    segments: (client) => conversation({ client, clientSeq: seqOf(client) }).handshake().fromClient(GET(1)).fromServer(OK(1)).fin().segments,
    step: 14,
  },
  {
    name: 'one exchange in pieces',
    expected: ['/1 -> R1 (complete, exact, 0+4)'],
    segments: (client) =>
      conversation({ client, clientSeq: seqOf(client) })
        .handshake()
        .fromClient(GET(1), { segments: [20] })
        .fromServer(OK(1), { segments: [25, 15] }).segments,
    step: 14,
  },
  {
    name: 'two exchanges',
    expected: ['/1 -> R1 (complete, exact, 0+4)', '/2 -> R2 (complete, exact, 0+4)'],
    segments: (client) =>
      conversation({ client, clientSeq: seqOf(client) }).handshake().fromClient(GET(1)).fromServer(OK(1)).fromClient(GET(2)).fromServer(OK(2))
        .segments,
    step: 1,
  },
  {
    name: 'an exchange whose answer reaches to the close',
    expected: ['/1 -> OK (complete, exact, 0+9)'],
    segments: (client) =>
      conversation({ client, clientSeq: seqOf(client) })
        .handshake()
        .fromClient(GET(1))
        .fromServer('HTTP/1.1 200 OK\r\n\r\nuntil end')
        .fin('server').segments,
    step: 1,
  },
]; // biome-ignore format: one table

describe('whatever the order of its packets in the capture', () => {
  it.each(SCRIPTS)('$name comes out right', ({ segments, expected, step }) => {
    const feed = new PipelineFeed();
    const tried = new Map<string, string>();
    const length = segments({ address: '10.0.0.1', port: 1 }).length;
    orders(length).forEach((order, index) => {
      if (index % step !== 0) return;
      const address = `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
      const list = segments({ address, port: 40_000 });
      const name = order
        .map((at) => {
          const { fromClient, flags, payload } = list[at] as Segment;
          return `${fromClient ? 'c' : 's'}:${flags.filter((flag) => flag !== 'ack' && flag !== 'psh').join('/')}${payload.length > 0 ? `data${at}` : ''}`;
        })
        .join(' ');
      tried.set(address, name);
      const reordered = order.map((at, place) => ({
        ...(list[at] as Segment),
        timeNs: START_NS + BigInt(index * 1000 + place) * 100_000n,
      }));
      for (const packet of packetsOf(reordered)) feed.packet(packet);
    });
    const { exchanges, ledger } = feed.finish();
    const byAddress = new Map<string, string[]>();
    for (const exchange of exchanges) {
      const { client, server } = exchange;
      const address = client.address === '10.0.0.2' && client.port === 80 ? server.address : client.address;
      byAddress.set(address, [
        ...(byAddress.get(address) ?? []),
        `${client.port === 80 ? 'TURNED ' : ''}${shown(exchange)}`,
      ]);
    }
    const wrong = [...tried].flatMap(([address, name]) => {
      const found = byAddress.get(address) ?? [];
      return JSON.stringify(found) === JSON.stringify(expected) ? [] : [`${name}: ${found.join('; ')}`];
    });
    expect(wrong.length === 0 ? [] : [`${wrong.length} of ${tried.size}`, ...wrong.slice(0, 12)]).toEqual([]);
    expect(ledger.imbalances()).toEqual([]);
  });
});
