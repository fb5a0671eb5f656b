import type { BpfInstruction } from './bpf.ts';
import type { SocketLink } from './socket-program.ts';

/** A choice of packets, before anything is decoded. */
export interface LiveFilter {
  /** What the user asked for, as text. */
  readonly text: string;
  /** The tcpdump expression in it, for drivers that hand one to libpcap themselves; null: there is none. */
  readonly expression: string | null;
  /**
   * Program for a socket that delivers packets of this kind. `ethernet`: bytes begin with the Ethernet header, a VLAN
   * tag possibly taken off into the metadata; `cooked`: SOCK_DGRAM, bytes begin with the network header, the SLL2
   * header does not exist for the kernel. Only packets of `interfaceIndexes` (null: all); accepted ones are cut to
   * `snaplen` bytes, counted as the socket shows them. null: it cannot be said to the kernel, so that everything is to
   * be taken and `accepts` decides.
   *
   * @throws UserError when it cannot be asked of such packets
   */
  kernelProgram(
    link: SocketLink,
    interfaceIndexes: readonly number[] | null,
    snaplen: number,
  ): readonly BpfInstruction[] | null;
  /**
   * The same test on a packet as it is recorded (link type 1, 276, 113, 101, …): bytes [start, end) of `bytes`.
   *
   * @throws UserError when it cannot be asked of packets of this link type
   */
  accepts(bytes: Uint8Array, start: number, end: number, originalBytes: number, linkType: number): boolean;
}
