import { statSync } from 'node:fs';
import type { LiveFilter } from '../../capture/packet-filter/live-filter.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import type { Limits } from '../../model/limits.ts';
import type { LiveNotice, LiveSource } from '../../model/live.ts';
import type { RunClock } from '../../model/packet.ts';
import { sanitise } from '../../report/terminal-text.ts';
import { formatBytes } from '../../report/units.ts';
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
  /** See LiveOptions. */
  readonly handoverMs?: number | undefined;
}

export interface OpenedSource {
  readonly source: LiveSource;
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
  const [{ openLive }, { listInterfaces }] = await Promise.all([
    import('../../capture/live/open-live.ts'),
    import('../../capture/live/interfaces.ts'),
  ]);
  const source = await openLive({
    ...options,
    interfaces: flags.interface ?? ['any'],
    driver: flags.driver ?? 'auto',
    snaplen: flags.snaplen ?? SNAPLEN,
    ringBytes: flags.buffer ?? RING_BYTES,
    promiscuous: flags.promiscuous !== false,
    filter,
    tickMs: TICK_MS,
    fanoutGroup: flags.fanout ?? null,
  });
  const kinds = new Map(listInterfaces().map(({ name, kind }) => [name, kind]));
  const line = openedLine(source, flags, filterText, (name) => kinds.get(name) ?? null);
  return { source, filterText, line };
}

/**
 * The packet filter that the words of an expression and the options ask for; null: none.
 *
 * @throws UserError when it cannot be compiled
 */
export async function compiledFilter(
  words: readonly string[],
  { port = [], host = [], net = [] }: LiveFlags,
): Promise<LiveFilter | null> {
  const expression = words.join(' ').trim();
  if (expression === '' && port.length + host.length + net.length === 0) return null;
  // Loaded only when asked for.
  const { compileFilter } = await import('../../capture/packet-filter/compile-filter.ts');
  return compileFilter({
    expression: expression === '' ? null : expression,
    ports: port,
    hosts: host,
    nets: net,
  });
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
] as const;

function checkWords(expression: readonly string[], flags: LiveFlags): void {
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
  const parts = [
    `capturing on ${(flags.interface ?? ['any']).map((name) => named(name, kindOf(name))).join(', ')}`,
    `snapshot length ${flags.snaplen ?? SNAPLEN} bytes`,
    ...filter,
    source.driver,
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
