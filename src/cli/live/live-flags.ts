import type { ColorChoice } from '../terminal.ts';

/** Bytes kept of a packet, as tcpdump does. */
export const SNAPLEN = 262_144;

/** Options of every command that captures; see addLiveOptions. Sizes in bytes, durations in ns. */
export interface LiveFlags {
  /** Names of interfaces; undefined: any. */
  readonly interface?: readonly string[];
  readonly driver?: 'auto' | 'afpacket' | 'cap';
  readonly snaplen?: number;
  /** False with -p. */
  readonly promiscuous?: boolean;
  readonly buffer?: number;
  /** Number of a group of sockets among which the kernel divides the connections. */
  readonly fanout?: number;
  /** Threads that capture, each a share of the connections; undefined: the main thread does. */
  readonly workers?: number;
  /** Stop after so many packets. */
  readonly packets?: number;
  /** Stop after so long. */
  readonly duration?: number;
  readonly port?: readonly number[];
  readonly host?: readonly string[];
  readonly net?: readonly string[];
  readonly where?: string;
  readonly keepHeader?: readonly string[];
  readonly checksums?: boolean;
  readonly reveal?: boolean;
  readonly maxConnections?: number;
  readonly quiet?: boolean;
  readonly progress: boolean;
  readonly color: ColorChoice;
  readonly debug?: boolean;
}
