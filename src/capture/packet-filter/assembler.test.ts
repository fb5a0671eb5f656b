import { describe, expect, it } from 'vitest';
import { Assembler, embed } from './assembler.ts';
import { ANCILLARY, encodeProgram, instruction, OP } from './bpf.ts';
import { programFault } from './bpf-check.ts';
import { interpreterOf } from './bpf-interpreter.ts';
import { disassemble } from './bpf-text.ts';
import { interfaceProgram, snaplenProgram, socketProgram } from './socket-program.ts';

describe('putting programs together', () => {
  it('writes jumps that a conditional jump cannot reach as long ones', () => {
    const into = new Assembler();
    const [far, near] = [Symbol('far'), Symbol('near')];
    into.add(OP.ldByte, 0).branch(OP.jeq, 7, far, near).label(near);
    for (let count = 0; count < 1000; count += 1) into.add(OP.add, 1);
    into.add(OP.retA).label(far).add(OP.ret, 77);
    const program = into.program();
    expect(programFault(program, 4096)).toBeNull();
    const test = interpreterOf(program);
    expect(test(Uint8Array.of(7), 0, 1, 1)).toBe(77);
    expect(test(Uint8Array.of(8), 0, 1, 1)).toBe(1008);
  });

  it('finds a port among a thousand of them', () => {
    const ports = Array.from({ length: 1000 }, (_, at) => at * 3);
    const into = new Assembler();
    const found = Symbol('found');
    into.add(OP.ldHalf, 0);
    const program = into.branchIfAny(ports, found).add(OP.ret, 0).label(found).add(OP.ret, 1).program();
    const test = interpreterOf(program);
    for (const port of [0, 3, 1500, 2997, 2998, 1])
      expect(test(Uint8Array.of(port >>> 8, port & 0xff), 0, 2, 2)).toBe(ports.includes(port) ? 1 : 0);
  });

  it('refuses to jump backwards and to what is nowhere', () => {
    const label = Symbol('here');
    expect(() => new Assembler().label(label).add(OP.ldLen).jump(label).program()).toThrow('backwards');
    expect(() => new Assembler().jump(Symbol('lost')).program()).toThrow('lost');
  });

  it('takes over a program, also one that returns its accumulator', () => {
    const inner = [
      instruction(OP.ldByte, 0),
      instruction(OP.jeq, 9, 0, 1),
      instruction(OP.ret, 0),
      instruction(OP.retA),
    ];
    const program = socketProgram(null, 96, (into, labels) => embed(inner, into, labels));
    const test = interpreterOf(program ?? []);
    expect([9, 0, 1].map((byte) => test(Uint8Array.of(byte), 0, 1, 1))).toEqual([0, 0, 96]);
  });
});

describe('programs for sockets', () => {
  it('cut packets to the snaplen', () => {
    expect(interpreterOf(snaplenProgram(128))(new Uint8Array(0), 0, 0, 0)).toBe(128);
  });

  it('look at the interface first', () => {
    expect(disassemble(interfaceProgram([2, 70_000], 64)).split('\n')).toEqual([
      '(000) ld       ifidx',
      '(001) jeq      #0x2             jt 4\tjf 2',
      '(002) jeq      #0x11170         jt 4\tjf 3',
      '(003) ja       5',
      '(004) ja       6',
      '(005) ja       8',
      '(006) ja       7',
      '(007) ret      #64',
      '(008) ret      #0',
    ]);
  });

  it('have room for four thousand interfaces, and no more than the kernel takes', () => {
    const many = Array.from({ length: 4000 }, (_, at) => at + 1);
    const program = interfaceProgram(many, 64);
    expect(program.length).toBeLessThanOrEqual(4096);
    expect(programFault(program, 4096)).toBeNull();
    expect(() =>
      interfaceProgram(
        Array.from({ length: 5000 }, (_, at) => at),
        64,
      ),
    ).toThrow('too many');
  });

  it('are written as the kernel reads them', () => {
    const [first] = [instruction(OP.jeq, 0x11223344, 5, 6)];
    const view = new DataView(encodeProgram([first]).buffer);
    const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
    expect([
      view.getUint16(0, little),
      view.getUint8(2),
      view.getUint8(3),
      view.getUint32(4, little),
    ]).toEqual([0x15, 5, 6, 0x11223344]);
    expect(ANCILLARY.vlanTpid).toBe(0xfffff000 + 60);
  });
});
