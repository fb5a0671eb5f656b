import { statSync } from 'node:fs';
import type { FilterWishes } from '../../capture/packet-filter/compile-filter.ts';
import type { LiveFilter } from '../../capture/packet-filter/live-filter.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import type { Limits } from '../../model/limits.ts';
import type { LiveNotice, LiveSource } from '../../model/live.ts';
import type { RunClock } from '../../model/packet.ts';
import type { ExchangeSink, RunRecord } from '../../model/sink.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { counted, formatBytes } from '../../report/units.ts';
import type { WorkerCrew } from '../../workers/crew.ts';
import type { WorkerSettings } from '../../workers/messages.ts';
import { type LiveFlags, SNAPLEN } from './live-flags.ts';
import { openStdin } from './stdin-source.ts';

/** A tick: something is shown at least so often, also when no packet comes. */
export const TICK_MS = 250;
const RING_BYTES = 64 * 1024 * 1024;
const MIB = 1024 * 1024;
/** The word that stands for standard input. */
export const STANDARD_INPUT = '-';

export interface SourceOptions {
  readonly clock: RunClock;
  readonly limits: Limits;
  readonly onNotice: (notice: LiveNotice) => void;
  /** See PipelineOptions. */
  readonly keepHeaders: readonly string[];
  /** See LiveOptions. */
  readonly handoverMs?: number | undefined;
}

export interface OpenedSource {
  readonly source: LiveSource;
  /** Feeds the sinks in place of the pipeline, which runs elsewhere: exchanges that --where holds for, and no packets. */
  readonly run?: (sinks: readonly ExchangeSink[], onProgress: () => void) => Promise<RunRecord>;
  /** The packet filter as the user gave it; null: none. */
  readonly filterText: string | null;
  /** What is captured, for standard error; see openedLine. */
  readonly line: string;
}

/**
 * Opens what the command line names: interfaces, or standard input for the one word `-`.
 *
 * @throws UserError when it cannot be captured, or the filter cannot be compiled
 */
export async function openSource(
  expression: readonly string[],
  flags: LiveFlags,
  options: SourceOptions,
): Promise<OpenedSource> {
  const isStdin = expression[0] === STANDARD_INPUT;
  checkWords(expression, flags);
  const filter = await compiledFilter(isStdin ? expression.slice(1) : expression, flags);
  const filterText = filter?.text ?? null;
  if (isStdin) {
    const source = await openStdin({ ...options, tickMs: TICK_MS, filter });
    return { source, filterText, line: openedLine(source, flags, filterText, () => null) };
  }
  const { listInterfaces } = await import('../../capture/live/interfaces.ts');
  const kinds = new Map(listInterfaces().map(({ name, kind }) => [name, kind]));
  const kindOf = (name: string): string | null => kinds.get(name) ?? null;
  const ring = {
    interfaces: flags.interface ?? ['any'],
    driver: flags.driver ?? 'auto',
    snaplen: flags.snaplen ?? SNAPLEN,
    ringBytes: flags.buffer ?? RING_BYTES,
    promiscuous: flags.promiscuous !== false,
    tickMs: TICK_MS,
  };
  if (flags.workers !== undefined) {
    const crew = await openCrew(flags.workers, ring, wishesOf(expression, flags), flags, options);
    const line = openedLine(crew, flags, filterText, kindOf);
    return { source: crew, filterText, line, run: (sinks, onProgress) => crew.run(sinks, onProgress) };
  }
  const { openLive } = await import('../../capture/live/open-live.ts');
  const source = await openLive({ ...options, ...ring, filter, fanoutGroup: flags.fanout ?? null });
  return { source, filterText, line: openedLine(source, flags, filterText, kindOf) };
}

async function openCrew(
  workers: number,
  ring: Omit<WorkerSettings['capture'], 'fanoutGroup'>,
  filter: FilterWishes | null,
  flags: LiveFlags,
  { clock, limits, onNotice, keepHeaders, handoverMs }: SourceOptions,
): Promise<WorkerCrew> {
  const { startCrew } = await import('../../workers/start-crew.ts');
  return startCrew({
    workers,
    clock,
    onNotice,
    settings: {
      capture: { ...ring, handoverMs, fanoutGroup: flags.fanout ?? 'new' },
      filter,
      limits,
      where: flags.where ?? null,
      reveal: flags.reveal === true,
      checksums: flags.checksums === true,
      keepHeaders,
    },
  });
}

