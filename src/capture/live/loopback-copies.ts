import { ANCILLARY, type BpfInstruction, instruction, OP } from '../packet-filter/bpf.ts';
import { HARDWARE_TYPE } from './interface-probe.ts';
import { PACKET_OUTGOING } from './tpacket.ts';

/**
 * To stand in front of any program: what the loopback interface sends is left out. It comes again, as received, so
 * that half of the ring would be taken by copies.
 */
const WITHOUT_LOOPBACK_COPIES: readonly BpfInstruction[] = [
  instruction(OP.ldWord, ANCILLARY.hardwareType),
  instruction(OP.jeq, HARDWARE_TYPE.loopback, 0, 3),
  instruction(OP.ldWord, ANCILLARY.packetType),
  instruction(OP.jeq, PACKET_OUTGOING, 0, 1),
  instruction(OP.ret, 0),
  // Programs may rely on an accumulator of 0.
  instruction(OP.ldImm, 0),
];

export function withoutLoopbackCopies(program: readonly BpfInstruction[]): readonly BpfInstruction[] {
  return [...WITHOUT_LOOPBACK_COPIES, ...program];
}
