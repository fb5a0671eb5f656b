import type { BpfInstruction } from './bpf.ts';
import { CLASS, JUMP, OP } from './bpf.ts';

/** EtherTypes of VLAN tags that libpcap's `vlan` looks for (IEEE 802.1Q §9.5, and an old one for QinQ). */
export const VLAN_ETHER_TYPES: readonly number[] = [0x8100, 0x88a8, 0x9100];

/**
 * True when the program compares the EtherType at `offset` with that of a VLAN tag: it means to look at tags. Other
 * programs get packets without the tag that the kernel took off, as tcpdump's do.
 */
export function looksAtTags(program: readonly BpfInstruction[], offset: number): boolean {
  return (
    program.some(({ code, k }) => code === OP.ldHalf && k === offset) &&
    program.some(({ code, k }) => code === (CLASS.jmp | JUMP.jeq) && VLAN_ETHER_TYPES.includes(k))
  );
}
