import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pcapFile } from '../../../fixtures/build/capture-file.ts';
import { conversation } from '../../../fixtures/build/conversation.ts';
import { framesOf } from '../../../fixtures/build/frames.ts';
import { capture, closeCaptures, type LiveCapture } from '../../../test/live-capture.ts';
import { Namespace, namespacesMissing } from '../../../test/live-namespace.ts';

const missing = namespacesMissing('tcpreplay');
let namespace: Namespace;
let folder = '';

const CONNECTIONS = 64;
/** Connections that differ in their ports, with packets in both directions. */
const SENT = Array.from({ length: CONNECTIONS }, (_, index) =>
  framesOf(conversation({ client: { address: '10.0.0.1', port: 40_000 + index } }).handshake().segments),
).flat();

function send(): void {
  const file = path.join(folder, 'sent.pcap');
  writeFileSync(file, pcapFile(SENT));
  namespace.run('tcpreplay', '--intf1=out', '--topspeed', '--quiet', file);
}

/** The client's ports of the packets that came. */
function connectionsOf({ packets }: LiveCapture): Set<number> {
  // Source and destination port, behind Ethernet and IPv4.
  return new Set(
    packets.map(({ bytes }) => {
      const ports = [68, 72].map((at) => Number.parseInt(bytes.slice(at, at + 4), 16));
      return Math.max(...ports);
    }),
  );
}

describe('packets that several captures share', () => {
  beforeEach((context) => {
    if (missing !== null) context.skip(missing);
    namespace = new Namespace();
    folder = mkdtempSync(path.join(tmpdir(), 'wirelens-fanout-'));
    namespace.veth('out', 'in');
  });
  afterEach(async () => {
    if (missing !== null) return;
    await closeCaptures();
    namespace.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  async function shared(captures: readonly LiveCapture[]): Promise<void> {
    const count = (): number => captures.reduce((sum, { packets }) => sum + packets.length, 0);
    send();
    await captures[0]?.until(() => count() >= SENT.length);
    for (const one of captures) await one.stop();
    expect(count()).toBe(SENT.length);
    const [one, other] = captures.map(connectionsOf) as [Set<number>, Set<number>];
    expect(one.size + other.size).toBe(CONNECTIONS);
    expect([one.size > 0, other.size > 0]).toEqual([true, true]);
    for (const { source } of captures) await source.close();
  }

  it('come to one of them with their whole connection, in both directions', async () => {
    const fanoutGroup = process.pid & 0xffff;
    await shared([
      await capture(namespace, ['in'], { fanoutGroup }),
      await capture(namespace, ['in'], { fanoutGroup }),
    ]);
  });

  it('are those of a group that the kernel has numbered, which no one else has', async () => {
    const groups: number[] = [];
    const onFanoutGroup = (group: number): void => {
      groups.push(group);
    };
    const first = await capture(namespace, ['in'], { fanoutGroup: 'new', onFanoutGroup });
    const second = await capture(namespace, ['in'], { fanoutGroup: groups[0] ?? null, onFanoutGroup });
    const stranger = await capture(namespace, ['in'], { fanoutGroup: 'new', onFanoutGroup });
    expect(groups[1]).toBe(groups[0]);
    expect(groups[2]).not.toBe(groups[0]);
    await shared([first, second]);
    await stranger.until(() => stranger.packets.length >= SENT.length);
    await stranger.stop();
    expect(connectionsOf(stranger).size).toBe(CONNECTIONS);
    await stranger.source.close();
  });

  it('begin for all when the last is there', async () => {
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const early = await capture(namespace, ['in'], { begun });
    const watched = await capture(namespace, ['in']);
    send();
    await watched.until(() => watched.packets.length >= SENT.length);
    begin();
    await begun;
    // The driver's own turn comes after it.
    await new Promise((resolve) => setImmediate(resolve));
    send();
    await early.until(() => early.packets.length >= SENT.length);
    await early.stop();
    expect(early.packets.length).toBe(SENT.length);
    await early.source.close();
    await watched.source.close();
  });
});
