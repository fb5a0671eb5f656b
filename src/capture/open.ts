import type { Readable } from 'node:stream';
import { EXIT, UserError } from '../model/errors.ts';
import type { Limits } from '../model/limits.ts';
import type { Compression, PacketSource, RunClock } from '../model/packet.ts';
import { BlockPool, BlockReader } from './block-reader.ts';
import { type ByteSupply, PeekedSupply } from './byte-supply.ts';
import { emptyFacts } from './capture-facts.ts';
import type { CaptureReader, ReaderContext } from './capture-reader.ts';
import { openInput, STANDARD_INPUT } from './input.ts';
import { MergedSource } from './merge.ts';
import { PcapReader } from './pcap-reader.ts';
import { PcapngReader } from './pcapng-reader.ts';
import { DECIDING_BYTES, HEAD_BYTES, recognise, refuse } from './recognise.ts';
import { gunzipSupply } from './zlib-supply.ts';
import { zstdSupply } from './zstd-supply.ts';

export interface OpenOptions {
  /** Set by the run's first packet, unless it is set already. */
  readonly clock: RunClock;
  readonly limits: Limits;
  /** Read where a path is `-`; the process's own standard input by default. Destroyed by `close`. */
  readonly stdin?: Readable;
  /** Most bytes of one read, at least 1. Left alone outside of tests and measurements. */
  readonly blockBytes?: number;
}

/** One block in use and one being filled: enough for the disk to stream, and little enough for the caches. */
const BLOCK_BYTES = 4 * 1024 * 1024;
/** Of all captures that are merged, together. */
const MERGED_BLOCK_BYTES = 64 * 1024 * 1024;
const MINIMUM_BLOCK_BYTES = 128 * 1024;

/**
 * Opens captures: pcap and pcapng, plain or compressed with gzip or zstd, recognised by content; `-` is standard
 * input, also while it is still being written. Several captures come merged by time.
 *
 * Rejects with UserError (`cannot-read`, `empty-capture`, `not-a-capture`, `unsupported-format`,
 * `broken-compression`) for what is not a capture at all. A capture that breaks later ends there, with
 * `facts[i].damage` set. `more` rejects with UserError only when one of several files has gone since it was looked at.
 */
export async function openCaptures(paths: readonly string[], options: OpenOptions): Promise<PacketSource> {
  if (paths.length === 0) {
    throw new UserError('usage', 'no capture is given', {
      hint: 'name files, or - for standard input',
      exitCode: EXIT.usage,
    });
  }
  if (paths.filter((path) => path === STANDARD_INPUT).length > 1) {
    throw new UserError('usage', 'standard input can be read only once', {
      place: { file: STANDARD_INPUT },
      hint: 'give - once',
      exitCode: EXIT.usage,
    });
  }
  const shared = Math.floor(MERGED_BLOCK_BYTES / paths.length);
  const blockBytes = options.blockBytes ?? Math.max(MINIMUM_BLOCK_BYTES, Math.min(BLOCK_BYTES, shared));
  let interfaces = 0;
  const takeInterfaceNumber = () => interfaces++;
  const pool = new BlockPool(blockBytes);
  const briefPool = new BlockPool(Math.min(blockBytes, MINIMUM_BLOCK_BYTES));
  const openOne = (capture: number, clock: RunClock, takeNumber: () => number, brief: boolean) =>
    openCapture(paths[capture]!, capture, { ...options, clock }, brief ? briefPool : pool, takeNumber);

  if (paths.length === 1) return (await openOne(0, options.clock, takeInterfaceNumber, false)).reader;
  return MergedSource.create(paths.length, openOne, options.clock, takeInterfaceNumber);
}

async function openCapture(
  path: string,
  capture: number,
  options: OpenOptions,
  pool: BlockPool,
  takeInterfaceNumber: () => number,
): Promise<{ reader: CaptureReader; regular: boolean }> {
  const { supply, regular } = await openInput(path, options.stdin);
  let open: ByteSupply = supply;
  try {
    let peeked = await PeekedSupply.peek(supply, DECIDING_BYTES, HEAD_BYTES);
    let compression: Compression = 'none';
    let recognised = recognise(peeked.head);
    if (recognised.kind === 'compressed') {
      compression = recognised.by;
      open = compression === 'gzip' ? gunzipSupply(peeked) : zstdSupply(peeked);
      peeked = await PeekedSupply.peek(open, DECIDING_BYTES, HEAD_BYTES);
      recognised = recognise(peeked.head);
    }
    if (recognised.kind === 'other' && peeked.fault !== null)
      throw unreadable(path, peeked.fault.message, compression);
    if (recognised.kind === 'other') throw refuse(path, recognised.refusal, compression);
    if (recognised.kind === 'compressed') throw twiceCompressed(path, compression, recognised.by);
    const little = recognised.kind === 'pcapng' || recognised.little;
    const facts = emptyFacts(path, recognised.kind, compression, little ? 'little' : 'big');
    const blocks = new BlockReader(peeked, pool);
    const { clock, limits } = options;
    const context: ReaderContext = { blocks, facts, clock, limits, capture, takeInterfaceNumber };
    const reader =
      recognised.kind === 'pcap' ? new PcapReader(context, recognised) : new PcapngReader(context);
    return { reader, regular };
  } catch (error) {
    await open.close();
    throw error;
  }
}

function unreadable(path: string, fault: string, compression: Compression): UserError {
  const code = compression === 'none' ? 'cannot-read' : 'broken-compression';
  return new UserError(code, `no capture can be read from it: ${fault}`, {
    place: { file: path, byteOffset: 0 },
    hint: 'copy or record it again',
  });
}

function twiceCompressed(path: string, outer: Compression, inner: Compression): UserError {
  const unpack = { none: 'cat', gzip: 'gzip -dc', zstd: 'zstd -dc' };
  return new UserError('unsupported-format', `is compressed twice, with ${inner} and then with ${outer}`, {
    place: { file: path, byteOffset: 0 },
    hint: `unpack it once: ${unpack[outer]}`,
  });
}
