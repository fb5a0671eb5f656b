import type {
  CaptureComment,
  CaptureFacts,
  CaptureFormat,
  CaptureInterface,
  Compression,
} from '../model/packet.ts';

/** Bytes of one comment that are kept. */
const COMMENT_BYTES = 4096;
/** Kinds of skipped blocks that are told apart; further ones are counted together as `other`. */
const SKIPPED_TYPES = 256;

export function emptyFacts(
  path: string,
  format: CaptureFormat,
  compression: Compression,
  byteOrder: 'little' | 'big',
): CaptureFacts {
  return {
    path,
    format,
    compression,
    byteOrder,
    packets: 0,
    capturedBytes: 0,
    originalBytes: 0,
    fileBytes: 0,
    firstNs: null,
    lastNs: null,
    interfaces: [],
    comments: [],
    commentsDropped: 0,
    skippedBlocks: {},
    timeReversals: 0,
    damage: null,
  };
}

export function captureInterface(number: number, linkType: number, snaplen: number): CaptureInterface {
  return {
    number,
    name: null,
    linkType,
    snaplen,
    timeDigits: 6,
    packets: 0,
    received: null,
    dropped: null,
  };
}

const utf8 = new TextDecoder();

/** UTF-8 text of an option, without trailing NULs, cut to a bearable length. */
export function optionText(bytes: Uint8Array, start: number, length: number): string {
  const text = utf8.decode(bytes.subarray(start, start + Math.min(length, COMMENT_BYTES)));
  return text.replace(/\0+$/, '') + (length > COMMENT_BYTES ? '…' : '');
}

export function keepComment(facts: CaptureFacts, limit: number, comment: CaptureComment): void {
  if (facts.comments.length < limit) facts.comments.push(comment);
  else facts.commentsDropped++;
}

export function countSkipped(facts: CaptureFacts, blockType: number): void {
  const { skippedBlocks } = facts;
  let key = `0x${blockType.toString(16).padStart(8, '0')}`;
  if (skippedBlocks[key] === undefined && Object.keys(skippedBlocks).length >= SKIPPED_TYPES) key = 'other';
  skippedBlocks[key] = (skippedBlocks[key] ?? 0) + 1;
}
