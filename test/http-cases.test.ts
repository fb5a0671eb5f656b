import { describe, expect, it } from 'vitest';
import type { Exchange } from '../src/model/exchange.ts';
import {
  acceptCase,
  conversationOf,
  type HttpCase,
  readCaseFiles,
  shownBytes,
  shownExchange,
} from './http-cases.ts';
import { inOrder, PipelineFeed, packetsOf } from './pipeline-run.ts';

const ACCEPT = process.env.WIRELENS_ACCEPT === '1';

/** Ways of cutting a case into segments: `turn` and `bytes` to sizes. */
type Cut = (turn: number, bytes: number) => readonly number[];

const WHOLE: Cut = () => [];
const BYTE_BY_BYTE: Cut = (_turn, bytes) => new Array<number>(bytes).fill(1);

function cutsOf({ turns }: HttpCase): [string, Cut][] {
  const cuts: [string, Cut][] = [
    ['byte by byte', BYTE_BY_BYTE],
    ['three bytes each', (_turn, bytes) => new Array<number>(Math.ceil(bytes / 3)).fill(3)],
  ];
  turns.forEach(({ by, bytes }, which) => {
    // Very long turns are cut at some offsets only, the first and last ones among them.
    const step = Math.max(1, Math.floor(bytes.length / 400));
    for (let at = 1; at < bytes.length; at += at < 100 || bytes.length - at < 100 ? 1 : step) {
      cuts.push([`turn ${which + 1} of the ${by} cut at ${at}`, (turn) => (turn === which ? [at] : [])]);
    }
  });
  return cuts;
}

/** The exchanges of every way of cutting, each on a connection of its own in one run. */
function run(one: HttpCase, cuts: readonly Cut[]): string[][] {
  const feed = new PipelineFeed();
  const addresses = cuts.map((cut, index) => {
    const address = `10.1.${index >> 8}.${index & 255}`;
    const { segments } = conversationOf(one, { address, port: 40_000 }, cut);
    for (const packet of packetsOf(segments)) feed.packet(packet);
    return address;
  });
  const { exchanges, ledger } = feed.finish();
  expect(ledger.imbalances()).toEqual([]);
  const byAddress = new Map<string, Exchange[]>();
  for (const exchange of inOrder(exchanges)) {
    const { address } = exchange.connection.client;
    byAddress.set(address, [...(byAddress.get(address) ?? []), exchange]);
  }
  return addresses.map((address) => (byAddress.get(address) ?? []).map(shownExchange));
}

function single(one: HttpCase) {
  const feed = new PipelineFeed();
  for (const packet of packetsOf(conversationOf(one, { address: '10.1.0.0', port: 40_000 }).segments))
    feed.packet(packet);
  return feed.finish();
}

describe.each(readCaseFiles())('$name', ({ name: file, cases }) => {
  it.each(cases)('$name', (one) => {
    const { exchanges, ledger } = single(one);
    const found = [...inOrder(exchanges).map(shownExchange), shownBytes(ledger)];
    expect(ledger.imbalances()).toEqual([]);
    if (ACCEPT) acceptCase(file, one.name, found);
    else expect(found).toEqual(one.expected);
    const cuts = cutsOf(one);
    const results = run(one, [WHOLE, ...cuts.map(([, cut]) => cut)]);
    const wrong = results.flatMap((result, index) => {
      const cutName = index === 0 ? 'whole' : (cuts[index - 1] as [string, Cut])[0];
      return JSON.stringify(result) === JSON.stringify(found.slice(0, -1))
        ? []
        : [`${cutName}: ${result.join('\n')}`];
    });
    expect(
      wrong.length === 0 ? [] : [`${wrong.length} of ${results.length} cuts`, ...wrong.slice(0, 4)],
    ).toEqual([]);
  });
});
