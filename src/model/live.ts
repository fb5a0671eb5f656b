import type { PacketSource } from './packet.ts';

/** Who takes packets from the kernel; `stdin`: another program, through standard input. */
export type LiveDriver = 'afpacket' | 'cap' | 'stdin';

/** Something that happened to a capture while it ran, to be told to whoever watches. */
export interface LiveNotice {
  /** interface-gone, interface-back, interface-new, interfaces-changed, link-down, link-up, link-type-changed, … */
  readonly code: string;
  /** One sentence without a full stop, as for an error line. */
  readonly text: string;
}

/** What the kernel and the driver have counted since the capture began. Never goes back. */
export interface LiveCounters {
  /** Packets that passed the filter, dropped ones included; null: the driver cannot tell. */
  received: number | null;
  /** Packets that the kernel dropped because the ring was full; null: the driver cannot tell. */
  dropped: number | null;
  /** Times that the ring was full, so that the kernel stopped filling it; null: the driver cannot tell. */
  freezes: number | null;
  /** Outgoing copies on the loopback interface, which it also delivers as incoming ones: left out by the driver. */
  loopbackCopies: number;
  /** Bytes of the ring that hold packets not taken yet, and of the whole ring. 0 without a ring. */
  ringUsedBytes: number;
  ringBytes: number;
}

/** Of a driver that can tell nothing, or of which nothing is known yet. */
export function unknownCounters(): LiveCounters {
  return {
    received: null,
    dropped: null,
    freezes: null,
    loopbackCopies: 0,
    ringUsedBytes: 0,
    ringBytes: 0,
  };
}

/**
 * Packets as they happen. As a PacketSource, and: `more` resolves at least every `tickMs` (see LiveOptions), also
 * when no packet has come, so that whoever shows something can show it; between packets it lets the event loop turn.
 * `facts` has one entry whose `interfaces` grow when packets of a further interface come; its `received` and
 * `dropped` are brought up to date by `more`.
 */
export interface LiveSource extends PacketSource {
  readonly driver: LiveDriver;
  /** What the user loses with this driver, a sentence each; empty for afpacket. */
  readonly shortcomings: readonly string[];
  readonly counters: LiveCounters;
  /** The time that it is now by the packets' clock, ns since the run's epoch; null before the first packet. */
  readonly nowNs: number | null;
  readonly stopped: boolean;
  /**
   * Ends the capture: packets that the kernel has taken already still come, then `more` resolves to false. May be
   * called at any time, also while `more` waits.
   */
  stop(): void;
}
