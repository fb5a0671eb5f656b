import { ALU, type BpfInstruction, CLASS, JUMP, MEMORY_SLOTS, MISC, MODE, SIZE, SOURCE } from './bpf.ts';

const KNOWN_CODES: ReadonlySet<number> = new Set([
  ...[SIZE.w, SIZE.h, SIZE.b].flatMap((size) => [CLASS.ld | size | MODE.abs, CLASS.ld | size | MODE.ind]),
  ...[MODE.imm, MODE.mem, MODE.len].flatMap((mode) => [CLASS.ld | mode, CLASS.ldx | mode]),
  CLASS.ldx | SIZE.b | MODE.msh,
  CLASS.st,
  CLASS.stx,
  ...Object.values(ALU).flatMap((alu) =>
    alu === ALU.neg ? [CLASS.alu | alu] : [CLASS.alu | alu | SOURCE.k, CLASS.alu | alu | SOURCE.x],
  ),
  CLASS.jmp | JUMP.ja,
  ...[JUMP.jeq, JUMP.jgt, JUMP.jge, JUMP.jset].flatMap((jump) => [
    CLASS.jmp | jump | SOURCE.k,
    CLASS.jmp | jump | SOURCE.x,
  ]),
  CLASS.ret | SOURCE.k,
  CLASS.ret | SOURCE.a,
  CLASS.misc | MISC.tax,
  CLASS.misc | MISC.txa,
]);

const JA = CLASS.jmp | JUMP.ja;

/**
 * What is wrong with a program, in words with the number of the instruction; null: nothing. The rules are those of
 * the kernel (net/core/filter.c, bpf_check_classic): opcodes are known, jumps go forward and stay inside, the last
 * instruction returns, memory is written before it is read on every way, nothing is divided by a constant 0 or
 * shifted by 32 and more. A program that passes ends, on every packet, after as many steps as it is long.
 */
export function programFault(program: readonly BpfInstruction[], maxInstructions: number): string | null {
  if (program.length === 0) return 'it has no instruction';
  if (program.length > maxInstructions)
    return `it has ${program.length} instructions, and ${maxInstructions} are allowed`;
  for (let at = 0; at < program.length; at += 1) {
    const fault = instructionFault(program[at], program.length - 1 - at);
    if (fault !== null) return `instruction ${at} ${fault}`;
  }
  if ((program[program.length - 1].code & 7) !== CLASS.ret) return 'its last instruction does not return';
  return memoryFault(program);
}

function isWithin(value: number, limit: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= limit;
}

/** `rest`: instructions behind this one. */
function instructionFault({ code, jt, jf, k }: BpfInstruction, rest: number): string | null {
  if (!KNOWN_CODES.has(code)) return 'has an unknown opcode';
  if (!isWithin(k, 0xffff_ffff) || !isWithin(jt, 255) || !isWithin(jf, 255))
    return 'has a field out of range';
  if (code === JA) return k < rest ? null : 'jumps out of the program';
  if ((code & 7) === CLASS.jmp) return jt < rest && jf < rest ? null : 'jumps out of the program';
  if (usesMemory(code)) return k < MEMORY_SLOTS ? null : 'names a memory slot that does not exist';
  if ((code & 7) !== CLASS.alu || (code & SOURCE.x) !== 0) return null;
  const operation = code & 0xf0;
  if ((operation === ALU.div || operation === ALU.mod) && k === 0) return 'divides by 0';
  if ((operation === ALU.lsh || operation === ALU.rsh) && k >= 32) return 'shifts by more than 31';
  return null;
}

function usesMemory(code: number): boolean {
  return isStore(code) || isMemoryLoad(code);
}

function isStore(code: number): boolean {
  return code === CLASS.st || code === CLASS.stx;
}

function isMemoryLoad(code: number): boolean {
  return code === (CLASS.ld | MODE.mem) || code === (CLASS.ldx | MODE.mem);
}

/** As check_load_and_stores: per instruction, the slots that are written on every way that leads to it. */
function memoryFault(program: readonly BpfInstruction[]): string | null {
  const written = new Uint16Array(program.length).fill(0xffff);
  let here = 0;
  for (let at = 0; at < program.length; at += 1) {
    here &= written[at];
    const { code, jt, jf, k } = program[at];
    if (isStore(code)) here |= 1 << k;
    else if (isMemoryLoad(code) && (here & (1 << k)) === 0)
      return `instruction ${at} reads memory that was not written`;
    else if (code === JA) {
      written[at + 1 + k] &= here;
      here = 0xffff;
    } else if ((code & 7) === CLASS.jmp) {
      written[at + 1 + jt] &= here;
      written[at + 1 + jf] &= here;
      here = 0xffff;
    } else if ((code & 7) === CLASS.ret) here = 0xffff;
  }
  return null;
}
