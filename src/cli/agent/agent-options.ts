import { InvalidArgumentError } from 'commander';
import { parseBuffer, parseFanout, parseHosts, parseNets, parseSnaplen } from '../live/live-option-values.ts';
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

/** A duration above zero. */
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
  option('Server', 'server', '<url>', 'where exchanges are sent, as https://wirelens.example:8080', {
    fallback: 'http://127.0.0.1:8080',
  }),
  option('Server', 'token-file', '<file>', 'file with the token for agents; read again when it changes'),
  option('Server', 'token', '<token>', 'the token itself', { secret: true }),
  option('Server', 'tls-ca', '<file>', "authorities that may sign the server's certificate, as PEM"),
  option('Server', 'upload-timeout', '<duration>', 'for the answer to one batch', {
    fallback: '30s',
    check: parseWait,
  }),
  option('Server', 'retry-first', '<duration>', 'bound of the first wait after a failure; it doubles', {
    fallback: '500ms',
    check: parseWait,
  }),
  option('Server', 'retry-longest', '<duration>', 'bound that the waits grow to', {
    fallback: '30s',
    check: parseWait,
  }),
  option('Server', 'retry-denied', '<duration>', 'wait while token or address are wrong', {
    fallback: '30s',
    check: parseWait,
  }),
  option('Server', 'heartbeat', '<duration>', 'how often the server is told how the agent is doing', {
    fallback: '10s',
    check: parseWait,
  }),

  option('Capture', 'interface', '<name>', 'interface to capture on; may be repeated', {
    short: '-i',
    kind: 'list',
    fallback: 'any',
  }),
  option('Capture', 'driver', '<name>', 'how packets are taken', {
    choices: ['auto', 'afpacket', 'cap'],
    fallback: 'auto',
  }),
  option('Capture', 'snaplen', '<bytes>', 'bytes kept of a packet', {
    short: '-s',
    fallback: '262144',
    check: parseSnaplen,
  }),
  option('Capture', 'promiscuous', null, 'also packets that this machine would not see anyway', {
    short: '-p',
    kind: 'flag',
    fallback: true,
  }),
  option('Capture', 'buffer', '<size>', 'ring between the kernel and the agent; a bare number is KiB', {
    short: '-B',
    fallback: '32MiB',
    check: parseBuffer,
  }),
  option('Capture', 'fanout', '<group>', 'share the connections with other captures of the group', {
    check: parseFanout,
  }),

  option('Packet filter', 'filter', '<expression>', 'a tcpdump expression; the words after the options too'),
  option('Packet filter', 'port', '<n,...>', 'only packets from or to one of these ports', {
    kind: 'list',
    check: parsePorts,
  }),
  option('Packet filter', 'host', '<address,...>', 'only packets from or to one of these addresses', {
    kind: 'list',
    check: parseHosts,
  }),
  option('Packet filter', 'net', '<net,...>', 'the same for networks, as 10.0.0.0/8', {
    kind: 'list',
    check: parseNets,
  }),

  option('Exchanges', 'where', '<expr>', 'send only exchanges for which this holds; see wirelens fields'),
  option('Exchanges', 'keep-header', '<name,...>', 'header fields to send beside the usual ones', {
    kind: 'list',
    check: parseNames,
  }),
  option('Exchanges', 'drop-header', '<name,...>', 'header fields not to send, of the usual ones too', {
    kind: 'list',
    check: parseNames,
  }),
  option(
    'Exchanges',
    'mask-parameter',
    '<name,...>',
    'query parameters to mask beside the usual names of secrets',
    { kind: 'list', check: parseParameters },
  ),
  option('Exchanges', 'insecure-reveal', null, 'send secrets instead of masking them', {
    kind: 'flag',
    fallback: false,
  }),
  option('Exchanges', 'include-own', null, 'send uploads and heartbeats of agents as exchanges too', {
    kind: 'flag',
    fallback: false,
  }),
  option('Exchanges', 'checksums', null, 'leave out packets with a wrong checksum', {
    kind: 'flag',
    fallback: false,
  }),
  option('Exchanges', 'max-connections', '<n>', 'connections followed at once (by --max-memory: 16384)', {
    check: parseCount,
  }),

  option('Identity', 'agent-name', '<name>', 'name of this agent (the host name)'),
  option('Identity', 'node', '<name>', 'node that it runs on (the host name, unless it runs in a pod)', {
    downward: 'NODE_NAME',
  }),
  option('Identity', 'pod', '<name>', 'pod that it runs in', { downward: 'POD_NAME' }),
  option('Identity', 'namespace', '<name>', 'namespace of that pod', { downward: 'POD_NAMESPACE' }),

  option('Spool', 'spool', '<dir>', 'where batches wait (/var/lib/wirelens/spool, or in XDG_STATE_HOME)'),
  option('Spool', 'spool-size', '<size>', 'when it is full, the oldest batches go', {
    fallback: '256MiB',
    check: atLeast(MIB, '1MiB'),
  }),
  option('Spool', 'batch-rows', '<n>', 'exchanges of a batch at most', {
    fallback: '2000',
    check: parseBatchRows,
  }),
  option('Spool', 'batch-time', '<duration>', 'a batch is closed so long after its first exchange', {
    fallback: '1s',
    check: parseWait,
  }),

  option('Process', 'max-memory', '<size>', 'above it, less is held of connections and packets', {
    fallback: '256MiB',
    check: atLeast(LEAST_MEMORY_BYTES, '128MiB'),
  }),
  option('Process', 'status-listen', '<host:port>', "/metrics, /healthz and /readyz; 'none': nowhere", {
    fallback: '127.0.0.1:9101',
  }),
  option('Process', 'stop-timeout', '<duration>', 'how long an agent that ends goes on sending', {
    fallback: '5s',
    check: parseDuration,
  }),
  option('Process', 'log-format', '<form>', 'json where standard error is no terminal', {
    choices: ['auto', 'json', 'text'],
    fallback: 'auto',
  }),
  option('Process', 'log-level', '<level>', 'events below it are not written', {
    choices: ['debug', 'info', 'warn', 'error'],
    fallback: 'info',
  }),
];

function option(
  group: string,
  name: string,
  value: string | null,
  description: string,
  more: Partial<AgentOption> = {},
): AgentOption {
  return { kind: 'text', ...more, group, name, value, description };
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
