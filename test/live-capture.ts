import { spawn } from 'node:child_process';
import { LIVE_DEFAULTS, type LiveOptions, openLive } from '../src/capture/live/open-live.ts';
import { LIMITS } from '../src/model/limits.ts';
import type { LiveNotice, LiveSource } from '../src/model/live.ts';
import type { Namespace } from './live-namespace.ts';

export interface TakenPacket {
  /** Hexadecimal. */
  bytes: string;
  originalBytes: number;
  timeNs: number;
  linkType: number;
  interfaceName: string | null;
}

/** A capture that is under way in a namespace. */
export interface LiveCapture {
  source: LiveSource;
  notices: LiveNotice[];
  packets: TakenPacket[];
  clock: { epochSeconds: number | null };
  /** Resolves when the source has ended. */
  ended: Promise<void>;
  /** Reads on until `condition` holds. */
  until(condition: () => boolean): Promise<void>;
  /** Stops it and takes what is left. */
  stop(): Promise<void>;
}

/** Until a test that hangs says what it has. */
const PATIENCE_MS = 60_000;
const open = new Set<LiveSource>();

/** Closes what is still open; to be called after each test. */
export async function closeCaptures(): Promise<void> {
  for (const source of open) await source.close();
  open.clear();
}

/** Captures in `namespace` with a ring of 4 MiB; all packets are kept. */
export async function capture(
  namespace: Namespace,
  interfaces: readonly string[],
  options: Partial<LiveOptions> = {},
): Promise<LiveCapture> {
  const clock = { epochSeconds: null };
  const notices: LiveNotice[] = [];
  const source = await namespace.enter(() =>
    openLive({
      ...LIVE_DEFAULTS,
      ringBytes: 4 * 1024 * 1024,
      interfaces,
      driver: 'afpacket',
      clock,
      limits: LIMITS,
      promiscuous: true,
      filter: null,
      onNotice: (notice) => notices.push(notice),
      ...options,
    }),
  );
  open.add(source);
  const packets: TakenPacket[] = [];
  const read = async (): Promise<void> => {
    do {
      while (source.next()) {
        const { packet } = source;
        packets.push({
          bytes: Buffer.from(packet.bytes.subarray(packet.start, packet.end)).toString('hex'),
          originalBytes: packet.originalBytes,
          timeNs: packet.timeNs,
          linkType: packet.linkType,
          interfaceName: source.facts[0]?.interfaces[packet.interfaceNumber]?.name ?? null,
        });
      }
    } while (await source.more());
  };
  const ended = read();
  return {
    source,
    notices,
    packets,
    clock,
    ended,
    until: async (condition) => {
      const deadlineMs = performance.now() + PATIENCE_MS;
      while (!condition()) {
        if (performance.now() > deadlineMs) {
          const { counters } = source;
          throw new Error(
            `waited in vain: ${JSON.stringify({ packets: packets.length, notices, counters })}`,
          );
        }
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    },
    stop: async () => {
      source.stop();
      await ended;
    },
  };
}

/** tcpdump in a namespace, under way when this resolves; `ended` resolves when it has written `count` packets. */
export async function tcpdump(
  namespace: Namespace,
  file: string,
  count: number,
  ...words: string[]
): Promise<{ ended: Promise<void> }> {
  // In immediate mode each packet takes room for a whole snaplen; so a small one, and much room.
  const room = ['--immediate-mode', '-s', '4096', '-B', '16384'];
  const dump = ['tcpdump', '-n', ...room, '-c', String(count), '-w', file, ...words];
  const [program, ...rest] = namespace.command(...dump);
  const child = spawn(program as string, rest, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (bytes) => {
      said += bytes;
      if (said.includes('listening on')) resolve();
    });
    child.on('close', () => reject(new Error(said)));
  });
  return { ended };
}
