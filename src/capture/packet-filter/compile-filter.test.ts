import { describe, expect, it } from 'vitest';
import * as build from '../../../fixtures/build/packets.ts';
import { UserError } from '../../model/errors.ts';
import { ANCILLARY, type BpfInstruction, instruction, OP } from './bpf.ts';
import { programFault } from './bpf-check.ts';
import { interpreterOf } from './bpf-interpreter.ts';
import { compileFilter, type FilterWishes } from './compile-filter.ts';
import { type ExpressionCompiler, loadLibpcap } from './libpcap.ts';
import type { LiveFilter } from './live-filter.ts';

const { concat, ethernet, ip, tcp, u16, udp } = build;
const NOTHING: FilterWishes = { expression: null, ports: [], hosts: [], nets: [] };
const WITHOUT = 'libpcap is not installed';
const compiler = await loadLibpcap().catch(() => null);

async function filterOf(wishes: Partial<FilterWishes>, using?: ExpressionCompiler): Promise<LiveFilter> {
  const filter = await compileFilter(
    { ...NOTHING, ...wishes },
    ...(using === undefined ? [] : [async () => using]),
  );
  if (filter === null) throw new Error('no filter');
  return filter;
}

const failureOf = (promise: Promise<unknown>): Promise<UserError> =>
  promise.then(
    () => {
      throw new Error('it was understood');
    },
    (error: unknown) => {
      if (error instanceof UserError) return error;
      throw error;
    },
  );

const http = ip({
  from: '10.0.0.1',
  to: '10.0.0.2',
  payload: tcp({ from: 4000, to: 80, seq: 1, payload: 'GET' }),
});
const dns = ip({ from: '10.0.0.1', to: '10.0.0.3', payload: udp({ from: 4000, to: 53, payload: '?' }) });
const http6 = ip({ from: '::1', to: '::2', payload: tcp({ from: 4000, to: 80, seq: 1, payload: 'GET' }) });

const takes = (filter: LiveFilter, frame: Uint8Array, linkType = 1) =>
  filter.accepts(frame, 0, frame.length, frame.length, linkType);

describe('a filter', () => {
  it('is none when nothing is asked for', async () => {
    expect(await compileFilter(NOTHING)).toBeNull();
    expect(await compileFilter({ ...NOTHING, expression: '  ' })).toBeNull();
  });

  it('says in words what was asked for', async () => {
    const filter = await filterOf({ ports: [80, 81], hosts: ['::1'], nets: ['10.0.0.0/8'] });
    expect(filter.text).toBe('--port 80,81 --host ::1 --net 10.0.0.0/8');
    expect(filter.expression).toBeNull();
  });

  it('of options needs no libpcap', async () => {
    const load = async () => {
      throw new Error('libpcap was loaded');
    };
    const filter = await compileFilter({ ...NOTHING, ports: [80] }, load);
    expect(filter && takes(filter, ethernet(http))).toBe(true);
    expect(filter && takes(filter, ethernet(dns))).toBe(false);
  });

  it('takes a packet when all parts of it do', async (context) => {
    if (compiler === null) return context.skip(WITHOUT);
    const filter = await filterOf({ expression: 'tcp', hosts: ['10.0.0.2', '10.0.0.3'] });
    expect(filter.text).toBe('--host 10.0.0.2,10.0.0.3 tcp');
    expect([http, dns, http6].map((one) => takes(filter, ethernet(one)))).toEqual([true, false, false]);
  });
});

