import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile } from '../../fixtures/build/capture-file.ts';
import { duplicate, lose, reorder, seededRandom } from '../../fixtures/build/transform.ts';
import { goldenFolders } from '../../scripts/expected-exchanges.mjs';
import { readPaths } from '../../test/capture-reading.ts';
import { droppedCapture } from '../../test/dropped-capture.ts';
import { fuzzRuns, packetsOf } from '../../test/pipeline-run.ts';
import { traffic } from '../../test/traffic.ts';
import { extract } from '../cli/commands/extract.ts';
import type { ExtractFlags } from '../cli/extract-task.ts';
import { readExchanges } from '../cli/reading.ts';
import type { Exchange, Message } from '../model/exchange.ts';
import { phasesOf, startNs } from '../model/phases.ts';

const FIXTURES = path.resolve(import.meta.dirname, '../../fixtures');
const FLAGS = { progress: false, color: 'never', quiet: true } as const;

let directory = '';
beforeAll(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'wirelens-extract-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

async function exchangesIn(file: string): Promise<{ exchanges: Exchange[]; epochSeconds: number }> {
  const exchanges: Exchange[] = [];
  const run = await readExchanges([file], { ...FLAGS, reveal: true }, 'test', () => [
    {
      exchange: (exchange) => exchanges.push(exchange),
      connection: () => {},
      drain: () => null,
      finish: async () => {},
      abort: async () => {},
    },
  ]);
  return { exchanges, epochSeconds: run.clock.epochSeconds ?? 0 };
}

let files = 0;
async function extracted(file: string, ids: string[], flags: Partial<ExtractFlags> = {}) {
  files += 1;
  const write = path.join(directory, `out-${files}.pcapng`);
  await extract([file, ...ids], { ...FLAGS, write, between: true, ...flags }, 'test');
  return { ...(await exchangesIn(write)), write };
}

function message(one: Message | null, epochSeconds: number) {
  if (one === null) return null;
  const { firstByteNs, lastByteNs, headerBytes, bodyBytes, lostBytes, mediaType, headers, version } = one;
  const time = (ns: number | null) =>
    ns === null ? null : BigInt(epochSeconds) * 1_000_000_000n + BigInt(ns);
  return {
    first: time(firstByteNs),
    last: time(lastByteNs),
    headerBytes,
    bodyBytes,
    lostBytes,
    mediaType,
    headers,
    version,
  };
}

/** The record without what the order says may change. */
function essence(exchange: Exchange, epochSeconds: number) {
  const { client, server, request, response, outcome, ending, pairing, tcp } = exchange;
  return {
    client: client.text,
    server: server.text,
    asked: request === null ? null : [request.method, request.host, request.target, request.userAgent],
    answered: response === null ? null : [response.status, response.reason],
    request: message(request, epochSeconds),
    response: message(response, epochSeconds),
    phases: phasesOf(exchange),
    interim: exchange.interim.map(({ status }) => status),
    outcome,
    ending,
    pairing,
    tcp,
    anomalies: exchange.anomalies.filter((one) => one !== 'mid-stream'),
  };
}

function inTime({ exchanges, epochSeconds }: { exchanges: readonly Exchange[]; epochSeconds: number }) {
  const key = (exchange: Exchange) =>
    `${String(startNs(exchange) + 1e15)} ${exchange.client.text} ${exchange.position + 1e6}`;
  return [...exchanges]
    .sort((a, b) => (key(a) < key(b) ? -1 : 1))
    .map((exchange) => ({
      ...essence(exchange, epochSeconds),
      position: exchange.position,
      opening: exchange.connection.opening,
    }));
}

describe('extracting from the fixtures', () => {
  // Beyond the limits of what one capture of a few packets can show.
  const folders = goldenFolders();

  it.for(folders)('$name: all exchanges come out equal', async ({ folder, capture }) => {
    const file = path.join(folder, capture);
    const before = await exchangesIn(file);
    if (before.exchanges.length === 0) return;
    const after = await extracted(file, [`1-${before.exchanges.length}`]);
    expect(inTime(after)).toEqual(inTime(before));
  });

  it.for(folders)('$name: each exchange by itself comes out the same', async ({ folder, capture }) => {
    const file = path.join(folder, capture);
    const before = await exchangesIn(file);
    // Every one of the small fixtures, a sample of the large ones.
    const step = Math.ceil(before.exchanges.length / 3);
    for (let index = 0; index < before.exchanges.length; index += step) {
      const wanted = essence(before.exchanges[index], before.epochSeconds);
      const after = await extracted(file, [String(before.exchanges[index].id)]);
      expect(after.exchanges.map((one) => essence(one, after.epochSeconds))).toContainEqual(wanted);
    }
  });
});

/** A capture of random traffic, perhaps in disorder, with losses and duplicates. */
function randomCapture(seed: number, damage: boolean, pipelined = 3): string {
  const random = seededRandom(seed);
  const { segments } = traffic({ connections: 3, exchanges: 6, pipelined }, random);
  let packets = packetsOf(segments);
  if (damage) {
    packets = lose(packets, 0.03, random);
    packets = duplicate(packets, 0.03, random);
    packets = reorder(packets, 4, random);
  }
  const file = path.join(directory, `random-${seed}-${damage}-${pipelined}.pcap`);
  writeFileSync(file, pcapFile(packets));
  return file;
}

describe('extracting from random traffic', () => {
  it('gives the same exchanges, one by one and all together, whatever was lost', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), fc.boolean(), fc.nat(1000), async (seed, damage, choice) => {
        const file = randomCapture(seed, damage);
        const before = await exchangesIn(file);
        if (before.exchanges.length === 0) return;
        const chosen = before.exchanges[choice % before.exchanges.length];
        const one = await extracted(file, [String(chosen.id)]);
        expect(one.exchanges.map((exchange) => essence(exchange, one.epochSeconds))).toContainEqual(
          essence(chosen, before.epochSeconds),
        );
        const all = await extracted(file, [`1-${before.exchanges.length}`]);
        expect(inTime(all)).toEqual(inTime(before));
      }),
      {
        numRuns: fuzzRuns(12),
        // Disorder puts the packet that ends a handshake behind the whole exchange.
        examples: [[183_406, true, 0]],
      },
    );
  });

  it('takes no packet with payload that could be left out', async () => {
    const file = randomCapture(77, false, 1);
    const before = await exchangesIn(file);
    const chosen = before.exchanges.filter(({ anomalies }) => anomalies.length === 0).slice(0, 4);
    expect(chosen.length).toBe(4);
    for (const exchange of chosen) {
      const wanted = essence(exchange, before.epochSeconds);
      const { write } = await extracted(file, [String(exchange.id)]);
      const { packets } = await readPaths([write]);
      const payload = (frame: Uint8Array) => frame.length - 14 - 20 - ((frame[46] >> 4) << 2);
      const heavy = packets.filter(({ frame }) => payload(frame) > 0);
      expect(heavy.length).toBeGreaterThan(1);
      for (const left of heavy) {
        const smaller = path.join(directory, 'smaller.pcap');
        writeFileSync(smaller, pcapFile(packets.filter((packet) => packet !== left)));
        const after = await exchangesIn(smaller);
        expect(after.exchanges.map((one) => essence(one, after.epochSeconds))).not.toContainEqual(wanted);
      }
    }
  });
});

