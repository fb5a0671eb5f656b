import { hostname } from 'node:os';
import path from 'node:path';
import { checkName, type Identity } from '../../agent/identity.ts';
import type { BackOffTimes } from '../../client/back-off.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import { LIMITS, type Limits } from '../../model/limits.ts';
import { type ListenAddress, parseListenAddress } from '../../model/listen-address.ts';
import type { LiveFlags } from '../live/live-flags.ts';
import {
  parseBuffer,
  parseFanout,
  parseHosts,
  parseNets,
  parseSnaplen,
  parseWorkers,
} from '../live/live-option-values.ts';
import { parseCount, parseDuration, parseNames, parsePorts, parseSize } from '../option-values.ts';
import { parseParameters } from './agent-options.ts';
import type { Environment, Settings } from './configuration.ts';

/** What an agent runs with: everything checked, in bytes and ms. */
export interface AgentSettings {
  readonly serverUrl: string;
  readonly token: string | null;
  readonly tokenFile: string | null;
  readonly tlsCaFile: string | null;
  readonly uploadTimeoutMs: number;
  readonly backOff: BackOffTimes;
  readonly slowMs: number;
  readonly heartbeatMs: number;
  readonly expression: readonly string[];
  readonly live: LiveFlags;
  readonly limits: Partial<Limits>;
  readonly maskParameters: readonly string[];
  readonly dropHeaders: readonly string[];
  readonly includeOwn: boolean;
  readonly identity: Identity;
  readonly spoolDirectory: string;
  readonly spoolLimitBytes: number;
  readonly spoolQueueBytes: number;
  readonly batchRows: number;
  readonly batchMs: number;
  readonly maxMemoryBytes: number;
  readonly statusListen: ListenAddress | null;
  readonly stopTimeoutMs: number;
  readonly logFormat: 'auto' | 'json' | 'text';
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

const NS_PER_MS = 1e6;

/**
 * The settings as the program needs them.
 *
 * @throws UserError for settings that do not go together
 */
export function agentSettings(settings: Settings, env: Environment): AgentSettings {
  const text = (name: string): string | undefined => settings.get(name)?.words as string | undefined;
  const known = (name: string): string => text(name) as string;
  const list = (name: string): readonly string[] => (settings.get(name)?.words as string[] | undefined) ?? [];
  const isSet = (name: string): boolean => settings.get(name)?.words === true;
  const ms = (name: string): number => parseDuration(known(name)) / NS_PER_MS;
  const all = <T>(name: string, parse: (text: string, before?: readonly T[]) => readonly T[]): readonly T[] =>
    list(name).reduce((before: readonly T[], one) => parse(one, before), []);

  const maxMemoryBytes = parseSize(known('max-memory'));
  const bufferBytes = parseBuffer(known('buffer'));
  const workersText = text('workers');
  const workers = workersText === undefined ? undefined : parseWorkers(workersText);
  if (bufferBytes * (workers ?? 1) > maxMemoryBytes / 2) {
    const rings = workers === undefined ? '--buffer is' : '--buffer times --workers is';
    throw usage(`${rings} more than half of --max-memory`, 'make one larger or the other smaller');
  }
  const fanout = text('fanout');
  const maxConnections = text('max-connections');
  const where = text('where');
  const live: LiveFlags = {
    interface: list('interface').flatMap((one) => one.split(',').map((name) => name.trim())),
    driver: known('driver') as 'auto',
    snaplen: parseSnaplen(known('snaplen')),
    promiscuous: isSet('promiscuous'),
    buffer: bufferBytes,
    port: all('port', parsePorts),
    host: all('host', parseHosts),
    net: all('net', parseNets),
    keepHeader: all('keep-header', parseNames),
    checksums: isSet('checksums'),
    reveal: isSet('insecure-reveal'),
    ...(fanout === undefined ? {} : { fanout: parseFanout(fanout) }),
    ...(workers === undefined ? {} : { workers }),
    ...(where === undefined ? {} : { where }),
    ...(maxConnections === undefined ? {} : { maxConnections: parseCount(maxConnections) }),
    // The agent's log says it instead.
    quiet: true,
    progress: false,
    color: 'never',
  };
  return {
    live,
    limits: limitsFor(maxMemoryBytes),
    serverUrl: known('server'),
    ...tokenOf(settings),
    tlsCaFile: text('tls-ca') ?? null,
    uploadTimeoutMs: ms('upload-timeout'),
    backOff: { firstMs: ms('retry-first'), longestMs: Math.max(ms('retry-first'), ms('retry-longest')) },
    slowMs: ms('retry-denied'),
    heartbeatMs: ms('heartbeat'),
    expression: expressionOf(text('filter')),
    maskParameters: all('mask-parameter', parseParameters),
    dropHeaders: all('drop-header', parseNames),
    includeOwn: isSet('include-own'),
    identity: identityOf(text, env),
    spoolDirectory: text('spool') ?? usualSpool(env),
    spoolLimitBytes: parseSize(known('spool-size')),
    spoolQueueBytes: Math.min(16 * MIB, maxMemoryBytes / 16),
    batchRows: parseCount(known('batch-rows')),
    batchMs: ms('batch-time'),
    maxMemoryBytes,
    statusListen: known('status-listen') === 'none' ? null : parseListenAddress(known('status-listen')),
    stopTimeoutMs: ms('stop-timeout'),
    logFormat: known('log-format') as 'auto',
    logLevel: known('log-level') as 'info',
  };
}

/** The settings with what is computed where nothing was set, so that they say what really runs. */
export function withComputed(
  settings: Settings,
  { identity, spoolDirectory, limits }: AgentSettings,
): Settings {
  const computed: Readonly<Record<string, string | null>> = {
    'agent-name': identity.agent,
    node: identity.node,
    spool: spoolDirectory,
    'max-connections': String(limits.connections),
  };
  return new Map(
    [...settings].map(([name, setting]) => {
      const words = setting.words ?? computed[name] ?? undefined;
      return [name, words === setting.words ? setting : { ...setting, words, source: 'default' }];
    }),
  );
}

/** A file with a token comes before a token, unless the environment has the token and the configuration the file. */
function tokenOf(settings: Settings): { token: string | null; tokenFile: string | null } {
  const token = settings.get('token');
  const file = settings.get('token-file');
  const isNearer =
    token?.source.startsWith('environment') === true &&
    /^(--|environment)/.test(file?.source ?? '') === false;
  if (file?.words !== undefined && !(isNearer && token?.words !== undefined))
    return { token: null, tokenFile: file.words as string };
  return { token: (token?.words as string | undefined)?.trim() ?? null, tokenFile: null };
}

const MIB = 1024 * 1024;
const MEMORY_PER_CONNECTION = 16 * 1024;
/**
 * Where each exchange has a connection of its own, most connections in memory are closed ones, and what lives for
 * seconds costs the collector of garbage more than what lives for a moment.
 */
const MEMORY_PER_CLOSED_CONNECTION = 512 * 1024;

/** What the pipeline may hold so that the process stays within its memory; docs/agent.md has the sum. */
export function limitsFor(memoryBytes: number): Partial<Limits> {
  const share = (part: number, usual: number): number => Math.min(usual, Math.floor(memoryBytes / part));
  return {
    connections: share(MEMORY_PER_CONNECTION, LIMITS.connections),
    closedConnections: share(MEMORY_PER_CLOSED_CONNECTION, LIMITS.closedConnections),
    pendingBytesTotal: share(16, LIMITS.pendingBytesTotal),
    pendingBytesPerDirection: share(64, LIMITS.pendingBytesPerDirection),
    sightingHeldBytes: share(32, LIMITS.sightingHeldBytes),
    fragmentBytes: share(64, LIMITS.fragmentBytes),
  };
}

function expressionOf(filter: string | undefined): readonly string[] {
  if (filter?.trim() === '-')
    throw usage('an agent captures from interfaces', 'wirelens upload sends captures');
  return filter === undefined ? [] : [filter];
}

function identityOf(text: (name: string) => string | undefined, env: Environment): Identity {
  const host = hostname();
  const inPod = text('pod') !== undefined || (env.KUBERNETES_SERVICE_HOST ?? '') !== '';
  const named = (name: string): string | null => {
    const given = text(name);
    return given === undefined ? null : checkName(given, `--${name}`);
  };
  return {
    agent: named('agent-name') ?? host,
    node: named('node') ?? (inPod ? null : host),
    pod: named('pod'),
    namespace: named('namespace'),
  };
}

/** Where root may keep state, else where this user may. */
function usualSpool(env: Environment): string {
  if (process.getuid?.() === 0) return '/var/lib/wirelens/spool';
  const state = env.XDG_STATE_HOME;
  const home = env.HOME ?? '.';
  const base = state !== undefined && path.isAbsolute(state) ? state : path.join(home, '.local', 'state');
  return path.join(base, 'wirelens', 'spool');
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}
