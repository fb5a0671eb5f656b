import { counted, formatBytes, formatCount } from '../report/units.ts';
import { dechunk } from './chunked.ts';
import { decode } from './content-coding.ts';
import { fieldValue, type HeadField } from './head.ts';
import { hexDump } from './hex-dump.ts';
import { jsonText } from './json-text.ts';
import { type Piece, unbroken } from './message-bytes.ts';
import { type Masking, maskedForm, maskedText } from './secrets.ts';

/** Output of a coding that another coding is taken off again. */
const INTERMEDIATE_BYTES = 16 * 1024 * 1024;
/** Bytes looked at to tell text from other data. */
const SNIFFED_BYTES = 1024;

export interface BodyPreview {
  /** What was done and what is missing: `chunks joined`, `gzip taken off`. */
  readonly notes: readonly string[];
  readonly form: 'text' | 'json' | 'form' | 'binary';
  /** Text, not yet made safe for a terminal; of binary data a hex dump. */
  readonly text: string;
  /** Bytes shown, decoded. */
  readonly bytes: number;
  /** There is more. */
  readonly isCut: boolean;
}

/** A body without its transfer and content codings. */
export interface DecodedBody {
  readonly pieces: readonly Piece[];
  readonly notes: readonly string[];
  readonly isCut: boolean;
  /** All of it is there, as it was before the codings. */
  readonly isWhole: boolean;
}

function codingsOf(value: string | null): string[] {
  if (value === null) return [];
  const names = value.split(',').map((part) => part.split(';')[0].trim().toLowerCase());
  return names.filter((name) => name !== '' && name !== 'identity');
}

/** Takes the transfer codings off a body, and the content codings if asked to. `pieces`: the body as sent. */
export async function decodeBody(
  pieces: readonly Piece[],
  fields: readonly HeadField[],
  options: { limitBytes: number; contentCodings: boolean },
): Promise<DecodedBody> {
  const notes: string[] = [];
  let rest = pieces;
  let isCut = false;
  let isWhole = !pieces.some((piece) => 'lost' in piece);
  const transfer = codingsOf(fieldValue(fields, 'transfer-encoding'));
  if (transfer.at(-1) === 'chunked') {
    transfer.pop();
    const joined = dechunk(rest);
    notes.push(joined.fault === null ? 'chunks joined' : `chunks joined up to where ${joined.fault}`);
    if (!joined.whole) isWhole = false;
    rest = joined.pieces;
  }
  const content = options.contentCodings ? codingsOf(fieldValue(fields, 'content-encoding')) : [];
  const codings = [...content, ...transfer];
  while (codings.length > 0) {
    const coding = codings.pop() as string;
    const { bytes, lost } = unbroken(rest);
    const limit = codings.length === 0 ? options.limitBytes : INTERMEDIATE_BYTES;
    const decoded = await decode(coding, bytes, limit);
    const reason = lost > 0 ? `${counted(lost, 'byte')} lost` : decoded.fault;
    if (decoded.fault !== null && decoded.bytes.length === 0 && bytes.length > 0) {
      notes.push(`${coding} cannot be taken off: ${reason}`);
      isWhole = false;
      break;
    }
    notes.push(reason === null ? `${coding} taken off` : `${coding} taken off up to: ${reason}`);
    if (reason !== null) isWhole = false;
    if (decoded.cut) isCut = true;
    rest = [{ bytes: decoded.bytes }];
  }
  return { pieces: rest, notes, isCut, isWhole: isWhole && !isCut };
}

/** What there is to see of a body; at most `limitBytes` of it. `isLong`: there is more than `pieces`. */
export async function previewBody(
  pieces: readonly Piece[],
  fields: readonly HeadField[],
  options: { limitBytes: number; masking: Masking; isLong: boolean },
): Promise<BodyPreview> {
  const decoded = await decodeBody(pieces, fields, { limitBytes: options.limitBytes, contentCodings: true });
  const shown = first(decoded.pieces, options.limitBytes);
  const isCut = decoded.isCut || shown.isCut || options.isLong;
  const { bytes } = shown;
  const notes = [...decoded.notes];
  const type = fieldValue(fields, 'content-type');
  if (!isText(shown.pieces, type)) {
    return { notes, form: 'binary', text: binaryText(shown.pieces), bytes, isCut };
  }
  const masks = !options.masking.reveals;
  const text = shown.pieces.map((piece) => pieceText(piece, type)).join('');
  const media = (type ?? '').split(';')[0].trim().toLowerCase();
  if (media === 'application/x-www-form-urlencoded') {
    return { notes, form: 'form', text: masks ? maskedForm(text) : text, bytes, isCut };
  }
  const hasLoss = shown.pieces.some((piece) => 'lost' in piece);
  const json = hasLoss ? null : jsonText(text, masks);
  if (json !== null) return { notes, form: 'json', text: json.text, bytes, isCut };
  return { notes, form: 'text', text: masks ? maskedText(text) : text, bytes, isCut };
}

