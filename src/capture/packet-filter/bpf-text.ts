import { ALU, ANCILLARY, type BpfInstruction, CLASS, JUMP, MISC, MODE, SIZE, SOURCE } from './bpf.ts';

const ANCILLARY_NAMES: ReadonlyMap<number, string> = new Map([
  [ANCILLARY.protocol, 'proto'],
  [ANCILLARY.packetType, 'type'],
  [ANCILLARY.interfaceIndex, 'ifidx'],
  [ANCILLARY.hardwareType, 'hatype'],
  [ANCILLARY.vlanTag, 'vlan_tci'],
  [ANCILLARY.vlanTagPresent, 'vlanp'],
  [ANCILLARY.vlanTpid, 'vlan_tpid'],
]);
const LOADS: Readonly<Record<number, string>> = { [SIZE.w]: 'ld', [SIZE.h]: 'ldh', [SIZE.b]: 'ldb' };
const ALU_NAMES: Readonly<Record<number, string>> = {
  [ALU.add]: 'add', [ALU.sub]: 'sub', [ALU.mul]: 'mul', [ALU.div]: 'div', [ALU.or]: 'or', [ALU.and]: 'and',
  [ALU.lsh]: 'lsh', [ALU.rsh]: 'rsh', [ALU.mod]: 'mod', [ALU.xor]: 'xor',
}; // biome-ignore format: one table
const JUMP_NAMES: Readonly<Record<number, string>> = {
  [JUMP.jeq]: 'jeq', [JUMP.jgt]: 'jgt', [JUMP.jge]: 'jge', [JUMP.jset]: 'jset',
}; // biome-ignore format: one table

/** The program as `tcpdump -d` prints it; loads of ancillary data with the names of bpf_asm. For people. */
export function disassemble(program: readonly BpfInstruction[]): string {
  return program
    .map((one, at) => `(${String(at).padStart(3, '0')}) ${instructionText(one, at)}`.trimEnd())
    .join('\n');
}

function instructionText({ code, jt, jf, k }: BpfInstruction, at: number): string {
  const [name, operand] = words(code, k, at);
  const text = `${name.padEnd(8)} ${operand}`;
  const isConditional = (code & 7) === CLASS.jmp && (code & 0xf0) !== JUMP.ja;
  return isConditional ? `${text.padEnd(25)} jt ${at + 1 + jt}\tjf ${at + 1 + jf}` : text;
}

function hex(value: number): string {
  return `#0x${value.toString(16)}`;
}

function words(code: number, k: number, at: number): readonly [name: string, operand: string] {
  const operand = (code & SOURCE.x) !== 0 ? 'x' : hex(k);
  switch (code & 7) {
    case CLASS.ld:
      return [LOADS[code & 0x18] ?? '?', loadText(code, k)];
    case CLASS.ldx:
      return (code & 0xe0) === MODE.msh ? ['ldxb', `4*([${k}]&0xf)`] : ['ldx', loadText(code, k)];
    case CLASS.st:
      return ['st', `M[${k}]`];
    case CLASS.stx:
      return ['stx', `M[${k}]`];
    case CLASS.alu:
      if ((code & 0xf0) === ALU.neg) return ['neg', ''];
      return [ALU_NAMES[code & 0xf0] ?? '?', isShift(code) && (code & SOURCE.x) === 0 ? `#${k}` : operand];
    case CLASS.jmp:
      return (code & 0xf0) === JUMP.ja ? ['ja', `${at + 1 + k}`] : [JUMP_NAMES[code & 0xf0] ?? '?', operand];
    case CLASS.ret:
      return ['ret', (code & SOURCE.a) !== 0 ? 'a' : `#${k}`];
    default:
      return [(code & 0xf8) === MISC.tax ? 'tax' : 'txa', ''];
  }
}

function isShift(code: number): boolean {
  return (code & 0xf0) === ALU.lsh || (code & 0xf0) === ALU.rsh;
}

function loadText(code: number, k: number): string {
  switch (code & 0xe0) {
    case MODE.abs:
      return ANCILLARY_NAMES.get(k) ?? `[${k}]`;
    case MODE.ind:
      return `[x + ${k}]`;
    case MODE.mem:
      return `M[${k}]`;
    case MODE.len:
      return '#pktlen';
    default:
      return hex(k);
  }
}
