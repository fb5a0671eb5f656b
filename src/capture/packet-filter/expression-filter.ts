import { EXIT, UserError } from '../../model/errors.ts';
import { LINK_TYPE } from '../../model/link-types.ts';
import { Assembler, embed, type Label } from './assembler.ts';
import { ANCILLARY, type BpfInstruction, CLASS, instruction, isAncillary, MODE, OP } from './bpf.ts';
import { testOf } from './bpf-function.ts';
import type { PacketTest } from './bpf-interpreter.ts';
import type { FilterPart } from './filter-part.ts';
import {
  ETHERNET_TAG_OFF,
  ETHERNET_TO_SLL,
  ETHERNET_TO_SLL2,
  type Layout,
  moveLoads,
  SLL_TO_SLL2,
  SLL2_TO_COOKED,
  SLL2_TO_COOKED_TAG_OFF,
} from './kernel-offsets.ts';
import type { ExpressionCompiler } from './libpcap.ts';
import type { SocketLink } from './socket-program.ts';
import { looksAtTags } from './vlan-tags.ts';

/** Bytes of an expression. */
const EXPRESSION_BYTES = 64 * 1024;
/** Link types that an expression is tried on at first: some primitives exist only on one of them. */
const TRIED_LINK_TYPES = [
  LINK_TYPE.ethernet,
  LINK_TYPE.linuxSll2,
  LINK_TYPE.raw,
  LINK_TYPE.ieee80211,
  LINK_TYPE.ppp,
  LINK_TYPE.mpls,
  LINK_TYPE.pflog,
];
const NOTHING: readonly BpfInstruction[] = [instruction(OP.ret, 0)];
/** Bytes of the address family in front of LINKTYPE_NULL and LINKTYPE_LOOP. */
const FAMILY_BYTES = 4;

/**
 * A tcpdump expression. A program is compiled for each link type when the first packet of it comes.
 *
 * @throws UserError when libpcap understands it on no link type
 */
export function expressionFilter(expression: string, compiler: ExpressionCompiler): FilterPart {
  checkText(expression);
  const programs = new LinkPrograms(expression, compiler);
  programs.check();
  return {
    testFor: (linkType) => programs.testFor(linkType),
    embedFor: (link, into, labels) => embedFor(link, programs, into, labels),
  };
}

function checkText(expression: string): void {
  if (expression.includes('\0')) throw wrong(expression, 'it has a NUL in it');
  if (Buffer.byteLength(expression) > EXPRESSION_BYTES)
    throw wrong('', `it has more than ${EXPRESSION_BYTES} bytes`);
}

function wrong(expression: string, text: string): UserError {
  const quoted = expression === '' ? 'the expression' : `the expression '${expression}'`;
  return new UserError('packet-filter', `${quoted} cannot be used: ${text}`, {
    hint: "write it as for tcpdump (man pcap-filter), such as 'tcp port 80 and host 10.0.0.1'",
    exitCode: EXIT.usage,
  });
}

class LinkPrograms {
  readonly #expression: string;
  readonly #compiler: ExpressionCompiler;
  readonly #programs = new Map<number, readonly BpfInstruction[]>();

  constructor(expression: string, compiler: ExpressionCompiler) {
    this.#expression = expression;
    this.#compiler = compiler;
  }

