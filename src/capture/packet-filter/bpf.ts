/**
 * Classic BPF: the instructions that a packet socket takes as its filter and that libpcap compiles to
 * (linux/filter.h, linux/bpf_common.h; S. McCanne, V. Jacobson: The BSD Packet Filter, 1993).
 */

/** The kernel's struct sock_filter. */
export interface BpfInstruction {
  readonly code: number;
  /** Instructions skipped when the condition holds, and when it does not. 0 to 255. */
  readonly jt: number;
  readonly jf: number;
  /** Constant, offset, memory slot or, in BPF_JA, instructions skipped. 0 to 2^32 - 1. */
  readonly k: number;
}

export const CLASS = { ld: 0, ldx: 1, st: 2, stx: 3, alu: 4, jmp: 5, ret: 6, misc: 7 } as const;
export const SIZE = { w: 0x00, h: 0x08, b: 0x10 } as const;
export const MODE = { imm: 0x00, abs: 0x20, ind: 0x40, mem: 0x60, len: 0x80, msh: 0xa0 } as const;
export const ALU = {
  add: 0x00, sub: 0x10, mul: 0x20, div: 0x30, or: 0x40, and: 0x50,
  lsh: 0x60, rsh: 0x70, neg: 0x80, mod: 0x90, xor: 0xa0,
} as const; // biome-ignore format: one table
export const JUMP = { ja: 0x00, jeq: 0x10, jgt: 0x20, jge: 0x30, jset: 0x40 } as const;
/** Where the second operand of ALU and jump instructions comes from; `a`: RET returns the accumulator. */
export const SOURCE = { k: 0x00, x: 0x08, a: 0x10 } as const;
export const MISC = { tax: 0x00, txa: 0x80 } as const;

/** Opcodes by what they do. A: accumulator, X: index register, M[]: memory, P[]: packet. */
export const OP = {
  ldWord: CLASS.ld | SIZE.w | MODE.abs,
  ldHalf: CLASS.ld | SIZE.h | MODE.abs,
  ldByte: CLASS.ld | SIZE.b | MODE.abs,
  ldWordX: CLASS.ld | SIZE.w | MODE.ind,
  ldHalfX: CLASS.ld | SIZE.h | MODE.ind,
  ldByteX: CLASS.ld | SIZE.b | MODE.ind,
  ldImm: CLASS.ld | MODE.imm,
  ldMem: CLASS.ld | MODE.mem,
  ldLen: CLASS.ld | MODE.len,
  ldxImm: CLASS.ldx | MODE.imm,
  ldxMem: CLASS.ldx | MODE.mem,
  ldxLen: CLASS.ldx | MODE.len,
  /** X = 4 * (P[k] & 0x0f): the length of an IPv4 header. */
  ldxMsh: CLASS.ldx | SIZE.b | MODE.msh,
  st: CLASS.st,
  stx: CLASS.stx,
  add: CLASS.alu | ALU.add,
  addX: CLASS.alu | ALU.add | SOURCE.x,
  sub: CLASS.alu | ALU.sub,
  and: CLASS.alu | ALU.and,
  lsh: CLASS.alu | ALU.lsh,
  or: CLASS.alu | ALU.or,
  orX: CLASS.alu | ALU.or | SOURCE.x,
  rsh: CLASS.alu | ALU.rsh,
  ja: CLASS.jmp | JUMP.ja,
  jeq: CLASS.jmp | JUMP.jeq,
  jgt: CLASS.jmp | JUMP.jgt,
  jge: CLASS.jmp | JUMP.jge,
  jset: CLASS.jmp | JUMP.jset,
  ret: CLASS.ret | SOURCE.k,
  retA: CLASS.ret | SOURCE.a,
  tax: CLASS.misc | MISC.tax,
  txa: CLASS.misc | MISC.txa,
} as const;

/** Slots of M[]. */
export const MEMORY_SLOTS = 16;
/** BPF_MAXINSNS: what a socket takes at most. */
export const KERNEL_INSTRUCTIONS = 4096;

/**
 * Linux puts facts about a packet at offsets that no packet has (linux/filter.h, SKF_AD_*). Loads of them work only
 * in the kernel. `vlanTpid` needs Linux 4.1.
 */
const ANCILLARY_BASE = 0xffff_f000;
export const ANCILLARY = {
  /** EtherType, host order. */
  protocol: ANCILLARY_BASE,
  /** 0 to us, 1 broadcast, 2 multicast, 3 to another host, 4 sent by us. */
  packetType: ANCILLARY_BASE + 4,
  interfaceIndex: ANCILLARY_BASE + 8,
  hardwareType: ANCILLARY_BASE + 28,
  /** Tag control information that was taken off. */
  vlanTag: ANCILLARY_BASE + 44,
  /** 1 when a tag was taken off. */
  vlanTagPresent: ANCILLARY_BASE + 48,
  /** The EtherType of that tag. */
  vlanTpid: ANCILLARY_BASE + 60,
} as const;

/** True for an absolute offset that stands for a fact of the kernel. */
export function isAncillary(offset: number): boolean {
  return offset >= ANCILLARY_BASE;
}

export function instruction(code: number, k = 0, jt = 0, jf = 0): BpfInstruction {
  return { code, jt, jf, k: k >>> 0 };
}

/** Bytes of one struct sock_filter. */
export const INSTRUCTION_BYTES = 8;

/** The program as an array of struct sock_filter in the byte order of this machine. A copy. */
export function encodeProgram(program: readonly BpfInstruction[]): Uint8Array {
  const bytes = new Uint8Array(program.length * INSTRUCTION_BYTES);
  const halves = new Uint16Array(bytes.buffer);
  const words = new Uint32Array(bytes.buffer);
  program.forEach(({ code, jt, jf, k }, index) => {
    halves[index * 4] = code;
    bytes[index * INSTRUCTION_BYTES + 2] = jt;
    bytes[index * INSTRUCTION_BYTES + 3] = jf;
    words[index * 2 + 1] = k;
  });
  return bytes;
}
