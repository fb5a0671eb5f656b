import type { Assembler, Label } from './assembler.ts';
import { OP } from './bpf.ts';

/** M[] slots, beside that of the network header: where the transport header is, and its protocol. */
const TRANSPORT = 1;
const PROTOCOL_SLOT = 2;

/** RFC 791 §3.1. */
const IPV4 = { flagsAndOffset: 6, protocol: 9 } as const;
const FRAGMENT_OFFSET = 0x1fff;
/** RFC 8200 §3. */
const IPV6 = { nextHeader: 6, bytes: 40 } as const;

/** IP protocol numbers (IANA). */
const PROTOCOL = { tcp: 6, udp: 17, sctp: 132 } as const;
/** Protocols in which packets are wrapped that have ports of their own; the decoder looks into them. */
const WRAPPING_PROTOCOLS = [4, 41, 47, 51, 97, 137];
/** Ports of tunnels over UDP, as in decode/tunnel/udp.ts. */
const TUNNEL_PORTS = [1701, 2152, 3544, 4754, 4789, 4790, 5072, 6081, 6635, 8472];

/** IPv6 headers that stand before the transport (RFC 8200 §4, RFC 7045 §4): their lengths are counted alike. */
const EXTENSIONS = [0, 43, 60, 135, 139, 140];
const FRAGMENT_HEADER = 44;
const FRAGMENT_HEADER_BYTES = 8;
const IPV6_FRAGMENT_OFFSET = 0xfff8;
const AUTHENTICATION_HEADER = 51;
/** Extension headers that are gone past. */
const MAX_EXTENSIONS = 6;

interface HeaderLabels {
  readonly accept: Label;
  readonly transport: Label;
}

/** The two halves of a test of ports. */
export const addPorts = { header, transport };

/** X is the offset of an IP header: finds the transport header, and jumps to it. Later fragments have no ports: they pass. */
function header(version: 4 | 6, into: Assembler, labels: HeaderLabels): void {
  if (version === 4) ipv4Header(into, labels);
  else ipv6Header(into, labels);
}

function ipv4Header(into: Assembler, { accept, transport: next }: HeaderLabels): void {
  into.add(OP.ldHalfX, IPV4.flagsAndOffset).branch(OP.jset, FRAGMENT_OFFSET, accept);
  into.add(OP.ldByteX, IPV4.protocol).add(OP.st, PROTOCOL_SLOT);
  into.add(OP.ldByteX, 0).add(OP.and, 0x0f).add(OP.lsh, 2).add(OP.addX).add(OP.st, TRANSPORT).jump(next);
}

function ipv6Header(into: Assembler, { accept, transport: next }: HeaderLabels): void {
  into.add(OP.ldByteX, IPV6.nextHeader).add(OP.st, PROTOCOL_SLOT);
  into.add(OP.txa).add(OP.add, IPV6.bytes).add(OP.st, TRANSPORT);
  for (let count = 0; count < MAX_EXTENSIONS; count += 1) {
    const [extension, fragment, authentication, past] = [
      'extension', 'fragment', 'authentication', 'past the extension',
    ].map((name) => Symbol(name)); // biome-ignore format: one list
    into.add(OP.ldxMem, TRANSPORT).add(OP.ldMem, PROTOCOL_SLOT);
    for (const protocol of EXTENSIONS) into.branch(OP.jeq, protocol, extension);
    into
      .branch(OP.jeq, FRAGMENT_HEADER, fragment)
      .branch(OP.jeq, AUTHENTICATION_HEADER, authentication, next);
    into.label(extension).add(OP.ldByteX, 0).add(OP.st, PROTOCOL_SLOT);
    into.add(OP.ldByteX, 1).add(OP.add, 1).add(OP.lsh, 3).jump(past);
    // RFC 4302 §2.2: in words of four bytes, minus 2.
    into.label(authentication).add(OP.ldByteX, 0).add(OP.st, PROTOCOL_SLOT);
    into.add(OP.ldByteX, 1).add(OP.add, 2).add(OP.lsh, 2).jump(past);
    into.label(fragment).add(OP.ldHalfX, 2).branch(OP.jset, IPV6_FRAGMENT_OFFSET, accept);
    into.add(OP.ldByteX, 0).add(OP.st, PROTOCOL_SLOT).add(OP.ldImm, FRAGMENT_HEADER_BYTES);
    into.label(past).add(OP.addX).add(OP.st, TRANSPORT);
  }
  // With still more of them the ports are not found; the decoder goes on from there.
  into.add(OP.ldMem, PROTOCOL_SLOT);
  for (const protocol of [...EXTENSIONS, FRAGMENT_HEADER, AUTHENTICATION_HEADER])
    into.branch(OP.jeq, protocol, accept);
  into.jump(next);
}

/** The test of a transport header whose place and protocol the slots tell. */
function transport(
  ports: readonly number[],
  here: Label,
  into: Assembler,
  { accept, reject }: { accept: Label; reject: Label },
): void {
  const [withPorts, udp] = [Symbol('ports'), Symbol('UDP')];
  into.label(here).add(OP.ldxMem, TRANSPORT).add(OP.ldMem, PROTOCOL_SLOT);
  into.branch(OP.jeq, PROTOCOL.tcp, withPorts).branch(OP.jeq, PROTOCOL.sctp, withPorts);
  into.branch(OP.jeq, PROTOCOL.udp, udp);
  for (const protocol of WRAPPING_PROTOCOLS) into.branch(OP.jeq, protocol, accept);
  into.jump(reject).label(udp);
  addComparison(TUNNEL_PORTS, into, accept);
  into.label(withPorts);
  addComparison(ports, into, accept);
  into.jump(reject);
}

/** Source and destination port at X. */
function addComparison(ports: readonly number[], into: Assembler, accept: Label): void {
  for (const offset of [0, 2]) {
    into.add(OP.ldHalfX, offset).branchIfAny(ports, accept);
  }
}