  /** Throws what is wrong on Ethernet unless another link type takes it. */
  check(): void {
    const [first, ...others] = TRIED_LINK_TYPES.map((linkType) => this.#compiled(linkType));
    if (first === NOTHING) throw wrong(this.#expression, 'no packet can match it');
    if (typeof first !== 'string') return;
    if (others.some((program) => typeof program !== 'string' && program !== NOTHING)) return;
    throw wrong(this.#expression, first);
  }

  /** The program for packets as they are recorded. */
  programFor(linkType: number): readonly BpfInstruction[] {
    let program = this.#programs.get(linkType);
    if (program === undefined) {
      const compiled = this.#compiled(linkType);
      if (typeof compiled === 'string')
        throw wrong(this.#expression, `${compiled} (packets of link type ${linkType})`);
      program = compiled;
      this.#programs.set(linkType, program);
    }
    return program;
  }

  testFor(linkType: number): PacketTest {
    // The address family differs by system, and libpcap compiles for the one that it runs on: the packet behind it
    // is looked at.
    if (linkType === LINK_TYPE.null || linkType === LINK_TYPE.loop) {
      const test = this.testFor(LINK_TYPE.raw);
      return (bytes, start, end, originalBytes) => test(bytes, start + FAMILY_BYTES, end, originalBytes);
    }
    const program = this.programFor(linkType);
    if (program.some(({ code, k }) => (code & 0xe7) === (CLASS.ld | MODE.abs) && isAncillary(k)))
      throw wrong(this.#expression, `recorded packets of link type ${linkType} do not tell what it asks for`);
    return testOf(program);
  }

  /** A text says what is wrong. */
  #compiled(linkType: number): readonly BpfInstruction[] | string {
    const result = this.#compiler.compile(this.#expression, linkType);
    switch (result.kind) {
      case 'program':
        return result.program;
      case 'nothing':
        return NOTHING;
      case 'unknown-link-type':
        // libpcap before 1.10 does not know SLL2; packets that nobody understands are not asked for.
        return linkType === LINK_TYPE.linuxSll2
          ? this.#through(LINK_TYPE.linuxSll, SLL_TO_SLL2, NOTHING)
          : NOTHING;
      default:
        break;
    }
    // libpcap looks for tags and labels only in Ethernet; cooked packets have them at the same place.
    if (!/^no (VLAN|MPLS) support/.test(result.text)) return result.text;
    if (linkType === LINK_TYPE.linuxSll2)
      return this.#through(LINK_TYPE.ethernet, ETHERNET_TO_SLL2, result.text);
    if (linkType === LINK_TYPE.linuxSll)
      return this.#through(LINK_TYPE.ethernet, ETHERNET_TO_SLL, result.text);
    return result.text;
  }

  /** The program of another link type for this one; `otherwise` where that is not possible. */
  #through(
    linkType: number,
    layout: Layout,
    otherwise: readonly BpfInstruction[] | string,
  ): readonly BpfInstruction[] | string {
    const compiled = this.#compiled(linkType);
    if (typeof compiled === 'string') return compiled;
    const into = new Assembler();
    const accept = Symbol('accept');
    const reject = Symbol('reject');
    if (!embed(compiled, into, { accept, reject, rewrite: moveLoads(layout, compiled) })) return otherwise;
    return into.label(accept).add(OP.ret, 0x40000).label(reject).add(OP.ret, 0).program();
  }
}

/** What a socket must know to run a program that was compiled for recorded packets. */
const SOCKETS: Readonly<
  Record<SocketLink, { linkType: number; etherTypeOffset: number; layout: Layout | null; tagOff: Layout }>
> = {
  ethernet: {
    linkType: LINK_TYPE.ethernet,
    etherTypeOffset: 12,
    layout: null,
    tagOff: ETHERNET_TAG_OFF,
  },
  cooked: {
    linkType: LINK_TYPE.linuxSll2,
    etherTypeOffset: 0,
    layout: SLL2_TO_COOKED,
    tagOff: SLL2_TO_COOKED_TAG_OFF,
  },
};

/**
 * A program that looks at tags is there twice: for packets that the kernel took the tag off, and for the others.
 * One that does not gets what the kernel shows, as in tcpdump: the packet without the tag.
 */
function embedFor(
  link: SocketLink,
  programs: LinkPrograms,
  into: Assembler,
  { accept, reject }: { accept: Label; reject: Label },
): boolean {
  const { linkType, etherTypeOffset, layout, tagOff } = SOCKETS[link];
  const program = programs.programFor(linkType);
  const plain = layout === null ? {} : { rewrite: moveLoads(layout, program) };
  if (!looksAtTags(program, etherTypeOffset)) return embed(program, into, { accept, reject, ...plain });
  const tagged = Symbol('tag taken off');
  into.add(OP.ldWord, ANCILLARY.vlanTagPresent).branch(OP.jeq, 0, null, tagged);
  return (
    embed(program, into, { accept, reject, ...plain }) &&
    embed(program, into.label(tagged), { accept, reject, rewrite: moveLoads(tagOff, program) })
  );
}
