import { Assembler, type Label } from './assembler.ts';
import { ANCILLARY, type BpfInstruction, KERNEL_INSTRUCTIONS, OP } from './bpf.ts';

/** How the packets of a socket begin; see LiveFilter.kernelProgram. */
export type SocketLink = 'ethernet' | 'cooked';

/**
 * A whole program for a socket: packets of other interfaces than `interfaceIndexes` (null: any interface) are
 * rejected, what `body` accepts is cut to `snaplen` bytes. `body` adds instructions that end in a jump to one of the
 * labels on every way; false: it cannot.
 *
 * @returns null when there is no such program, or when it is longer than a socket takes
 */
export function socketProgram(
  interfaceIndexes: readonly number[] | null,
  snaplen: number,
  body: (into: Assembler, labels: { accept: Label; reject: Label }) => boolean,
): readonly BpfInstruction[] | null {
  const into = new Assembler();
  const accept = Symbol('accept');
  const reject = Symbol('reject');
  if (interfaceIndexes !== null) {
    const wanted = Symbol('wanted interface');
    into.add(OP.ldWord, ANCILLARY.interfaceIndex);
    into.branchIfAny(interfaceIndexes, wanted);
    into.jump(reject).label(wanted);
  }
  if (!body(into, { accept, reject })) return null;
  into.label(accept).add(OP.ret, snaplen).label(reject).add(OP.ret, 0);
  const program = into.program();
  return program.length > KERNEL_INSTRUCTIONS ? null : program;
}

/** Every packet, cut to `snaplen` bytes. */
export function snaplenProgram(snaplen: number): readonly BpfInstruction[] {
  return interfaceProgram(null, snaplen);
}

/**
 * Every packet of these interfaces (null: of all), cut to `snaplen` bytes.
 *
 * @throws Error for more interfaces than a program has room for: some four thousand
 */
export function interfaceProgram(
  interfaceIndexes: readonly number[] | null,
  snaplen: number,
): readonly BpfInstruction[] {
  const program = socketProgram(interfaceIndexes, snaplen, (into, { accept }) => {
    into.jump(accept);
    return true;
  });
  if (program === null) throw new Error(`${interfaceIndexes?.length} interfaces are too many for a filter`);
  return program;
}
