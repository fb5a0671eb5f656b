import type { Assembler, Rewrite } from './assembler.ts';
import { ANCILLARY, type BpfInstruction, CLASS, isAncillary, MODE, OP, SIZE } from './bpf.ts';

/**
 * One packet, laid out in two ways, and where the bytes of the first are in the second. A filter is compiled for
 * packets as they are recorded; a socket shows them differently: a VLAN tag has been taken off into the metadata, and a
 * socket of cooked packets begins with the network header, the SLL2 header being ours. So each load is moved to where
 * the same bytes are for the socket (as libpcap's fix_offset does it for cooked packets). In the same way a program
 * for Ethernet becomes one for cooked packets where libpcap has none.
 */
export interface Layout {
  /** Loads of single fields by `opcode:offset`: where the field is instead. */
  readonly fields: ReadonlyMap<string, readonly [code: number, offset: number]>;
  /** What is recorded from `from` on lies `by` bytes earlier. */
  readonly shift: { readonly from: number; readonly by: number };
  /** What is recorded before this offset stays where it is. */
  readonly same: number;
  /** Bytes of the recorded packet that are missing in the other one's length. */
  readonly missingBytes: number;
  /** Where the tag control information of a tag is recorded that was taken off. */
  readonly tagInformation?: number;
}

const { ldByte, ldHalf, ldWord } = OP;
const ETHERNET_BYTES = 14;
const SLL_BYTES = 16;
const SLL2_BYTES = 20;
const TAG_BYTES = 4;
/** Destination and source, in front of the tag. */
const ADDRESSES_BYTES = 12;

function fields(...entries: readonly (readonly [code: number, offset: number, to: number, as?: number])[]) {
  return new Map(
    entries.map(([code, offset, to, as = ldWord]) => [`${code}:${offset}`, [as, to] as const] as const),
  );
}

/** Recorded Ethernet with the tag in place, to a frame whose tag was taken off. */
export const ETHERNET_TAG_OFF: Layout = {
  fields: fields(
    [ldHalf, ADDRESSES_BYTES, ANCILLARY.vlanTpid],
    [ldHalf, ADDRESSES_BYTES + 2, ANCILLARY.vlanTag],
  ),
  shift: { from: ADDRESSES_BYTES + TAG_BYTES, by: TAG_BYTES },
  same: ADDRESSES_BYTES,
  missingBytes: TAG_BYTES,
  tagInformation: ADDRESSES_BYTES + 2,
};

const SLL2_FIELDS = [
  [ldWord, 4, ANCILLARY.interfaceIndex],
  [ldHalf, 8, ANCILLARY.hardwareType],
  [ldByte, 10, ANCILLARY.packetType],
] as const;

/** LINKTYPE_LINUX_SLL2 to a cooked socket. */
export const SLL2_TO_COOKED: Layout = {
  fields: fields([ldHalf, 0, ANCILLARY.protocol], ...SLL2_FIELDS),
  shift: { from: SLL2_BYTES, by: SLL2_BYTES },
  same: 0,
  missingBytes: SLL2_BYTES,
};

/** The same for packets whose tag was taken off: recorded, it stands behind the SLL2 header. */
export const SLL2_TO_COOKED_TAG_OFF: Layout = {
  fields: fields(
    [ldHalf, 0, ANCILLARY.vlanTpid],
    [ldHalf, SLL2_BYTES, ANCILLARY.vlanTag],
    [ldHalf, SLL2_BYTES + 2, ANCILLARY.protocol],
    ...SLL2_FIELDS,
  ),
  shift: { from: SLL2_BYTES + TAG_BYTES, by: SLL2_BYTES + TAG_BYTES },
  same: 0,
  missingBytes: SLL2_BYTES + TAG_BYTES,
  tagInformation: SLL2_BYTES,
};

/** LINKTYPE_LINUX_SLL to LINKTYPE_LINUX_SLL2; the packet type has two bytes and one. */
export const SLL_TO_SLL2: Layout = {
  fields: fields([ldHalf, 0, 10, ldByte], [ldHalf, 2, 8, ldHalf], [ldHalf, 14, 0, ldHalf]),
  shift: { from: SLL_BYTES, by: SLL_BYTES - SLL2_BYTES },
  same: 0,
  missingBytes: 0,
};

export const ETHERNET_TO_SLL: Layout = {
  fields: fields([ldHalf, ADDRESSES_BYTES, 14, ldHalf]),
  shift: { from: ETHERNET_BYTES, by: ETHERNET_BYTES - SLL_BYTES },
  same: 0,
  missingBytes: 0,
};

export const ETHERNET_TO_SLL2: Layout = {
  fields: fields([ldHalf, ADDRESSES_BYTES, 0, ldHalf]),
  shift: { from: ETHERNET_BYTES, by: ETHERNET_BYTES - SLL2_BYTES },
  same: 0,
  missingBytes: 0,
};