describe('a tcpdump expression', () => {
  it('is asked on every link type', async (context) => {
    if (compiler === null) return context.skip(WITHOUT);
    const filter = await filterOf({ expression: 'tcp port 80' });
    const frames = [
      [1, ethernet], [113, build.sll], [276, build.sll2], [101, build.rawIp], [0, build.nullLoopback], [108, build.openBsdLoopback], [9, build.ppp],
    ] as const; // biome-ignore format: one table
    for (const [linkType, frame] of frames) {
      expect(
        [http, http6, dns].map((one) => takes(filter, frame(one), linkType)),
        `${linkType}`,
      ).toEqual([true, true, false]);
    }
    // The address family of another machine.
    expect(takes(filter, build.nullLoopback(http6, 'big', 24), 0)).toBe(true);
    expect(takes(filter, ethernet(http), 9999)).toBe(false);
  });

  it('is refused with the words of libpcap', async (context) => {
    if (compiler === null) return context.skip(WITHOUT);
    const error = await failureOf(filterOf({ expression: 'tcp portt 80' }));
    expect(error).toMatchObject({ code: 'packet-filter', exitCode: 2 });
    expect(error.message).toContain("'tcp portt 80'");
    expect(error.message).toContain('syntax error');
    expect((await failureOf(filterOf({ expression: 'port 99999' }))).message).toContain('99999');
    expect((await failureOf(filterOf({ expression: 'tcp and udp' }))).message).toContain(
      'no packet can match',
    );
    expect((await failureOf(filterOf({ expression: 'tcp\0' }))).message).toContain('NUL');
    expect((await failureOf(filterOf({ expression: 'x'.repeat(70_000) }))).message).toContain('65536 bytes');
  });

  it('that exists on one link type only is refused on the others', async (context) => {
    if (compiler === null) return context.skip(WITHOUT);
    const filter = await filterOf({ expression: 'ether host 02:00:00:00:00:01' });
    expect(takes(filter, ethernet(http))).toBe(true);
    expect(() => takes(filter, build.rawIp(http), 101)).toThrow(/ethernet addresses.*link type 101/);
  });

  it('about what only the kernel knows is for live captures', async (context) => {
    if (compiler === null) return context.skip(WITHOUT);
    const filter = await filterOf({ expression: 'inbound' });
    expect(filter.kernelProgram('ethernet', null, 100)).not.toBeNull();
    expect(() => takes(filter, ethernet(http))).toThrow(/do not tell what it asks for/);
  });

  it('works with a libpcap that does not know SLL2', async (context) => {
    if (compiler === null) return context.skip(WITHOUT);
    const old: ExpressionCompiler = {
      compile: (text, linkType) =>
        linkType === 276 ? { kind: 'unknown-link-type' } : compiler.compile(text, linkType),
    };
    const filter = await filterOf({ expression: 'inbound and tcp port 80' }, old);
    expect(takes(filter, build.sll2(http), 276)).toBe(true);
    expect(takes(filter, build.sll2(http, 2, 4), 276)).toBe(false);
    expect(takes(filter, build.sll2(dns), 276)).toBe(false);
  });

  it('needs libpcap, and says what to install', async () => {
    const error = await failureOf(
      compileFilter({ ...NOTHING, expression: 'tcp' }, () => loadLibpcap(['libnowhere.so.9'])),
    );
    expect(error.code).toBe('libpcap-missing');
    expect(error.hint).toMatch(/libpcap0\.8.*apk add libpcap.*dnf install libpcap.*--port/);
  });
});

/** What a socket shows of a packet: its bytes, and what the kernel knows beside them. */
interface Shown {
  readonly bytes: Uint8Array;
  readonly protocol: number;
  readonly tag?: readonly [tpid: number, information: number];
}

/** Runs a program as the kernel does: facts are put in the place of the loads that ask for them. */
function inKernel(
  program: readonly BpfInstruction[],
  { bytes, protocol, tag }: Shown,
  interfaceIndex = 2,
): number {
  const facts = new Map([
    [ANCILLARY.protocol, protocol],
    [ANCILLARY.packetType, 0],
    [ANCILLARY.interfaceIndex, interfaceIndex],
    [ANCILLARY.vlanTagPresent, tag === undefined ? 0 : 1],
    [ANCILLARY.vlanTpid, tag?.[0] ?? 0],
    [ANCILLARY.vlanTag, tag?.[1] ?? 0],
  ]);
  const answered = program.map((one) => {
    const fact = one.code === OP.ldWord ? facts.get(one.k) : undefined;
    return fact === undefined ? one : instruction(OP.ldImm, fact);
  });
  expect(programFault(program, 4096)).toBeNull();
  return interpreterOf(answered)(bytes, 0, bytes.length, bytes.length);
}

const TAG = [0x8100, 0x6005] as const;

/** A packet with a tag as it is recorded, and as sockets show it. */
function tagged(network: build.Network) {
  const frame = ethernet(network);
  const inside = concat(u16(TAG[1]), u16(network.etherType), network.bytes);
  return {
    ethernet: { recorded: concat(frame.subarray(0, 12), u16(TAG[0]), inside, new Uint8Array(0)), shown: { bytes: frame, protocol: network.etherType, tag: TAG } },
    cooked: { recorded: build.sll2({ etherType: TAG[0], bytes: inside }), shown: { bytes: network.bytes, protocol: network.etherType, tag: TAG } },
  }; // biome-ignore format: two lines to compare
}

