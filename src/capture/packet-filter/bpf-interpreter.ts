import { ALU, type BpfInstruction, CLASS, JUMP, MEMORY_SLOTS, MISC, MODE, SIZE, SOURCE } from './bpf.ts';

/**
 * Runs a filter on a packet: bytes [start, end) of `bytes`, `originalBytes` on the wire. Bytes that it may take; 0: it
 * does not want the packet.
 */
export type PacketTest = (bytes: Uint8Array, start: number, end: number, originalBytes: number) => number;

/**
 * Carries out one instruction after the other. As bpf_filter() of libpcap does it: arithmetic is unsigned in 32 bits;
 * a load outside the captured bytes and a division by 0 reject the packet; shifts by 32 and more give 0; the length
 * is that on the wire. The plainest form of what bpf-function.ts does, and what it falls back on.
 *
 * @param program one that `programFault` finds nothing wrong with
 */
export function interpreterOf(program: readonly BpfInstruction[]): PacketTest {
  const size = program.length;
  const codes = Uint16Array.from(program, ({ code }) => code);
  const truths = Uint8Array.from(program, ({ jt }) => jt);
  const lies = Uint8Array.from(program, ({ jf }) => jf);
  const constants = Uint32Array.from(program, ({ k }) => k);
  const memory = new Uint32Array(MEMORY_SLOTS);
  return (bytes, start, end, originalBytes) => {
    let a = 0;
    let x = 0;
    for (let at = 0; at < size; at += 1) {
      const code = codes[at];
      const k = constants[at];
      switch (code & 7) {
        case CLASS.ld:
        case CLASS.ldx: {
          const value = loaded(code, k, x, memory, bytes, start, end, originalBytes);
          if (value < 0) return 0;
          if ((code & 7) === CLASS.ld) a = value;
          else x = value;
          break;
        }
        case CLASS.st:
          memory[k] = a;
          break;
        case CLASS.stx:
          memory[k] = x;
          break;
        case CLASS.alu:
          a = computed(code & 0xf0, a, (code & SOURCE.x) !== 0 ? x : k);
          if (a < 0) return 0;
          break;
        case CLASS.jmp:
          if ((code & 0xf0) === JUMP.ja) at += k;
          else at += holds(code & 0xf0, a, (code & SOURCE.x) !== 0 ? x : k) ? truths[at] : lies[at];
          break;
        case CLASS.ret:
          return (code & SOURCE.a) !== 0 ? a : k;
        default:
          if ((code & 0xf8) === MISC.tax) x = a;
          else a = x;
      }
    }
    return 0;
  };
}

/** The value that a load gives, or -1: it lies outside the packet. */
function loaded(
  code: number,
  k: number,
  x: number,
  memory: Uint32Array,
  bytes: Uint8Array,
  start: number,
  end: number,
  originalBytes: number,
): number {
  switch (code & 0xe0) {
    case MODE.imm:
      return k;
    case MODE.mem:
      return memory[k];
    case MODE.len:
      return originalBytes >>> 0;
    case MODE.msh:
      return start + k < end ? (bytes[start + k] & 0xf) << 2 : -1;
    default: {
      const at = start + k + ((code & 0xe0) === MODE.ind ? x : 0);
      switch (code & 0x18) {
        case SIZE.b:
          return at < end ? bytes[at] : -1;
        case SIZE.h:
          return at + 2 <= end ? (bytes[at] << 8) | bytes[at + 1] : -1;
        default:
          return at + 4 <= end
            ? ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0
            : -1;
      }
    }
  }
}

/** -1: a division by 0. */
function computed(operation: number, a: number, b: number): number {
  switch (operation) {
    case ALU.add:
      return (a + b) >>> 0;
    case ALU.sub:
      return (a - b) >>> 0;
    case ALU.mul:
      return Math.imul(a, b) >>> 0;
    case ALU.div:
      return b === 0 ? -1 : Math.floor(a / b);
    case ALU.mod:
      return b === 0 ? -1 : a % b;
    case ALU.or:
      return (a | b) >>> 0;
    case ALU.and:
      return (a & b) >>> 0;
    case ALU.xor:
      return (a ^ b) >>> 0;
    case ALU.lsh:
      return b < 32 ? (a << b) >>> 0 : 0;
    case ALU.rsh:
      return b < 32 ? a >>> b : 0;
    default:
      return -a >>> 0;
  }
}

function holds(condition: number, a: number, b: number): boolean {
  switch (condition) {
    case JUMP.jeq:
      return a === b;
    case JUMP.jgt:
      return a > b;
    case JUMP.jge:
      return a >= b;
    default:
      return (a & b) !== 0;
  }
}
