import { LINK_TYPE } from '../../model/link-types.ts';
import type { Assembler, Label } from './assembler.ts';
import { OP } from './bpf.ts';
import type { AfterLink } from './link-headers.ts';

/** Link headers of recorded packets that no socket shows. As the readers in decode/link read them. */

/** M[] slots; the first is link-headers' NETWORK. */
const NETWORK = 0;
const SCRATCH = 1;

/** A = the little-endian 16-bit number at X + offset. SCRATCH is lost. */
function littleEndianHalf(offset: number, into: Assembler): void {
  into
    .add(OP.ldByteX, offset)
    .add(OP.st, SCRATCH)
    .add(OP.ldByteX, offset + 1)
    .add(OP.lsh, 8);
  into.add(OP.ldxMem, SCRATCH).add(OP.orX);
}

const PRISM_BYTES = 144;
const PPI_80211 = 105;

/** IEEE 802.11 behind one of the headers that capture tools put in front; M[NETWORK] is then at its LLC header. */
export function wireless(linkType: number, into: Assembler, reject: Label): void {
  into.add(OP.ldxImm, 0);
  if (linkType === LINK_TYPE.prism) into.add(OP.ldImm, PRISM_BYTES);
  else if (linkType === LINK_TYPE.avs) into.add(OP.ldHalf, 6);
  else if (linkType === LINK_TYPE.ieee80211) into.add(OP.ldImm, 0);
  else {
    const is80211 = Symbol('802.11');
    if (linkType === LINK_TYPE.ppi)
      into.add(OP.ldByte, 4).branch(OP.jeq, PPI_80211, is80211, reject).label(is80211);
    littleEndianHalf(2, into);
  }
  into.add(OP.st, NETWORK);
  ieee80211(into, reject);
}

/** Frame control, as two bytes in network order (IEEE 802.11 §9.2.4.1). */
const DATA_MASK = 0x4c00;
const DATA = 0x0800;
const PROTECTED = 0x0040;
const TO_AND_FROM_DS = 0x0003;
const QOS = 0x8000;
const ORDER = 0x0080;
const AGGREGATE = 0x80;
const HEADER_BYTES = 24;

/** A data frame in the clear: its header has optional parts. */
function ieee80211(into: Assembler, reject: Label): void {
  const [isData, clear, fourth, addressed, qos, single, ordered, body] = [
    'data', 'clear', 'fourth address', 'addressed', 'QoS', 'single', 'ordered', 'body',
  ].map((name) => Symbol(name)); // biome-ignore format: one list
  const control = 2;
  const length = 3;
  into.add(OP.ldxMem, NETWORK).add(OP.ldHalfX, 0).add(OP.st, control);
  into.add(OP.and, DATA_MASK).branch(OP.jeq, DATA, isData, reject).label(isData);
  into.add(OP.ldMem, control).branch(OP.jset, PROTECTED, reject, clear).label(clear);
  into.add(OP.ldImm, HEADER_BYTES).add(OP.st, length);
  into.add(OP.ldMem, control).add(OP.and, TO_AND_FROM_DS).branch(OP.jeq, TO_AND_FROM_DS, fourth, addressed);
  into
    .label(fourth)
    .add(OP.ldImm, HEADER_BYTES + 6)
    .add(OP.st, length)
    .label(addressed);
  into.add(OP.ldMem, control).branch(OP.jset, QOS, qos, body).label(qos);
  into.add(OP.ldMem, length).add(OP.addX).add(OP.tax).add(OP.ldByteX, 0);
  into.branch(OP.jset, AGGREGATE, reject, single).label(single);
  into.add(OP.ldMem, length).add(OP.add, 2).add(OP.st, length);
  into.add(OP.ldMem, control).branch(OP.jset, ORDER, ordered, body).label(ordered);
  into.add(OP.ldMem, length).add(OP.add, 4).add(OP.st, length).label(body);
  into.add(OP.ldMem, NETWORK).add(OP.ldxMem, length).add(OP.addX).add(OP.st, NETWORK);
}