function untagged(network: build.Network) {
  const shown = { protocol: network.etherType };
  return {
    ethernet: { recorded: ethernet(network), shown: { ...shown, bytes: ethernet(network) } },
    cooked: { recorded: build.sll2(network), shown: { ...shown, bytes: network.bytes } },
  };
}

describe.each(['ethernet', 'cooked'] as const)('the program for a socket of %s packets', (link) => {
  const linkType = link === 'ethernet' ? 1 : 276;
  const all = [http, dns, http6].flatMap((one) => [tagged(one)[link], untagged(one)[link]]);

  it.for([
    'vlan',
    'not vlan',
    'vlan 5',
    'vlan 6',
    'vlan 5 and tcp port 80',
    'tcp port 80 or (vlan and udp port 53)',
    'ip6 or (vlan and ip6)',
    'vlan and ip host 10.0.0.3',
    'vlan and len > 50',
    'vlan and len > 60',
    'vlan and len > 70',
    'ether proto 0x8100',
  ])('takes what accepts takes, though the tag was taken off: %s', async (expression, context) => {
    if (compiler === null) return context.skip(WITHOUT);
    const filter = await filterOf({ expression });
    const program = filter.kernelProgram(link, null, 500) ?? [];
    for (const { shown, recorded } of all)
      expect(inKernel(program, shown) > 0).toBe(takes(filter, recorded, linkType));
  });

  it('shows an expression that asks for no tags the packet without its tag, as tcpdump does', async (context) => {
    if (compiler === null) return context.skip(WITHOUT);
    const filter = await filterOf({ expression: 'tcp port 80' });
    const program = filter.kernelProgram(link, null, 500) ?? [];
    expect(all.map(({ shown }) => inKernel(program, shown))).toEqual([500, 500, 0, 0, 500, 500]);
  });

  it('of options looks behind tags', async () => {
    for (const wishes of [{ ports: [80] }, { hosts: ['10.0.0.1'] }, { nets: ['::/96'], ports: [80] }]) {
      const filter = await filterOf(wishes);
      const program = filter.kernelProgram(link, null, 500) ?? [];
      for (const { shown, recorded } of all)
        expect(inKernel(program, shown) > 0).toBe(takes(filter, recorded, linkType));
    }
  });

  it('takes the interfaces that it is told, and cuts', async () => {
    const filter = await filterOf({ ports: [80] });
    const program = filter.kernelProgram(link, [3, 70_000], 96) ?? [];
    const { shown } = untagged(http)[link];
    expect([2, 3, 4, 70_000].map((index) => inKernel(program, shown, index))).toEqual([0, 96, 0, 96]);
  });

  it('finds every one of a thousand ports', async () => {
    const ports = Array.from({ length: 1000 }, (_, at) => at + 1);
    const program = (await filterOf({ ports })).kernelProgram(link, [2], 96) ?? [];
    expect(inKernel(program, untagged(http)[link].shown)).toBe(96);
    expect(inKernel(program, untagged(dns)[link].shown)).toBe(96);
  });

  it('is none where it would be longer than the kernel takes', async () => {
    const ports = Array.from({ length: 5000 }, (_, at) => at + 1);
    const filter = await filterOf({ ports });
    expect(filter.kernelProgram(link, null, 96)).toBeNull();
    expect(takes(filter, untagged(http)[link].recorded, linkType)).toBe(true);
  });
});

describe('a cooked packet whose tag is still in it', () => {
  it('is read behind the tag when it comes, and at once when it is sent', async () => {
    const program = (await filterOf({ ports: [80] })).kernelProgram('cooked', null, 96) ?? [];
    const inside = concat(u16(5), u16(http.etherType), http.bytes);
    expect(inKernel(program, { bytes: inside, protocol: 0x8100 })).toBe(96);
    expect(inKernel(program, { bytes: http.bytes, protocol: 0x8100 })).toBe(96);
    expect(inKernel(program, { bytes: dns.bytes, protocol: 0x8100 })).toBe(0);
  });
});