function first(pieces: readonly Piece[], limitBytes: number) {
  const kept: Piece[] = [];
  let bytes = 0;
  let isCut = false;
  for (const piece of pieces) {
    if (bytes >= limitBytes) {
      isCut = true;
      break;
    }
    if ('lost' in piece) kept.push(piece);
    else {
      const part = piece.bytes.subarray(0, limitBytes - bytes);
      if (part.length < piece.bytes.length) isCut = true;
      bytes += part.length;
      kept.push({ bytes: part });
    }
  }
  return { pieces: joined(kept), bytes, isCut };
}

/** Neighbouring pieces as one, so that no character is cut in two. */
function joined(pieces: readonly Piece[]): Piece[] {
  const result: Piece[] = [];
  let parts: Uint8Array[] = [];
  const flush = (): void => {
    if (parts.length > 0) result.push({ bytes: Buffer.concat(parts) });
    parts = [];
  };
  for (const piece of pieces) {
    if ('lost' in piece) {
      flush();
      result.push(piece);
    } else parts.push(piece.bytes);
  }
  flush();
  return result;
}

const TEXT_TYPES =
  /^(text\/|application\/([\w.+-]*[+/-])?(json|xml|javascript|ecmascript|yaml|graphql|x-www-form-urlencoded|x-ndjson|sql|toml)\b|multipart\/form-data|image\/svg)/i;
const BINARY_TYPES =
  /^(image|audio|video|font)\/|^application\/(octet-stream|zip|gzip|pdf|protobuf|x-protobuf|grpc|wasm|msgpack)/i;

function isText(pieces: readonly Piece[], type: string | null): boolean {
  const sample =
    pieces.find((piece): piece is { bytes: Uint8Array } => 'bytes' in piece)?.bytes ?? new Uint8Array(0);
  const head = sample.subarray(0, SNIFFED_BYTES);
  if (/charset\s*=\s*"?utf-?(16|32)/i.test(type ?? '')) return true;
  if (head.includes(0)) return false;
  if (type !== null && TEXT_TYPES.test(type)) return true;
  if (type !== null && BINARY_TYPES.test(type) && !/svg/i.test(type)) return false;
  const text = new TextDecoder('utf-8').decode(head, { stream: true });
  const odd = [...text].filter(
    (character) => character === '\ufffd' || (character < ' ' && !/[\t\n\r\f\x1b]/.test(character)),
  );
  return odd.length * 20 <= text.length;
}

function pieceText(piece: Piece, type: string | null): string {
  return 'lost' in piece ? lossMark(piece.lost) : decoderFor(type).decode(piece.bytes);
}

function lossMark(bytes: number): string {
  return `⟦${formatCount(bytes)} ${bytes === 1 ? 'byte' : 'bytes'} not in the capture⟧`;
}

/** By the charset parameter; UTF-8 without one, and for names that nobody knows. */
function decoderFor(type: string | null): InstanceType<typeof TextDecoder> {
  const label = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type ?? '')?.[1] ?? 'utf-8';
  try {
    return new TextDecoder(label);
  } catch {
    return new TextDecoder('utf-8');
  }
}

function binaryText(pieces: readonly Piece[]): string {
  let offset = 0;
  const lines: string[] = [];
  for (const piece of pieces) {
    if ('lost' in piece) {
      lines.push(lossMark(piece.lost));
      offset += piece.lost;
    } else {
      lines.push(...hexDump(piece.bytes, offset));
      offset += piece.bytes.length;
    }
  }
  return lines.join('\n');
}

/** `first 4.10 kB, gzip taken off` */
export function previewNote(preview: BodyPreview): string {
  const size = preview.isCut ? `the first ${formatBytes(preview.bytes)}` : formatBytes(preview.bytes);
  return [size, ...preview.notes].join(', ');
}
