import { UserError } from '../../model/errors.ts';
import type { BpfInstruction } from './bpf.ts';
import { programFault } from './bpf-check.ts';
import { PROGRAM_INSTRUCTIONS } from './bpf-function.ts';

/** What came of compiling an expression. */
export type Compilation =
  | { readonly kind: 'program'; readonly program: readonly BpfInstruction[] }
  /** No packet of this link type can match, as with `vlan and not vlan`. */
  | { readonly kind: 'nothing' }
  /** libpcap does not know the link type. */
  | { readonly kind: 'unknown-link-type' }
  /** What libpcap says is wrong. */
  | { readonly kind: 'fault'; readonly text: string };

/** Compiles tcpdump expressions; see pcap-filter(7). */
export interface ExpressionCompiler {
  /**
   * @param expression without NUL
   * @param linkType LINKTYPE_ number
   */
  compile(expression: string, linkType: number): Compilation;
}

/** Names of the library: the plain one of RPM systems, Alpine and others, Debian's, and macOS. */
const LIBRARY_NAMES = ['libpcap.so.1', 'libpcap.so.0.8', 'libpcap.A.dylib', '/usr/lib/libpcap.A.dylib'];
/** As tcpdump gives it; in a compiled program it is only the number that an accepted packet returns. */
const SNAPLEN = 262_144;
/** PCAP_NETMASK_UNKNOWN: `ip broadcast` is refused, as tcpdump refuses it for files. */
const NETMASK_UNKNOWN = 0xffff_ffff;
/** PCAP_ERRBUF_SIZE, and how much of a message is shown. */
const MESSAGE_BYTES = 256;

/** LINKTYPE_ numbers whose DLT_ number in libpcap is another one (pcap-common.c). Raw IP has had several. */
const DLT_OF: ReadonlyMap<number, number> = new Map([
  [12, 12],
  [14, 12],
  [101, 12],
]);

/** libpcap's functions, as far as they are used. Pointers are koffi's. */
interface Library {
  openDead(linkType: number, snaplen: number): unknown;
  compile(handle: unknown, program: object, expression: string, optimize: number, netmask: number): number;
  message(handle: unknown): string;
  freeCode(program: object): void;
  close(handle: unknown): void;
  /** `count` instructions at a pointer; a copy. */
  instructions(pointer: unknown, count: number): BpfInstruction[];
}

let library: Library | undefined;

/**
 * Loads libpcap, once for the process.
 *
 * @param names file names to try
 * @throws UserError when it is not installed
 */
export async function loadLibpcap(names: readonly string[] = LIBRARY_NAMES): Promise<ExpressionCompiler> {
  const known = names === LIBRARY_NAMES;
  const found = (known ? library : undefined) ?? (await bind(names));
  if (known) library = found;
  return new LibpcapCompiler(found);
}

async function bind(names: readonly string[]): Promise<Library> {
  const { default: koffi } = await import('koffi');
  for (const name of names) {
    try {
      return bindTo(koffi, koffi.load(name));
    } catch {
      // The next name.
    }
  }
  throw new UserError('libpcap-missing', 'an expression needs libpcap, which is not installed', {
    hint: 'install it (Debian and Ubuntu: apt-get install libpcap0.8, Alpine: apk add libpcap, RHEL and Fedora: dnf install libpcap), or use --port, --host and --net, which work without it',
  });
}

type Koffi = typeof import('koffi')['default'];

function bindTo(koffi: Koffi, loaded: ReturnType<Koffi['load']>): Library {
  // struct bpf_program: u_int bf_len; struct bpf_insn *bf_insns.
  const program = koffi.struct({ count: 'uint', instructions: 'void *' });
  const pointer = koffi.pointer(program);
  const insn = koffi.struct({ code: 'uint16', jt: 'uint8', jf: 'uint8', k: 'uint32' });
  const compile = loaded.func('pcap_compile', 'int', [
    'void *',
    koffi.inout(pointer),
    'str',
    'int',
    'uint32',
  ]);
  return {
    openDead: loaded.func('pcap_open_dead', 'void *', ['int', 'int']),
    compile,
    message: loaded.func('pcap_geterr', 'str', ['void *']),
    freeCode: loaded.func('pcap_freecode', 'void', [koffi.inout(pointer)]),
    close: loaded.func('pcap_close', 'void', ['void *']),
    instructions: (at, count) => koffi.decode(at, insn, count) as BpfInstruction[],
  };
}

class LibpcapCompiler implements ExpressionCompiler {
  readonly #library: Library;

  constructor(library: Library) {
    this.#library = library;
  }

  compile(expression: string, linkType: number): Compilation {
    const { openDead, compile, message, freeCode, close, instructions } = this.#library;
    const handle = openDead(DLT_OF.get(linkType) ?? linkType, SNAPLEN);
    if (handle === null) throw new Error('pcap_open_dead gave nothing');
    try {
      const code: { count: number; instructions: unknown } = { count: 0, instructions: null };
      if (compile(handle, code, expression, 1, NETMASK_UNKNOWN) !== 0) return failure(message(handle));
      try {
        return checked(
          code.count === 0 || code.count > PROGRAM_INSTRUCTIONS
            ? []
            : instructions(code.instructions, code.count),
        );
      } finally {
        freeCode(code);
      }
    } finally {
      close(handle);
    }
  }
}

function checked(program: readonly BpfInstruction[]): Compilation {
  const fault = programFault(program, PROGRAM_INSTRUCTIONS);
  return fault === null
    ? { kind: 'program', program }
    : { kind: 'fault', text: `it compiles to a program that cannot be used: ${fault}` };
}

function failure(message: string): Compilation {
  const text = message
    .slice(0, MESSAGE_BYTES)
    .replace(/^can't parse filter expression: /, '')
    .trim();
  if (/rejects all packets/.test(text)) return { kind: 'nothing' };
  if (/^unknown data link type/.test(text)) return { kind: 'unknown-link-type' };
  return { kind: 'fault', text };
}
