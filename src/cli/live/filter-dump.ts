import { EXIT, UserError } from '../../model/errors.ts';
import type { LiveFlags } from './live-flags.ts';
import { SNAPLEN } from './live-flags.ts';
import { compiledFilter } from './source.ts';

/** Interfaces of these kinds give Ethernet frames; all others, and several at once, cooked packets. */
const ETHERNET_KINDS: ReadonlySet<string> = new Set(['Ethernet', 'loopback']);

/**
 * The program that the kernel would run for the packet filter, as `tcpdump -d` prints it. Interface indexes are left
 * out, for they are known only when the capture begins.
 *
 * @throws UserError when there is no filter, it cannot be compiled, or the kernel cannot run it
 */
export async function filterDump(expression: readonly string[], flags: LiveFlags): Promise<string> {
  const [filter, { disassemble }, { listInterfaces }] = await Promise.all([
    compiledFilter(expression, flags),
    import('../../capture/packet-filter/bpf-text.ts'),
    import('../../capture/live/interfaces.ts'),
  ]);
  if (filter === null) {
    throw new UserError('usage', '-d prints the packet filter, and there is none', {
      hint: 'give an expression, --port, --host or --net',
      exitCode: EXIT.usage,
    });
  }
  const names = flags.interface ?? ['any'];
  const kind = names.length === 1 ? listInterfaces().find(({ name }) => name === names[0])?.kind : undefined;
  const link = kind !== undefined && ETHERNET_KINDS.has(kind) ? 'ethernet' : 'cooked';
  const program = filter.kernelProgram(link, null, flags.snaplen ?? SNAPLEN);
  if (program === null) {
    throw new UserError('no-kernel-filter', 'the kernel cannot run this filter on such an interface', {
      hint: 'it can be captured with: Wirelens then looks at each packet itself',
    });
  }
  return `${disassemble(program)}\n`;
}