const ADDRESS_BYTES = 4;
const UNNUMBERED_INFORMATION = 0x03;
const NLPID = { ipv4: 0xcc, ipv6: 0x8e, snap: 0x80 } as const;
const SNAP_BYTES = 5;

/** Frame Relay (RFC 2427 §3): leaves the EtherType in A, or jumps where the protocol is told otherwise. */
export function frameRelay(into: Assembler, after: AfterLink): void {
  const [addressEnd, routed, unpadded, snap, etherType] = [
    'end of the address', 'RFC 2427', 'no padding', 'SNAP', 'ether type',
  ].map((name) => Symbol(name)); // biome-ignore format: one list
  into.add(OP.ldImm, 0);
  for (let count = 0; count < ADDRESS_BYTES; count += 1) {
    into.add(OP.tax).add(OP.txa).add(OP.add, 1).add(OP.st, NETWORK);
    into.add(OP.ldByteX, 0).branch(OP.jset, 1, addressEnd).add(OP.ldMem, NETWORK);
  }
  into.jump(after.reject).label(addressEnd).add(OP.ldxMem, NETWORK);
  into.add(OP.ldByteX, 0).branch(OP.jeq, UNNUMBERED_INFORMATION, routed);
  // Cisco's encapsulation: an EtherType follows the address.
  into.add(OP.ldHalfX, 0).add(OP.st, SCRATCH).add(OP.txa).add(OP.add, 2).jump(etherType);
  into.label(routed).add(OP.txa).add(OP.add, 1).add(OP.tax);
  into
    .add(OP.ldByteX, 0)
    .branch(OP.jeq, 0, null, unpadded)
    .add(OP.txa)
    .add(OP.add, 1)
    .add(OP.tax)
    .label(unpadded);
  into.add(OP.txa).add(OP.add, 1).add(OP.st, NETWORK).add(OP.ldByteX, 0);
  into.branch(OP.jeq, NLPID.ipv4, after.ipv4).branch(OP.jeq, NLPID.ipv6, after.ipv6);
  into.branch(OP.jeq, NLPID.snap, snap, after.reject).label(snap).add(OP.ldxMem, NETWORK);
  into.add(OP.ldHalfX, 3).add(OP.st, SCRATCH).add(OP.txa).add(OP.add, SNAP_BYTES);
  into.label(etherType).add(OP.st, NETWORK).add(OP.ldMem, SCRATCH);
}

/** LINKTYPE_PFLOG: the length of the header in its first byte, padded to four. */
export function pflog(into: Assembler): void {
  into.add(OP.ldByte, 0).add(OP.add, 3).add(OP.and, 0xfc).add(OP.st, NETWORK);
}

const NFLOG_HEADER_BYTES = 4;
const NFULA_PAYLOAD = 9;
/** Records in front of the packet that are looked through. */
const NFLOG_RECORDS = 24;
const RECORD_BYTES = 4;

/** LINKTYPE_NFLOG: records of length, type (little-endian, as nearly all machines write them) and value. */
export function nflog(into: Assembler, reject: Label): void {
  const payload = Symbol('payload');
  into.add(OP.ldImm, NFLOG_HEADER_BYTES).add(OP.st, NETWORK);
  for (let count = 0; count < NFLOG_RECORDS; count += 1) {
    const sane = Symbol('length');
    into.add(OP.ldxMem, NETWORK).add(OP.ldByteX, 2).branch(OP.jeq, NFULA_PAYLOAD, payload);
    littleEndianHalf(0, into);
    into.branch(OP.jge, RECORD_BYTES, sane, reject).label(sane);
    into.add(OP.add, 3).add(OP.and, 0xffff_fffc).add(OP.ldxMem, NETWORK).add(OP.addX).add(OP.st, NETWORK);
  }
  into.jump(reject).label(payload).add(OP.txa).add(OP.add, RECORD_BYTES).add(OP.st, NETWORK);
}
