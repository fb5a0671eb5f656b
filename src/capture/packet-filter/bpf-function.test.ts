import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ALU, type BpfInstruction, CLASS, instruction, JUMP, MODE, OP, SIZE, SOURCE } from './bpf.ts';
import { programFault } from './bpf-check.ts';
import { compiled, testOf } from './bpf-function.ts';
import { interpreterOf } from './bpf-interpreter.ts';

const K = fc.oneof(
  fc.nat(40),
  fc.constantFrom(0xffff_ffff, 0x8000_0000, 0x7fff_ffff, 0xffff_f000, 0x0800, 0x86dd),
  fc.integer({ min: 0, max: 0xffff_ffff }),
);
const LOADS = [
  ...[SIZE.w, SIZE.h, SIZE.b].flatMap((size) => [CLASS.ld | size | MODE.abs, CLASS.ld | size | MODE.ind]),
  OP.ldImm, OP.ldMem, OP.ldLen, OP.ldxImm, OP.ldxMem, OP.ldxLen, OP.ldxMsh, OP.st, OP.stx, OP.tax, OP.txa,
]; // biome-ignore format: one list
const ALUS = Object.values(ALU).flatMap((alu) =>
  alu === ALU.neg ? [CLASS.alu | alu] : [CLASS.alu | alu, CLASS.alu | alu | SOURCE.x],
);
const JUMPS = [JUMP.jeq, JUMP.jgt, JUMP.jge, JUMP.jset].flatMap((jump) => [
  CLASS.jmp | jump,
  CLASS.jmp | jump | SOURCE.x,
]);
const CODE = fc.constantFrom(...LOADS, ...ALUS, ...JUMPS, ...JUMPS, OP.ja, OP.ret, OP.retA);

/** A program that is valid by construction: memory is written first, jumps are cut to what is left. */
const PROGRAM = fc
  .array(fc.tuple(CODE, K, fc.nat(255), fc.nat(255)), { minLength: 1, maxLength: 60 })
  .map((drafts) => {
    const prologue = [instruction(OP.ldImm, 7), ...[0, 1, 2, 3].map((slot) => instruction(OP.st, slot))];
    const body = drafts.map(([code, k, jt, jf], at): BpfInstruction => {
      const rest = drafts.length - at;
      const kind = code & 7;
      if (code === OP.ja) return instruction(code, k % rest);
      if (kind === CLASS.jmp) return instruction(code, k, jt % rest, jf % rest);
      const isMemory = [OP.st, OP.stx, OP.ldMem, OP.ldxMem].includes(code as never);
      if (isMemory) return instruction(code, k % 4);
      const operation = code & 0xf0;
      const constant = kind === CLASS.alu && (code & SOURCE.x) === 0;
      if (constant && (operation === ALU.lsh || operation === ALU.rsh)) return instruction(code, k % 32);
      if (constant && (operation === ALU.div || operation === ALU.mod)) return instruction(code, k || 1);
      return instruction(code, k);
    });
    return [...prologue, ...body, instruction(OP.retA)];
  });

