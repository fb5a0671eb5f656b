import { type AddressWishes, addressFilter } from './address-filter.ts';
import { parseHost, parseNet } from './addresses.ts';
import { type BpfInstruction, OP } from './bpf.ts';
import type { PacketTest } from './bpf-interpreter.ts';
import { expressionFilter } from './expression-filter.ts';
import type { FilterPart } from './filter-part.ts';
import { type ExpressionCompiler, loadLibpcap } from './libpcap.ts';
import type { LiveFilter } from './live-filter.ts';
import { type SocketLink, socketProgram } from './socket-program.ts';

export type { LiveFilter } from './live-filter.ts';

/** What the user gave; empty lists and null ask for nothing. */
export interface FilterWishes {
  /** A tcpdump expression. */
  readonly expression: string | null;
  readonly ports: readonly number[];
  /** IPv4 and IPv6 addresses. */
  readonly hosts: readonly string[];
  /** Networks in CIDR notation. */
  readonly nets: readonly string[];
}

/**
 * Makes a filter of an expression (which takes libpcap) and of ports, hosts and nets (which does not). Where both
 * are given both must hold. null: nothing is asked for, all packets are wanted.
 *
 * @throws UserError for what is not understood, and for an expression where libpcap is missing
 */
export async function compileFilter(
  wishes: FilterWishes,
  loadCompiler: () => Promise<ExpressionCompiler> = loadLibpcap,
): Promise<LiveFilter | null> {
  const addresses: AddressWishes = {
    ports: [...new Set(wishes.ports)],
    hosts: wishes.hosts.map(parseHost),
    nets: wishes.nets.map(parseNet),
  };
  const parts: FilterPart[] = [];
  if (wishes.ports.length + wishes.hosts.length + wishes.nets.length > 0)
    parts.push(addressFilter(addresses));
  const expression = wishes.expression?.trim() === '' ? null : wishes.expression;
  if (expression !== null) parts.push(expressionFilter(expression, await loadCompiler()));
  return parts.length === 0 ? null : new CombinedFilter(textOf(wishes, expression), expression, parts);
}

function textOf({ ports, hosts, nets }: FilterWishes, expression: string | null): string {
  const options = [
    ['--port', ports],
    ['--host', hosts],
    ['--net', nets],
  ] as const;
  const texts = options.flatMap(([name, values]) =>
    values.length === 0 ? [] : [`${name} ${values.join(',')}`],
  );
  return [...texts, ...(expression === null ? [] : [expression])].join(' ');
}

class CombinedFilter implements LiveFilter {
  readonly text: string;
  readonly expression: string | null;
  readonly #parts: readonly FilterPart[];
  readonly #tests = new Map<number, PacketTest>();
  #linkType = -1;
  #test: PacketTest = () => 0;

  constructor(text: string, expression: string | null, parts: readonly FilterPart[]) {
    this.text = text;
    this.expression = expression;
    this.#parts = parts;
  }

  accepts(bytes: Uint8Array, start: number, end: number, originalBytes: number, linkType: number): boolean {
    if (linkType !== this.#linkType) {
      this.#test = this.#testFor(linkType);
      this.#linkType = linkType;
    }
    return this.#test(bytes, start, end, originalBytes) > 0;
  }

  kernelProgram(
    link: SocketLink,
    interfaceIndexes: readonly number[] | null,
    snaplen: number,
  ): readonly BpfInstruction[] | null {
    return socketProgram(interfaceIndexes, snaplen, (into, { accept, reject }) => {
      let isSayable = true;
      for (const part of this.#parts) {
        const next = Symbol('next part');
        isSayable &&= part.embedFor(link, into, { accept: next, reject });
        // Every part begins as a program does: with A and X being 0.
        into.label(next).add(OP.ldImm, 0).add(OP.tax);
      }
      into.jump(accept);
      return isSayable;
    });
  }

  #testFor(linkType: number): PacketTest {
    let test = this.#tests.get(linkType);
    if (test === undefined) {
      const [first, ...others] = this.#parts.map((part) => part.testFor(linkType));
      test =
        others.length === 0
          ? first
          : (...packet) => (others.every((other) => other(...packet) > 0) ? first(...packet) : 0);
      this.#tests.set(linkType, test);
    }
    return test;
  }
}
