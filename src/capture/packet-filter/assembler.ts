import { type BpfInstruction, CLASS, instruction, JUMP, OP, SOURCE } from './bpf.ts';

/** A place in a program, still to be put somewhere. */
export type Label = symbol;

type Item =
  | { readonly kind: 'label'; readonly label: Label }
  | { readonly kind: 'plain'; readonly code: number; readonly k: number }
  | {
      readonly kind: 'branch';
      readonly code: number;
      readonly k: number;
      /** null: go on with what follows. */
      readonly yes: Label | null;
      readonly no: Label | null;
    };

const LONGEST_BRANCH = 255;
/** So many comparisons reach a jump behind them. */
const VALUES_TOGETHER = 250;

/**
 * Puts a filter program together, with labels in the place of distances. Labels stand behind the jumps to them, as
 * BPF knows only jumps forward. A conditional jump reaches 255 instructions; those that must go further are written
 * as one over an unconditional jump, which reaches any.
 */
export class Assembler {
  readonly #items: Item[] = [];

  add(code: number, k = 0): this {
    this.#items.push({ kind: 'plain', code, k });
    return this;
  }

  /** A conditional jump: to `yes` when A compares to `k` (or X) as `code` says, else to `no`. */
  branch(code: number, k: number, yes: Label | null, no: Label | null = null): this {
    this.#items.push({ kind: 'branch', code, k, yes, no });
    return this;
  }

  /** Jumps to `yes` when A is one of the values, which may be many. */
  branchIfAny(values: readonly number[], yes: Label): this {
    for (let at = 0; at < values.length; at += VALUES_TOGETHER) {
      const [hit, next] = [Symbol('one of them'), Symbol('next values')];
      for (const value of values.slice(at, at + VALUES_TOGETHER)) this.branch(OP.jeq, value, hit);
      this.jump(next).label(hit).jump(yes).label(next);
    }
    return this;
  }

  jump(to: Label): this {
    return this.branch(OP.ja, 0, to);
  }

  label(label: Label): this {
    this.#items.push({ kind: 'label', label });
    return this;
  }

  /** @throws Error when a label is missing or stands before a jump to it */
  program(): BpfInstruction[] {
    // Lengths only grow from round to round, so that this ends.
    const long = new Set<Item>();
    for (;;) {
      const places = this.#places(long);
      const tooFar = this.#items.filter(
        (item, at) => !long.has(item) && isTooFar(item, places.at[at], places),
      );
      if (tooFar.length === 0) return this.#encoded(long, places);
      for (const item of tooFar) long.add(item);
    }
  }

  #places(long: ReadonlySet<Item>): Places {
    const at: number[] = [];
    const labels = new Map<Label, number>();
    let next = 0;
    for (const item of this.#items) {
      at.push(next);
      if (item.kind === 'label') labels.set(item.label, next);
      else next += long.has(item) ? 3 : 1;
    }
    return { at, labels };
  }

  #encoded(long: ReadonlySet<Item>, places: Places): BpfInstruction[] {
    const program: BpfInstruction[] = [];
    this.#items.forEach((item, index) => {
      const at = places.at[index];
      if (item.kind === 'plain') program.push(instruction(item.code, item.k));
      if (item.kind !== 'branch') return;
      const width = long.has(item) ? 3 : 1;
      const yes = item.yes === null ? at + width : placeOf(item.yes, places);
      const no = item.no === null ? at + width : placeOf(item.no, places);
      if (yes < at + width || no < at + width) throw new Error('a filter cannot jump backwards');
      if (item.code === OP.ja) program.push(instruction(OP.ja, yes - at - 1));
      else if (width === 1) program.push(instruction(item.code, item.k, yes - at - 1, no - at - 1));
      else {
        program.push(instruction(item.code, item.k, 0, 1));
        program.push(instruction(OP.ja, yes - at - 2), instruction(OP.ja, no - at - 3));
      }
    });
    return program;
  }
}

interface Places {
  /** Where each item stands. */
  readonly at: readonly number[];
  readonly labels: ReadonlyMap<Label, number>;
}

function placeOf(label: Label, { labels }: Places): number {
  const place = labels.get(label);
  if (place === undefined) throw new Error(`filter label ${String(label.description)} is nowhere`);
  return place;
}

function isTooFar(item: Item, at: number, places: Places): boolean {
  if (item.kind !== 'branch' || item.code === OP.ja) return false;
  return [item.yes, item.no].some(
    (label) => label !== null && placeOf(label, places) - at - 1 > LONGEST_BRANCH,
  );
}

/** What an instruction of a program becomes in another one; false: it cannot be said there. */
export type Rewrite = (one: BpfInstruction, into: Assembler) => boolean;

/**
 * Writes a checked program into another one. Where it accepts a packet the result goes to `accept`, where it rejects
 * to `reject`. False: `rewrite` knew no way, and what was added so far is to be thrown away.
 */
export function embed(
  program: readonly BpfInstruction[],
  into: Assembler,
  { accept, reject, rewrite }: { accept: Label; reject: Label; rewrite?: Rewrite },
): boolean {
  const labels = program.map((_, at) => Symbol(`instruction ${at}`));
  for (let at = 0; at < program.length; at += 1) {
    const one = program[at];
    into.label(labels[at]);
    switch (one.code & 7) {
      case CLASS.jmp: {
        const isAlways = (one.code & 0xf0) === JUMP.ja;
        if (isAlways) into.jump(labels[at + 1 + one.k]);
        else into.branch(one.code, one.k, labels[at + 1 + one.jt], labels[at + 1 + one.jf]);
        break;
      }
      case CLASS.ret:
        if ((one.code & SOURCE.a) !== 0) into.branch(OP.jeq, 0, reject, accept);
        else into.jump(one.k === 0 ? reject : accept);
        break;
      default:
        if (rewrite === undefined) into.add(one.code, one.k);
        else if (!rewrite(one, into)) return false;
    }
  }
  return true;
}
