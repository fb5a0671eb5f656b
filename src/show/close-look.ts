import type { Exchange, Message } from '../model/exchange.ts';
import { type BodyPreview, decodeBody, previewBody } from './body.ts';
import { type CurlCommand, curlCommand } from './curl.ts';
import { fieldValue, type Head, type HeadField, readHead } from './head.ts';
import { jsonText } from './json-text.ts';
import { from, type MessageBytes, type Piece, unbroken } from './message-bytes.ts';
import type { PacketList } from './packets.ts';
import { type Masking, maskedForm, maskedText } from './secrets.ts';

/** What a second reading of the captures brings to an exchange. */
export interface CloseLook {
  readonly request: MessageView | null;
  readonly response: MessageView | null;
  readonly packets: PacketList;
}

export interface MessageView {
  readonly head: Head;
  /** null: not asked for, or there is no body. */
  readonly body: BodyPreview | null;
}

/** Head and body of a message. `bodyBytes` 0: no body is wanted. */
export async function viewMessage(
  message: Message,
  bytes: MessageBytes,
  masking: Masking,
  bodyBytes: number,
): Promise<MessageView> {
  const head = readHead(unbroken(bytes.pieces).bytes, message.headerBytes, masking);
  if (bodyBytes === 0 || message.bodyBytes === 0) return { head, body: null };
  const body = await previewBody(from(bytes.pieces, message.headerBytes), head.fields, {
    limitBytes: bodyBytes,
    masking,
    isLong: bytes.leftBytes > 0,
  });
  return { head, body };
}

/** Bytes of a request's body that are decoded for a command. */
const CURL_BODY_BYTES = 1024 * 1024;

/** The request as a curl command; `bytes` null: it is not at hand. null: there is no request. */
export async function curlOf(
  exchange: Exchange,
  bytes: MessageBytes | null,
  masking: Masking,
): Promise<CurlCommand | null> {
  const { request } = exchange;
  if (request === null) return null;
  const head = bytes === null ? null : readHead(unbroken(bytes.pieces).bytes, request.headerBytes, masking);
  let body: readonly Piece[] | null = null;
  let bodyIsWhole = false;
  if (bytes !== null && head !== null && request.bodyBytes > 0) {
    const decoded = await decodeBody(from(bytes.pieces, request.headerBytes), head.fields, {
      limitBytes: CURL_BODY_BYTES,
      contentCodings: false,
    });
    body = decoded.pieces;
    const length = fieldValue(head.fields, 'content-length');
    const isShort =
      fieldValue(head.fields, 'transfer-encoding') === null && Number(length) !== request.bodyBytes;
    bodyIsWhole = decoded.isWhole && bytes.leftBytes === 0 && !isShort;
  }
  return curlCommand({ exchange, head, body, bodyIsWhole, reveals: masking.reveals, maskBody });
}

/** A text body with its secrets masked; null where secrets could hide in what is not text. */
function maskBody(body: Uint8Array, fields: readonly HeadField[]): Uint8Array | null {
  const coding = fieldValue(fields, 'content-encoding');
  if (coding !== null && coding.trim().toLowerCase() !== 'identity') return null;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    return null;
  }
  const type = (fieldValue(fields, 'content-type') ?? '').split(';')[0].trim().toLowerCase();
  if (type === 'application/x-www-form-urlencoded') return Buffer.from(maskedForm(text));
  const plain = jsonText(text, false);
  const masked = jsonText(text, true);
  // Laid out anew only where something had to be masked.
  if (masked !== null && plain !== null && !masked.fault) {
    return masked.text === plain.text ? body : Buffer.from(masked.text);
  }
  return Buffer.from(maskedText(text));
}
