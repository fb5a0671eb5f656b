import type { Limits } from '../../model/limits.ts';
import type { LiveNotice } from '../../model/live.ts';
import type { RunClock } from '../../model/packet.ts';
import type { LiveFilter } from '../packet-filter/live-filter.ts';

export interface LiveOptions {
  /** Interface names; `any`, alone or among others, for all that there are and will be. */
  readonly interfaces: readonly string[];
  /** auto: afpacket where it works, else cap. */
  readonly driver: 'auto' | 'afpacket' | 'cap';
  readonly clock: RunClock;
  readonly limits: Limits;
  /** Bytes kept of a packet, as it is recorded. */
  readonly snaplen: number;
  /** Bytes of the ring; rounded down to whole blocks, RING.leastBytes at least. */
  readonly ringBytes: number;
  /** Also what is not addressed to this machine; has no meaning on `any`. */
  readonly promiscuous: boolean;
  readonly filter: LiveFilter | null;
  /** `more` resolves at least this often. */
  readonly tickMs: number;
  /**
   * While few packets come, they wait this long at most in the ring before they are handed over, ms
   * (RING.handoverMs). Being woken costs as much as many packets, so who is in no hurry waits longer; a full block
   * is handed over at once. Only afpacket.
   */
  readonly handoverMs?: number | undefined;
  /** Told of what happens to the capture, at most once for each thing that happens. */
  readonly onNotice: (notice: LiveNotice) => void;
  /**
   * Shares packets with other processes that capture the same interfaces with the same number (0 to 65535): each
   * gets whole connections. `new`: with those that join the number that `onFanoutGroup` is told. null or missing: takes
   * all packets. Only afpacket.
   */
  readonly fanoutGroup?: number | 'new' | null;
  readonly onFanoutGroup?: (group: number) => void;
  /** No packet is taken before it resolves; missing: from the beginning. Only afpacket. */
  readonly begun?: Promise<void>;
}

/** `LiveOptions.snaplen` and `ringBytes` where the user says nothing. */
export const LIVE_DEFAULTS = { snaplen: 262_144, ringBytes: 64 * 1024 * 1024, tickMs: 250 } as const;

/** What stands for all interfaces in LiveOptions.interfaces. */
export const ANY = 'any';