describe('a filter program as a function', () => {
  it('gives what the interpreter gives, for every program and packet', () => {
    fc.assert(
      fc.property(
        PROGRAM,
        fc.uint8Array({ maxLength: 64 }),
        fc.nat(8),
        fc.nat(8),
        fc.nat(100_000),
        (program, packet, before, behind, originalBytes) => {
          expect(programFault(program, 4096)).toBeNull();
          const bytes = new Uint8Array(before + packet.length + behind).fill(0xee);
          bytes.set(packet, before);
          const fast = compiled(program);
          expect(fast).not.toBeNull();
          const place = [before, before + packet.length, originalBytes] as const;
          expect(fast?.(bytes, ...place)).toBe(interpreterOf(program)(bytes, ...place));
        },
      ),
      { numRuns: 2000 },
    );
  });

  const RETURN_A = instruction(OP.retA);
  const run = (program: BpfInstruction[], packet: number[] = [], originalBytes = packet.length) => {
    const bytes = Uint8Array.from([9, ...packet, 9]);
    const results = [compiled(program), interpreterOf(program)].map((test) =>
      test?.(bytes, 1, 1 + packet.length, originalBytes),
    );
    expect(results[0]).toBe(results[1]);
    return results[0];
  };

  // By the rules of bpf_filter(): computed by hand.
  it('computes without sign in 32 bits', () => {
    const alu = (code: number, a: number, k: number) =>
      run([instruction(OP.ldImm, a), instruction(code, k), RETURN_A]);
    expect(alu(OP.add, 0xffff_ffff, 2)).toBe(1);
    expect(alu(CLASS.alu | ALU.sub, 1, 2)).toBe(0xffff_ffff);
    expect(alu(CLASS.alu | ALU.mul, 0xffff_ffff, 0xffff_ffff)).toBe(1);
    expect(alu(CLASS.alu | ALU.div, 0xffff_fffe, 2)).toBe(0x7fff_ffff);
    expect(alu(CLASS.alu | ALU.mod, 0xffff_ffff, 16)).toBe(15);
    expect(alu(OP.rsh, 0x8000_0000, 31)).toBe(1);
    expect(alu(CLASS.alu | ALU.neg, 1, 0)).toBe(0xffff_ffff);
    const greater = (a: number, k: number) =>
      run([
        instruction(OP.ldImm, a),
        instruction(OP.jgt, k, 0, 1),
        instruction(OP.ret, 5),
        instruction(OP.ret, 0),
      ]);
    expect(greater(0x8000_0000, 1)).toBe(5);
    expect(greater(1, 0x8000_0000)).toBe(0);
  });

  it('rejects what divides by zero and what reads beyond the captured bytes', () => {
    const divide = [instruction(OP.ldImm, 8), instruction(CLASS.alu | ALU.div | SOURCE.x), RETURN_A];
    expect(run(divide)).toBe(0);
    const word = (k: number) => run([instruction(OP.ldWord, k), RETURN_A], [1, 2, 3, 4, 5]);
    expect(word(0)).toBe(0x01020304);
    expect(word(1)).toBe(0x02030405);
    expect(word(2)).toBe(0);
    expect(word(0xffff_ffff)).toBe(0);
    const indirect = [instruction(OP.ldxImm, 0xffff_ffff), instruction(OP.ldByteX, 2), RETURN_A];
    expect(run(indirect, [1, 2, 3])).toBe(0);
  });

  it('takes the length on the wire as the length', () => {
    expect(run([instruction(OP.ldLen), RETURN_A], [1, 2], 1500)).toBe(1500);
  });

  it('works where code may not be made from text', () => {
    const original = globalThis.Function;
    globalThis.Function = class {
      constructor() {
        throw new EvalError('Code generation from strings disallowed for this context');
      }
    } as never;
    try {
      const program = [instruction(OP.ldByte, 0), RETURN_A];
      expect(compiled(program)).toBeNull();
      expect(testOf(program)(Uint8Array.of(42), 0, 1, 1)).toBe(42);
    } finally {
      globalThis.Function = original;
    }
  });

  it('interprets a program with very many jumps', () => {
    const steps = Array.from({ length: 3000 }, (_, at) => instruction(OP.jeq, at, 1, 0));
    const program = [instruction(OP.ldByte, 0), ...steps, instruction(OP.ret, 1), instruction(OP.ret, 2)];
    expect(testOf(program)(Uint8Array.of(200), 0, 1, 1)).toBe(1);
  });
});

describe('the check of a program', () => {
  const ret = instruction(OP.ret, 1);
  const faultOf = (...program: BpfInstruction[]) => programFault(program, 100);

  it('names the instruction and what is wrong with it', () => {
    expect(faultOf()).toContain('no instruction');
    expect(faultOf(instruction(OP.ldByte))).toContain('does not return');
    expect(faultOf(instruction(0xff), ret)).toContain('instruction 0 has an unknown opcode');
    expect(faultOf(instruction(OP.jeq, 1, 0, 1), ret)).toContain('out of the program');
    expect(faultOf(instruction(OP.ja, 0xffff_ffff), ret)).toContain('out of the program');
    expect(faultOf(instruction(OP.ja, 1), ret)).toContain('out of the program');
    expect(faultOf(instruction(OP.st, 16), ret)).toContain('memory slot');
    expect(faultOf(instruction(OP.ldMem, 0), ret)).toContain('was not written');
    expect(faultOf(instruction(CLASS.alu | ALU.div, 0), ret)).toContain('divides by 0');
    expect(faultOf(instruction(OP.lsh, 32), ret)).toContain('shifts');
    expect(programFault(new Array(101).fill(ret), 100)).toContain('101 instructions');
    expect(faultOf(ret)).toBeNull();
  });

  it('wants memory to be written on every way to where it is read', () => {
    const read = [instruction(OP.ldMem, 3), instruction(OP.retA)];
    expect(faultOf(instruction(OP.jeq, 0, 0, 1), instruction(OP.st, 3), ...read)).toContain(
      'was not written',
    );
    expect(faultOf(instruction(OP.st, 3), instruction(OP.jeq, 0, 0, 0), ...read)).toBeNull();
  });
});
