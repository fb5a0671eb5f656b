import { InvalidArgumentError } from 'commander';
import {
  parseBuffer,
  parseFanout,
  parseHosts,
  parseNets,
  parseSnaplen,
  parseWorkers,
} from '../live/live-option-values.ts';
import { parseCount, parseDuration, parseNames, parsePorts, parseSize } from '../option-values.ts';

/** `flag`: yes or no. `list`: several, on the command line by repeating. */
export type OptionKind = 'text' | 'list' | 'flag';

/**
 * One setting of the agent. It can be given as `--name`, as WIRELENS_NAME in the environment, and as `name:` in the
 * file of --config, always with the same words.
 */
export interface AgentOption {
  /** As in `--name`. */
  readonly name: string;
  readonly short?: string;
  readonly group: string;
  /** `<size>`; null for a flag. */
  readonly value: string | null;
  readonly description: string;
  readonly kind: OptionKind;
  /** In the words that a user would write; undefined: not set, and what that means stands in the description. */
  readonly fallback?: string | boolean;
  /** Checks one value. Throws InvalidArgumentError. */
  readonly check?: (text: string) => unknown;
  readonly choices?: readonly string[];
  /** Never printed, and not on the command line, where other processes can read it. */
  readonly secret?: true;
  /** Environment variable that is looked at last: Kubernetes' downward API sets it by convention. */
  readonly downward?: string;
}

type Ungrouped = Omit<AgentOption, 'group'>;

function parseWait(text: string): number {
  const ns = parseDuration(text);
  if (ns <= 0) throw new InvalidArgumentError('It must be longer than nothing.');
  return ns;
}

function atLeast(least: number, words: string): (text: string) => number {
  return (text) => {
    const bytes = parseSize(text);
    if (bytes < least) throw new InvalidArgumentError(`It must be ${words} or more.`);
    return bytes;
  };
}

const MIB = 1024 * 1024;
export const LEAST_MEMORY_BYTES = 128 * MIB;

