import { UserError } from '../../model/errors.ts';
import type { Limits } from '../../model/limits.ts';
import type { CaptureFacts, Compression, RunClock } from '../../model/packet.ts';
import { BlockPool, BlockReader } from '../block-reader.ts';
import { type ByteSupply, PeekedSupply } from '../byte-supply.ts';
import { emptyFacts } from '../capture-facts.ts';
import { type CaptureReader, NS_PER_SECOND, type ReaderContext } from '../capture-reader.ts';
import { PcapReader } from '../pcap-reader.ts';
import { PcapngReader } from '../pcapng-reader.ts';
import { DECIDING_BYTES, HEAD_BYTES, type Recognised, recognise, refuse } from '../recognise.ts';
import { gunzipSupply } from '../zlib-supply.ts';
import { zstdSupply } from '../zstd-supply.ts';
import { type BufferPool, GrowingBlocks } from './blocks.ts';
import type { FollowedFile } from './file.ts';

/** What a look at the beginning of a file shows. */
export type Probe =
  | { readonly kind: 'unclear' }
  | { readonly kind: 'refused'; readonly error: UserError }
  | { readonly kind: 'packed' }
  | { readonly kind: 'capture'; readonly firstNs: bigint };

export interface FollowReading {
  readonly reader: CaptureReader;
  /** null: a compressed file, which is read once from its beginning to its end. */
  readonly blocks: GrowingBlocks | null;
}

export interface ReadingContext {
  readonly clock: RunClock;
  readonly limits: Limits;
  readonly buffers: BufferPool;
  readonly capture: number;
  readonly takeInterfaceNumber: () => number;
}

/** Blocks of compressed files. */
const UNPACKED_BLOCK_BYTES = 256 * 1024;
const unpackedPool = new BlockPool(UNPACKED_BLOCK_BYTES);

async function headOf(file: FollowedFile): Promise<Uint8Array> {
  const head = new Uint8Array(HEAD_BYTES);
  let filled = 0;
  while (filled < head.length) {
    const count = await file.readAt(head, filled, head.length - filled, filled);
    if (count === 0) break;
    filled += count;
  }
  return head.subarray(0, filled);
}

/** Finds out what a file is and when its first packet was recorded. A compressed one is only recognised. */
export async function probe(file: FollowedFile, limits: Limits, buffers: BufferPool): Promise<Probe> {
  const head = await headOf(file);
  if (head.length < DECIDING_BYTES) return { kind: 'unclear' };
  const recognised = recognise(head);
  if (recognised.kind === 'other')
    return { kind: 'refused', error: refuse(file.path, recognised.refusal, 'none') };
  if (recognised.kind === 'compressed') return { kind: 'packed' };
  const clock: RunClock = { epochSeconds: null };
  const context = { clock, limits, buffers, capture: 0, takeInterfaceNumber: () => 0 };
  const { reader, blocks } = openGrowing(file, recognised, context);
  return firstPacket(reader, blocks, clock);
}

/** The same for a compressed file that is complete. */
export async function probePacked(file: FollowedFile, limits: Limits, buffers: BufferPool): Promise<Probe> {
  const clock: RunClock = { epochSeconds: null };
  try {
    const context = { clock, limits, buffers, capture: 0, takeInterfaceNumber: () => 0 };
    const { reader } = await openPacked(file, context);
    return await firstPacket(reader, null, clock);
  } catch (error) {
    if (error instanceof UserError) return { kind: 'refused', error };
    throw error;
  }
}

async function firstPacket(
  reader: CaptureReader,
  blocks: GrowingBlocks | null,
  clock: RunClock,
): Promise<Probe> {
  try {
    let found = reader.next();
    while (!found && (await reader.more())) {
      found = reader.next();
      if (!found && blocks?.atEnd === true) return { kind: 'unclear' };
    }
    if (found) {
      const ns = BigInt(clock.epochSeconds ?? 0) * BigInt(NS_PER_SECOND) + BigInt(reader.packet.timeNs);
      return { kind: 'capture', firstNs: ns };
    }
    const [{ path, damage }] = reader.facts;
    if (damage === null) return { kind: 'unclear' };
    const { what, byteOffset } = damage;
    return { kind: 'refused', error: new UserError('damaged', what, { place: { file: path, byteOffset } }) };
  } finally {
    await reader.close();
  }
}

/** Begins to read a file from its beginning. Throws UserError when it is not a capture any more. */
export async function openFollowed(file: FollowedFile, context: ReadingContext): Promise<FollowReading> {
  if (file.packed) return openPacked(file, context);
  const head = await headOf(file);
  const recognised = recognise(head);
  if (recognised.kind === 'other') throw refuse(file.path, recognised.refusal, 'none');
  return openGrowing(file, recognised, context);
}

function openGrowing(file: FollowedFile, recognised: Recognised, context: ReadingContext) {
  const blocks = new GrowingBlocks(file, context.buffers);
  return { reader: readerFor(file.path, recognised, 'none', blocks, context), blocks };
}

async function openPacked(
  file: FollowedFile,
  context: ReadingContext,
): Promise<{ reader: CaptureReader; blocks: null }> {
  const head = await headOf(file);
  const outer = recognise(head);
  if (outer.kind !== 'compressed') throw changed(file.path);
  const raw = new FromFile(file);
  const supply = outer.by === 'gzip' ? gunzipSupply(raw) : zstdSupply(raw);
  try {
    const peeked = await PeekedSupply.peek(supply, DECIDING_BYTES, HEAD_BYTES);
    const inner = recognise(peeked.head);
    if (inner.kind === 'other') throw refuse(file.path, inner.refusal, outer.by);
    if (inner.kind === 'compressed') {
      throw new UserError(
        'unsupported-format',
        `is compressed twice, with ${inner.by} and with ${outer.by}`,
        {
          place: { file: file.path },
          hint: 'unpack it once',
        },
      );
    }
    const blocks = new BlockReader(peeked, unpackedPool);
    return { reader: readerFor(file.path, inner, outer.by, blocks, context), blocks: null };
  } catch (error) {
    await supply.close();
    throw error;
  }
}

function readerFor(
  path: string,
  recognised: Recognised,
  compression: Compression,
  blocks: BlockReader,
  { clock, limits, capture, takeInterfaceNumber }: ReadingContext,
): CaptureReader {
  const pcapng = recognised.kind === 'pcapng';
  const little = recognised.kind !== 'pcap' || recognised.little;
  const facts: CaptureFacts = emptyFacts(
    path,
    pcapng ? 'pcapng' : 'pcap',
    compression,
    little ? 'little' : 'big',
  );
  const context: ReaderContext = { blocks, facts, clock, limits, capture, takeInterfaceNumber };
  if (recognised.kind === 'pcap') return new PcapReader(context, recognised);
  if (pcapng) return new PcapngReader(context);
  throw changed(path);
}

/** Between two looks the file became another one. */
function changed(path: string): UserError {
  return new UserError('not-a-capture', 'was replaced by something else', { place: { file: path } });
}

/** A file that does not grow, from its beginning to its end. */
class FromFile implements ByteSupply {
  readonly #file: FollowedFile;
  #position = 0;

  constructor(file: FollowedFile) {
    this.#file = file;
  }

  async read(target: Uint8Array, offset: number, length: number): Promise<number> {
    const count = await this.#file.readAt(target, offset, length, this.#position);
    this.#position += count;
    return count;
  }

  async close(): Promise<void> {}
}