/**
 * The packet filter that the words of an expression and the options ask for; null: none.
 *
 * @throws UserError when it cannot be compiled
 */
export async function compiledFilter(words: readonly string[], flags: LiveFlags): Promise<LiveFilter | null> {
  const wishes = wishesOf(words, flags);
  if (wishes === null) return null;
  // Loaded only when asked for.
  const { compileFilter } = await import('../../capture/packet-filter/compile-filter.ts');
  return compileFilter(wishes);
}

/** null: all packets are wanted. */
function wishesOf(
  words: readonly string[],
  { port = [], host = [], net = [] }: LiveFlags,
): FilterWishes | null {
  const expression = words.join(' ').trim();
  if (expression === '' && port.length + host.length + net.length === 0) return null;
  return { expression: expression === '' ? null : expression, ports: port, hosts: host, nets: net };
}

const usage = (message: string, hint: string): UserError =>
  new UserError('usage', message, { hint, exitCode: EXIT.usage });

/** Options of an interface that mean nothing for standard input. */
const INTERFACE_OPTIONS = [
  ['interface', '--interface'],
  ['driver', '--driver'],
  ['snaplen', '--snaplen'],
  ['buffer', '--buffer'],
  ['fanout', '--fanout'],
  ['workers', '--workers'],
] as const;

function checkWords(expression: readonly string[], flags: LiveFlags): void {
  if (flags.workers !== undefined && flags.packets !== undefined)
    throw usage(
      '--packets counts the packets of one thread, and --workers divides them',
      'leave one of them out',
    );
  const [first, ...rest] = expression;
  if (first === undefined) return;
  if (first === STANDARD_INPUT) {
    const about = INTERFACE_OPTIONS.find(([name]) => flags[name] !== undefined);
    if (about !== undefined)
      throw usage(`${about[1]} is about an interface, and standard input is read`, 'leave one of them out');
    if (process.stdin.isTTY === true)
      throw usage(
        'standard input is a terminal',
        'pipe packets into it, as in: tcpdump -U -i eth0 -w - | wirelens capture -',
      );
    return;
  }
  // Fingers that know other commands put a file here.
  if (rest.length === 0 && statSync(first, { throwIfNoEntry: false })?.isFile() === true) {
    throw usage(
      `${first} is a file, and capture listens to interfaces`,
      'wirelens analyze reads captures, wirelens tail follows them',
    );
  }
}

/** `capturing on eth0 (Ethernet), snapshot length 262144 bytes, filter: tcp port 80, afpacket, ring 64 MiB` */
export function openedLine(
  source: LiveSource,
  flags: LiveFlags,
  filterText: string | null,
  kindOf: (name: string) => string | null,
): string {
  const filter = filterText === null ? [] : [`filter: ${sanitise(filterText)}`];
  if (source.driver === 'stdin') return ['reading packets from standard input', ...filter].join(', ');
  const threads = flags.workers === undefined ? [] : [counted(flags.workers, 'thread')];
  const parts = [
    `capturing on ${(flags.interface ?? ['any']).map((name) => named(name, kindOf(name))).join(', ')}`,
    `snapshot length ${flags.snaplen ?? SNAPLEN} bytes`,
    ...filter,
    source.driver,
    ...threads,
  ];
  const { ringBytes } = source.counters;
  if (ringBytes > 0) parts.push(`ring ${ringText(ringBytes)}`);
  return parts.join(', ');
}

function named(name: string, kind: string | null): string {
  return name === 'any' ? 'any (all interfaces)' : `${sanitise(name)}${kind === null ? '' : ` (${kind})`}`;
}

function ringText(bytes: number): string {
  return bytes % MIB === 0 ? `${bytes / MIB} MiB` : formatBytes(bytes);
}
