import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { pcapFile } from '../../../fixtures/build/capture-file.ts';
import { conversation } from '../../../fixtures/build/conversation.ts';
import { framesOf } from '../../../fixtures/build/frames.ts';
import { openCaptures } from '../../capture/open.ts';
import { LIMITS } from '../../model/limits.ts';
import { StdinSource } from './stdin-source.ts';

const file = pcapFile(
  framesOf(conversation().handshake().fromClient('GET / HTTP/1.1\r\n\r\n').segments, 'ethernet'),
);
const HEADER_BYTES = 24;

async function opened(filter: ConstructorParameters<typeof StdinSource>[1]['filter'] = null) {
  const stdin = new Readable({ read() {} });
  stdin.push(file.subarray(0, HEADER_BYTES));
  const clock = { epochSeconds: null };
  let ms = 0;
  const inner = await openCaptures(['-'], { clock, limits: LIMITS, stdin });
  const source = new StdinSource(inner, { tickMs: 5, filter, now: () => ms });
  return { stdin, source, pass: (more: number) => (ms += more) };
}

function takeAll(source: StdinSource): number {
  let count = 0;
  while (source.next()) count += 1;
  return count;
}

describe('packets from standard input', () => {
  it('ticks while nothing comes, and gives packets when they do', async () => {
    const { stdin, source } = await opened();
    expect(takeAll(source)).toBe(0);
    for (let tick = 0; tick < 3; tick++) {
      expect(await source.more()).toBe(true);
      expect(takeAll(source)).toBe(0);
    }
    stdin.push(file.subarray(HEADER_BYTES));
    let count = 0;
    while (count < 4) {
      expect(await source.more()).toBe(true);
      count += takeAll(source);
    }
    expect(count).toBe(4);
    stdin.push(null);
    while (await source.more()) expect(takeAll(source)).toBe(0);
    expect(source.facts[0]?.packets).toBe(4);
    await source.close();
  });

  it('stops at once, also while it waits', async () => {
    const { source } = await opened();
    const more = source.more();
    source.stop();
    expect(await more).toBe(false);
    expect(source.stopped).toBe(true);
    expect(source.next()).toBe(false);
    expect(await source.more()).toBe(false);
    await source.close();
  });

  it('goes on with the clock of the packets, not with its own', async () => {
    const { stdin, source, pass } = await opened();
    expect(source.nowNs).toBeNull();
    stdin.push(file.subarray(HEADER_BYTES));
    while (takeAll(source) === 0) await source.more();
    await source.more();
    const lastNs = source.facts[0]?.lastNs as number;
    expect(source.nowNs).toBe(lastNs);
    pass(1500);
    expect(source.nowNs).toBe(lastNs + 1.5e9);
    await source.close();
  });

  it('leaves out what the packet filter does not accept', async () => {
    const { stdin, source } = await opened({
      // The request is the only packet that ends with a line.
      accepts: (bytes, _start, end) => bytes[end - 1] === 0x0a,
    });
    stdin.push(file.subarray(HEADER_BYTES));
    stdin.push(null);
    let count = 0;
    do count += takeAll(source);
    while (await source.more());
    expect(count).toBe(1);
    await source.close();
  });
});
