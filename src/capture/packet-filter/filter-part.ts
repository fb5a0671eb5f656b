import type { Assembler, Label } from './assembler.ts';
import type { PacketTest } from './bpf-interpreter.ts';
import type { SocketLink } from './socket-program.ts';

/** One condition on packets: an expression, or addresses and ports. A filter is several that must all hold. */
export interface FilterPart {
  /**
   * The test on packets as they are recorded.
   *
   * @throws UserError when the condition cannot be asked of packets of this link type
   */
  testFor(linkType: number): PacketTest;
  /**
   * Adds the test on packets as a socket shows them. Every way through it ends in one of the labels.
   *
   * @returns false when the socket does not show what is asked for; what was added is then to be thrown away
   */
  embedFor(link: SocketLink, into: Assembler, labels: { accept: Label; reject: Label }): boolean;
}