export const AGENT_OPTIONS: readonly AgentOption[] = [
  ...group('Server', [
    text('server', '<url>', 'where exchanges are sent, as https://wirelens.example:8080', {
      fallback: 'http://127.0.0.1:8080',
    }),
    text('token-file', '<file>', 'file with the token for agents; read again when it changes'),
    text('token', '<token>', 'the token itself', { secret: true }),
    text('tls-ca', '<file>', "authorities that may sign the server's certificate, as PEM"),
    wait('upload-timeout', 'for the answer to one batch', '30s'),
    wait('retry-first', 'bound of the first wait after a failure; it doubles', '500ms'),
    wait('retry-longest', 'bound that the waits grow to', '30s'),
    wait('retry-denied', 'wait while token or address are wrong', '30s'),
    wait('heartbeat', 'how often the server is told how the agent is doing', '10s'),
  ]),
  ...group('Capture', [
    list('interface', '<name>', 'interface to capture on; may be repeated', { short: '-i', fallback: 'any' }),
    text('driver', '<name>', 'how packets are taken', {
      fallback: 'auto',
      choices: ['auto', 'afpacket', 'cap'],
    }),
    text('snaplen', '<bytes>', 'bytes kept of a packet', {
      short: '-s',
      fallback: '262144',
      check: parseSnaplen,
    }),
    flag('promiscuous', 'also packets that this machine would not see anyway', {
      short: '-p',
      fallback: true,
    }),
    text('buffer', '<size>', 'ring between the kernel and the agent; a bare number is KiB', {
      short: '-B',
      fallback: '32MiB',
      check: parseBuffer,
    }),
    text('fanout', '<group>', 'share the connections with other captures of the group', {
      check: parseFanout,
    }),
    text('workers', '<n>', 'threads that capture, each a share of the connections and a ring', {
      check: parseWorkers,
    }),
  ]),
  ...group('Packet filter', [
    text('filter', '<expression>', 'a tcpdump expression; the words after the options too'),
    list('port', '<n,...>', 'only packets from or to one of these ports', { check: parsePorts }),
    list('host', '<address,...>', 'only packets from or to one of these addresses', { check: parseHosts }),
    list('net', '<net,...>', 'the same for networks, as 10.0.0.0/8', { check: parseNets }),
  ]),
  ...group('Exchanges', [
    text('where', '<expr>', 'send only exchanges for which this holds; see wirelens fields'),
    list('keep-header', '<name,...>', 'header fields to send beside the usual ones', { check: parseNames }),
    list('drop-header', '<name,...>', 'header fields not to send, of the usual ones too', {
      check: parseNames,
    }),
    list('mask-parameter', '<name,...>', 'query parameters to mask beside the usual names of secrets', {
      check: parseParameters,
    }),
    flag('insecure-reveal', 'send secrets instead of masking them'),
    flag('include-own', 'send uploads and heartbeats of agents as exchanges too'),
    flag('checksums', 'leave out packets with a wrong checksum'),
    text('max-connections', '<n>', 'connections followed at once (by --max-memory: 16384)', {
      check: parseCount,
    }),
  ]),
  ...group('Identity', [
    text('agent-name', '<name>', 'name of this agent (the host name)'),
    text('node', '<name>', 'node that it runs on (the host name, unless it runs in a pod)', {
      downward: 'NODE_NAME',
    }),
    text('pod', '<name>', 'pod that it runs in', { downward: 'POD_NAME' }),
    text('namespace', '<name>', 'namespace of that pod', { downward: 'POD_NAMESPACE' }),
  ]),
  ...group('Spool', [
    text('spool', '<dir>', 'where batches wait (/var/lib/wirelens/spool, or in XDG_STATE_HOME)'),
    text('spool-size', '<size>', 'when it is full, the oldest batches go', {
      fallback: '256MiB',
      check: atLeast(MIB, '1MiB'),
    }),
    text('batch-rows', '<n>', 'exchanges of a batch at most', { fallback: '2000', check: parseBatchRows }),
    wait('batch-time', 'a batch is closed so long after its first exchange', '1s'),
  ]),
  ...group('Process', [
    text('max-memory', '<size>', 'above it, less is held of connections and packets', {
      fallback: '256MiB',
      check: atLeast(LEAST_MEMORY_BYTES, '128MiB'),
    }),
    text('status-listen', '<host:port>', "/metrics, /healthz and /readyz; 'none': nowhere", {
      fallback: '127.0.0.1:9101',
    }),
    text('stop-timeout', '<duration>', 'how long an agent that ends goes on sending', {
      fallback: '5s',
      check: parseDuration,
    }),
    text('log-format', '<form>', 'json where standard error is no terminal', {
      fallback: 'auto',
      choices: ['auto', 'json', 'text'],
    }),
    text('log-level', '<level>', 'events below it are not written', {
      fallback: 'info',
      choices: ['debug', 'info', 'warn', 'error'],
    }),
  ]),
];

function group(name: string, options: readonly Ungrouped[]): AgentOption[] {
  return options.map((option) => ({ ...option, group: name }));
}

function text(name: string, value: string, description: string, more: Partial<Ungrouped> = {}): Ungrouped {
  return { kind: 'text', name, value, description, ...more };
}

function list(name: string, value: string, description: string, more: Partial<Ungrouped>): Ungrouped {
  return { kind: 'list', name, value, description, ...more };
}

function flag(name: string, description: string, more: Partial<Ungrouped> = {}): Ungrouped {
  return { kind: 'flag', name, value: null, description, fallback: false, ...more };
}

/** A duration above zero. */
function wait(name: string, description: string, fallback: string): Ungrouped {
  return text(name, '<duration>', description, { fallback, check: parseWait });
}

/** WIRELENS_SPOOL_SIZE */
export function environmentName({ name }: Pick<AgentOption, 'name'>): string {
  return `WIRELENS_${name.toUpperCase().replaceAll('-', '_')}`;
}

const MOST_BATCH_ROWS = 20_000;
export function parseBatchRows(text: string): number {
  const rows = parseCount(text);
  if (rows > MOST_BATCH_ROWS) throw new InvalidArgumentError(`It must be at most ${MOST_BATCH_ROWS}.`);
  return rows;
}

/** Names of query parameters separated by commas, added to those given before. */
export function parseParameters(text: string, before: readonly string[] = []): readonly string[] {
  const names = text.split(',').map((part) => part.trim());
  if (!names.every((name) => /^[^\s&;=#?]{1,100}$/.test(name)))
    throw new InvalidArgumentError('It must be names of query parameters, separated by commas.');
  return [...before, ...names];
}