describe('what is written', () => {
  const shop = path.join(FIXTURES, 'web-shop/capture.pcapng');
  const keepAlive = path.join(FIXTURES, 'nginx-keep-alive/capture.pcap');

  it('says our verdict on the first packets of request and response', async () => {
    const { write } = await extracted(shop, ['17']);
    const { facts } = await readPaths([write]);
    expect(facts[0].comments.map(({ text }) => text)).toEqual([
      expect.stringMatching(
        /^wirelens exchange 17: GET shop\.test:8080\/api\/products\/2 -> 200, .*wait 2\.46 ms.*pairing exact/,
      ),
      expect.stringMatching(/^wirelens exchange 17: answer 200 to GET shop\.test:8080\/api\/products\/2/),
    ]);
  });

  it('says what docs/extract.md shows', async () => {
    const { write } = await extracted(shop, ['17']);
    const { facts, packets } = await readPaths([write]);
    const page = readFileSync(path.resolve(FIXTURES, '../docs/extract.md'), 'utf8');
    expect(page).toContain(`    ${facts[0].comments[0].text}\n`);
    expect(page).toContain(`${packets.length} of 824 packets, ${readFileSync(write).length} B`);
  });

  it('keeps comments, interfaces and lengths of the packets', async () => {
    const { segments } = traffic({ connections: 1, exchanges: 1, pipelined: 1 }, seededRandom(5));
    const frames = packetsOf(segments);
    const file = path.join(directory, 'commented.pcapng');
    const interfaces = [
      { linkType: 1, name: 'unused0', resolution: 6 },
      { linkType: 1, name: 'eth7', resolution: 9, snaplen: 4096 },
    ];
    writeFileSync(
      file,
      pcapngFile(
        frames.map((one, index) => ({ ...one, interfaceId: 1, comments: [`note ${index + 1}`] })),
        { interfaces },
      ),
    );
    const { write } = await extracted(file, ['1']);
    const before = await readPaths([file]);
    const after = await readPaths([write]);
    expect(after.facts[0].interfaces).toMatchObject([
      { name: 'eth7', snaplen: 4096, timeDigits: 9, linkType: 1 },
    ]);
    // All but the acknowledgement of the last byte.
    expect(after.packets.length).toBe(before.packets.length - 1);
    const notes = after.facts[0].comments.filter(({ text }) => text.startsWith('note'));
    after.packets.forEach(({ number, timeNs, originalBytes }) => {
      const same = before.packets.find((packet) => packet.timeNs === timeNs);
      expect(originalBytes).toBe(same?.originalBytes);
      const texts = notes.filter(({ packet }) => packet === number).map(({ text }) => text);
      expect(texts).toEqual([`note ${same?.number}`]);
    });
  });

  it('merges captures of different formats', async () => {
    const write = path.join(directory, 'merged.pcapng');
    const flags = { ...FLAGS, write, between: true, where: 'status == 200' };
    await extract([keepAlive, shop], flags, 'test');
    const { facts } = await readPaths([write]);
    expect(facts[0].interfaces.map(({ timeDigits }) => timeDigits).sort()).toEqual([6, 9]);
    const wanted = [...(await exchangesIn(keepAlive)).exchanges, ...(await exchangesIn(shop)).exchanges];
    const found = (await exchangesIn(write)).exchanges;
    const ok = (list: Exchange[]) => list.filter(({ response }) => response?.status === 200).length;
    expect(ok(found)).toBe(ok(wanted));
  });

  it('whole connections keep positions too', async () => {
    const before = await exchangesIn(shop);
    const chosen = before.exchanges.find(({ position }) => position === 6) as Exchange;
    const after = await extracted(shop, [String(chosen.id)], { wholeConnections: true });
    const same = after.exchanges.find(({ position }) => position === 6) as Exchange;
    expect(essence(same, after.epochSeconds)).toEqual(essence(chosen, before.epochSeconds));
    expect(after.exchanges.length).toBe(chosen.connection.exchanges);
  });

  it('has the handshake when asked for', async () => {
    const before = await exchangesIn(shop);
    const chosen = before.exchanges.find(({ position }) => position === 6) as Exchange;
    const without = await extracted(shop, [String(chosen.id)]);
    expect(without.exchanges[0].connection.opening).toBe('missed');
    const withIt = await extracted(shop, [String(chosen.id)], { handshakes: true });
    expect(withIt.exchanges[0].connection.opening).toBe('seen');
  });

  it('overwrites nothing, and leaves nothing behind when it fails', async () => {
    const folder = mkdtempSync(path.join(directory, 'kept-'));
    const write = path.join(folder, 'kept.pcapng');
    writeFileSync(write, 'mine');
    const flags = { ...FLAGS, write, between: true };
    await expect(extract([shop, '1'], flags, 'test')).rejects.toThrow(/exists/);
    expect(readFileSync(write, 'utf8')).toBe('mine');
    await expect(extract([shop, '99999'], { ...flags, force: true }, 'test')).rejects.toThrow(
      /no exchange 99999/,
    );
    expect(readdirSync(folder)).toEqual(['kept.pcapng']);
    await extract([shop, '1'], { ...flags, force: true }, 'test');
    expect((await exchangesIn(write)).exchanges.length).toBe(1);
  });

  it('refuses to write over what it reads, and standard input', async () => {
    const copy = path.join(directory, 'copy.pcapng');
    writeFileSync(copy, readFileSync(shop));
    const flags = { ...FLAGS, write: copy, between: true, force: true };
    await expect(extract([copy, '1'], flags, 'test')).rejects.toThrow(/is read/);
    const other = path.join(directory, 'never.pcapng');
    await expect(extract(['-', '1'], { ...flags, write: other }, 'test')).rejects.toThrow(/standard input/);
    expect(existsSync(other)).toBe(false);
  });
});

describe('drops', () => {
  it('mark the exchanges of an extract as they mark them in the whole capture', async () => {
    const file = path.join(directory, 'dropped.pcapng');
    writeFileSync(file, droppedCapture());
    const marks = async (ids: string[]) =>
      (await extracted(file, ids)).exchanges.map(({ request, anomalies }) => [
        request?.target,
        anomalies.includes('packets-dropped'),
      ]);
    expect(await marks(['1', '2', '3'])).toEqual([
      ['/before', false],
      ['/during', true],
      ['/after', false],
    ]);
    expect(await marks(['2'])).toEqual([['/during', true]]);
  });
});