const WIDTH: Readonly<Record<number, number>> = { [SIZE.w]: 4, [SIZE.h]: 2, [SIZE.b]: 1 };

/**
 * Rewrites a program for another layout; false at a load of what is not there.
 *
 * @param program the whole of it
 */
export function moveLoads(layout: Layout, program: readonly BpfInstruction[]): Rewrite {
  // 4 * (P[k] & 0x0f) is 0 or at least 4: X does not lead into the tag from in front of it.
  const xIsHeaderLength = program.every(
    ({ code }) => code === OP.ldxMsh || ((code & 7) !== CLASS.ldx && code !== OP.tax),
  );
  const tag = program.some(usesTagSlot) ? undefined : layout.tagInformation;
  return (one, into) => {
    if (one.code === OP.ldLen && layout.missingBytes !== 0) {
      into.add(OP.ldLen).add(OP.add, layout.missingBytes);
      return true;
    }
    if (one.code === OP.ldxLen && layout.missingBytes !== 0) return false;
    const place = movedLoad(one, layout);
    if (place !== null) {
      into.add(place[0], place[1]);
      return true;
    }
    if (tag === undefined) return false;
    if ((one.code & 0xe0) !== MODE.ind) return addTagLoad(one.code, one.k - tag, into);
    return xIsHeaderLength && addLoadAroundTag(one, tag, layout, into);
  };
}

/** The last slot of M[]: libpcap takes them from the first on. */
const TAG_SLOT = 15;

function usesTagSlot({ code, k }: BpfInstruction): boolean {
  const isMemory = code === OP.st || code === OP.stx || code === OP.ldMem || code === OP.ldxMem;
  return isMemory && k === TAG_SLOT;
}

/** A load of the tag control information, `offset` 0, or of one of its bytes. */
function addTagLoad(code: number, offset: number, into: Assembler): boolean {
  switch (`${code & ~MODE.ind & ~MODE.abs} ${offset}`) {
    case `${SIZE.h} 0`:
      into.add(ldWord, ANCILLARY.vlanTag);
      return true;
    case `${SIZE.b} 0`:
      into.add(ldWord, ANCILLARY.vlanTag).add(OP.rsh, 8);
      return true;
    case `${SIZE.b} 1`:
      into.add(ldWord, ANCILLARY.vlanTag).add(OP.and, 0xff);
      return true;
    default:
      break;
  }
  if (code !== OP.ldxMsh || offset !== 0) return false;
  into.add(OP.st, TAG_SLOT).add(ldWord, ANCILLARY.vlanTag).add(OP.rsh, 8).add(OP.and, 0x0f).add(OP.lsh, 2);
  into.add(OP.tax).add(OP.ldMem, TAG_SLOT);
  return true;
}

/**
 * A load at X + k where k is in front of what was shifted: X = 0 leads there, where the tag and the protocol behind it
 * are fields of the kernel's, and every other X behind it.
 */
function addLoadAroundTag(
  { code, k }: BpfInstruction,
  tag: number,
  layout: Layout,
  into: Assembler,
): boolean {
  const { by } = layout.shift;
  if (k < tag) return false;
  const behind = Symbol('behind the tag');
  const done = Symbol('loaded');
  into.add(OP.txa).branch(OP.jeq, 0, null, behind);
  const direct = (code & ~MODE.ind) | MODE.abs;
  const place = movedLoad({ code: direct, jt: 0, jf: 0, k }, layout);
  if (place !== null) into.add(place[0], place[1]);
  // What begins in the tag and ends behind it has no such form.
  else if (!addTagLoad(direct, k - tag, into)) return false;
  into.jump(done).label(behind);
  if (k >= by) into.add(code, k - by);
  // A is X here.
  else
    into
      .add(OP.stx, TAG_SLOT)
      .add(OP.sub, by - k)
      .add(OP.tax)
      .add(code, 0)
      .add(OP.ldxMem, TAG_SLOT);
  into.label(done);
  return true;
}

/** The instruction and its constant in the other layout; null: the bytes are not there, or not together. */
function movedLoad({ code, k }: BpfInstruction, layout: Layout): readonly [code: number, k: number] | null {
  const kind = code & 7;
  if (kind !== CLASS.ld && kind !== CLASS.ldx) return [code, k];
  const mode = code & 0xe0;
  if (mode !== MODE.abs && mode !== MODE.ind && mode !== MODE.msh) return [code, k];
  // Facts that the kernel keeps stay where they are.
  if (isAncillary(k)) return mode === MODE.abs ? [code, k] : null;
  const { fields, shift, same } = layout;
  // X is not negative, so that an indirect load reaches no place before k.
  if (k >= shift.from) return [code, k - shift.by];
  if (mode !== MODE.abs) return null;
  return fields.get(`${code}:${k}`) ?? (k + WIDTH[code & 0x18] <= same ? [code, k] : null);
}
