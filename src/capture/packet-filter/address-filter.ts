import type { AddressRange } from './addresses.ts';
import { Assembler, type Label } from './assembler.ts';
import { type BpfInstruction, instruction, OP } from './bpf.ts';
import { testOf } from './bpf-function.ts';
import type { FilterPart } from './filter-part.ts';
import { type AfterLink, addLinkHeader, addSocketHeader, NETWORK } from './link-headers.ts';
import { addPorts } from './port-filter.ts';

/** What --port, --host and --net ask for. An empty list asks for nothing. */
export interface AddressWishes {
  readonly ports: readonly number[];
  readonly hosts: readonly AddressRange[];
  readonly nets: readonly AddressRange[];
}

/** Places of the addresses in their headers (RFC 791 §3.1, RFC 8200 §3). */
const ADDRESSES = { 4: [12, 16], 6: [8, 24] } as const;
const ALL_BITS = 0xffff_ffff;

/**
 * The filter for --port, --host and --net, which needs no libpcap. Values of one option are alternatives, different
 * options must all hold; a host or net is met by source or destination. Addresses are those of the outermost IP
 * header, looked for behind VLAN tags in the packet.
 *
 * Ports are met by TCP, UDP and SCTP. What may hold them where they cannot be seen passes, for the decoder to decide:
 * later fragments of a datagram, and packets in which others are wrapped, such as VXLAN, GRE and MPLS.
 */
export function addressFilter(wishes: AddressWishes): FilterPart {
  return {
    testFor: (linkType) => testOf(recordedProgram(linkType, wishes)),
    embedFor: (link, into, { accept, reject }) => {
      const after = afterLink(wishes, accept, reject);
      addSocketHeader(link, into, after);
      addNetwork(wishes, into, after, accept, reject);
      return true;
    },
  };
}

/** The program for packets of this link type as they are recorded. Packets of unknown ones are rejected. */
export function recordedProgram(linkType: number, wishes: AddressWishes): BpfInstruction[] {
  const into = new Assembler();
  const accept = Symbol('accept');
  const reject = Symbol('reject');
  const after = afterLink(wishes, accept, reject);
  if (!addLinkHeader(linkType, into, after)) return [instruction(OP.ret, 0)];
  addNetwork(wishes, into, after, accept, reject);
  return into.label(accept).add(OP.ret, ALL_BITS).label(reject).add(OP.ret, 0).program();
}

function afterLink({ hosts, nets }: AddressWishes, accept: Label, reject: Label): AfterLink {
  const asksForAddress = hosts.length + nets.length > 0;
  return {
    ipv4: Symbol('IPv4'),
    ipv6: Symbol('IPv6'),
    wrapped: asksForAddress ? reject : accept,
    reject,
  };
}

function addNetwork(
  { ports, hosts, nets }: AddressWishes,
  into: Assembler,
  after: AfterLink,
  accept: Label,
  reject: Label,
): void {
  const transport = Symbol('transport');
  for (const version of [4, 6] as const) {
    into.label(version === 4 ? after.ipv4 : after.ipv6).add(OP.ldxMem, NETWORK);
    for (const ranges of [hosts, nets]) if (ranges.length > 0) addAddresses(version, ranges, into, reject);
    if (ports.length === 0) into.jump(accept);
    else addPorts.header(version, into, { accept, transport });
  }
  if (ports.length > 0) addPorts.transport(ports, transport, into, { accept, reject });
}

/** X is the offset of the IP header. Goes on behind when source or destination is in one of the ranges. */
function addAddresses(version: 4 | 6, ranges: readonly AddressRange[], into: Assembler, reject: Label): void {
  const met = Symbol('address');
  for (const range of ranges) {
    if (range.version !== version) continue;
    for (const offset of ADDRESSES[version]) {
      const other = Symbol('next address');
      range.masks.forEach((mask, index) => {
        if (mask === 0) return;
        into.add(OP.ldWordX, offset + 4 * index);
        if (mask !== ALL_BITS) into.add(OP.and, mask);
        into.branch(OP.jeq, range.words[index], null, other);
      });
      into.jump(met).label(other);
    }
  }
  into.jump(reject).label(met);
}
