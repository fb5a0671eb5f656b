import type { Exchange } from '../model/exchange.ts';
import { formatBytes } from '../report/units.ts';
import { fieldValue, type Head, type HeadField, headWord, targetOf } from './head.ts';
import type { Piece } from './message-bytes.ts';
import { shellWord } from './shell-words.ts';

/** Longer bodies do not fit into a command line; it names a file for them. */
const BODY_WORD_BYTES = 64 * 1024;
/** Fields that curl sends by itself unless told otherwise. */
const CURL_OWN_FIELDS = ['user-agent', 'accept'] as const;
/** Host and path that curl can be given without quoting them anew. */
const PLAIN_AUTHORITY = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/;
const PLAIN_TARGET = /^\/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$/;

export interface CurlCommand {
  /** Words of the command, each one argument as bash reads it; the first is `curl`. */
  readonly words: readonly string[];
  /** Goes before the command, into its standard input; null: nothing. */
  readonly pipe: string | null;
  /** What the command does not do as the capture had it. */
  readonly notes: readonly string[];
}

export interface CurlRequest {
  readonly exchange: Exchange;
  /** As sent, secrets masked; null: not at hand, the exchange's facts are used. */
  readonly head: Head | null;
  /** Without transfer codings; null: not at hand. */
  readonly body: readonly Piece[] | null;
  readonly bodyIsWhole: boolean;
  /** Bodies go into the command as they are, secrets included. */
  readonly reveals: boolean;
  /** Masks secrets in a body that is readable text; null when it is not. */
  readonly maskBody: (body: Uint8Array, fields: readonly HeadField[]) => Uint8Array | null;
}

/**
 * The request as a curl command: the same method, target, fields and body, sent to the same server. Whatever the
 * capture holds, every word is quoted so that the shell hands it over as one argument, and no value is read as an
 * option or a file name.
 */
export function curlCommand(request: CurlRequest): CurlCommand | null {
  const { exchange } = request;
  if (exchange.request === null) return null;
  const notes: string[] = [];
  const words: string[] = ['curl'];
  const fields = request.head?.fields ?? factFields(exchange);
  if (request.head === null) {
    notes.push('the request itself is not at hand: only the header fields that are kept are there');
  }
  const body = bodyArguments(request, fields, notes);
  const { method, version } = exchange.request;
  if (version === '1.0' || version === '0.9') words.push('--http1.0');
  else words.push('--http1.1');
  if (version === '0.9') {
    words.push('--http0.9');
    notes.push('curl sends no request of HTTP/0.9; the answer may be one');
  }
  if (method === 'HEAD' && body.words.length === 0) words.push('--head');
  else words.push('--request', shellWord(withoutNul(method)));
  words.push(...placeArguments(request, fields, notes));
  words.push(...fieldArguments(fields, body.words.length > 0, notes));
  words.push(...body.words);
  return { words, pipe: body.pipe, notes };
}

/** URL, target and the address to connect to. */
function placeArguments(
  { exchange, head }: CurlRequest,
  fields: readonly HeadField[],
  notes: string[],
): string[] {
  const { server } = exchange;
  const sent = (head === null ? null : targetOf(head)) ?? exchange.request?.target ?? '/';
  const target = withoutNul(sent);
  if (target !== sent) notes.push('NUL bytes of the target left out');
  const host = fieldValue(fields, 'host') ?? '';
  const isPlainHost = PLAIN_AUTHORITY.test(host);
  const address = server.address.includes(':') ? `[${server.address}]` : server.address;
  const authority = isPlainHost ? host : `${address}:${server.port}`;
  const words = ['--path-as-is', '--globoff'];
  if (isPlainHost && authority !== `${address}:${server.port}`) {
    words.push('--connect-to', shellWord(`::${address}:${server.port}`));
  }
  if (PLAIN_TARGET.test(target)) return [...words, '--url', shellWord(`http://${authority}${target}`)];
  const word = shellWord(headWord(target, head?.startIsUtf8 !== false));
  return [...words, '--request-target', word, '--url', shellWord(`http://${authority}/`)];
}

function withoutNul(text: string): string {
  return text.replaceAll('\0', '');
}

function fieldArguments(fields: readonly HeadField[], hasBody: boolean, notes: string[]): string[] {
  const words: string[] = [];
  const present = new Set<string>();
  let unusable = 0;
  for (const { name, value, isUtf8 } of fields) {
    // A field name cannot begin with @, so that curl never takes one for the name of a file.
    if (name === null || name.startsWith('@') || value.includes('\0') || /[\r\n]/.test(value)) {
      unusable += 1;
      continue;
    }
    const lower = name.toLowerCase();
    present.add(lower);
    if (lower === 'content-length') continue;
    words.push('--header', shellWord(headWord(value === '' ? `${name};` : `${name}: ${value}`, isUtf8)));
  }
  const hasTransferCoding = present.has('transfer-encoding');
  if (present.has('content-length') && !hasBody) {
    const length = fieldValue(fields, 'content-length') ?? '';
    if (/^\d+$/.test(length) && Number(length) === 0) words.push('--header', shellWord('Content-Length: 0'));
  }
  if (!present.has('host')) words.push('--header', shellWord('Host:'));
  for (const name of CURL_OWN_FIELDS)
    if (!present.has(name)) words.push('--header', shellWord(`${titled(name)}:`));
  if (hasBody && !present.has('content-type')) words.push('--header', shellWord('Content-Type:'));
  if (hasBody && !present.has('expect')) words.push('--header', shellWord('Expect:'));
  if (hasTransferCoding && !hasBody) notes.push('the transfer coding is named, but there is no body');
  if (unusable > 0)
    notes.push(`${unusable} header ${unusable === 1 ? 'line' : 'lines'} that curl cannot send left out`);
  return words;
}

function titled(name: string): string {
  return name.replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function factFields(exchange: Exchange): HeadField[] {
  const { request } = exchange;
  if (request === null) return [];
  const list: [string, string | null][] = [
    ['Host', request.host],
    ['User-Agent', request.userAgent],
    ['Content-Type', request.mediaType],
    ...request.headers
      .filter(({ name }) => !['host', 'user-agent', 'content-type'].includes(name))
      .map(({ name, value }): [string, string] => [name, value]),
  ];
  return list.flatMap(([name, value]) =>
    value === null ? [] : [{ name, value, line: `${name}: ${value}`, isUtf8: true }],
  );
}

function bodyArguments(
  request: CurlRequest,
  fields: readonly HeadField[],
  notes: string[],
): { words: string[]; pipe: string | null } {
  const none = { words: [], pipe: null };
  const bodyBytes = request.exchange.request?.bodyBytes ?? 0;
  if (bodyBytes === 0) return none;
  if (request.body === null || !request.bodyIsWhole || request.body.some((piece) => 'lost' in piece)) {
    notes.push(`the body (${formatBytes(bodyBytes)}) is not whole: put one into request.body`);
    return { words: ['--data-binary', '@request.body'], pipe: null };
  }
  const sent = Buffer.concat(
    request.body.map((piece) => ('lost' in piece ? new Uint8Array(0) : piece.bytes)),
  );
  const body = request.reveals ? sent : request.maskBody(sent, fields);
  if (body === null) {
    notes.push('the body may hold secrets that cannot be masked: --reveal, or put one into request.body');
    return { words: ['--data-binary', '@request.body'], pipe: null };
  }
  if (body.length > BODY_WORD_BYTES) {
    notes.push(
      `the body (${formatBytes(body.length)}) is too long for a command line: put it into request.body`,
    );
    return { words: ['--data-binary', '@request.body'], pipe: null };
  }
  if (body.includes(0)) {
    const pipe = `printf %s ${Buffer.from(body).toString('base64')} | base64 -d`;
    return { words: ['--data-binary', '@-'], pipe };
  }
  // --data-raw is --data-binary for text that begins with @.
  return { words: [body[0] === 0x40 ? '--data-raw' : '--data-binary', shellWord(body)], pipe: null };
}

/** The command as it is pasted: options on lines of their own. */
export function curlText({ words, pipe }: CurlCommand): string {
  const lines: string[] = [];
  for (const word of words) {
    if (word.startsWith('--') || lines.length === 0) lines.push(word);
    else lines[lines.length - 1] += ` ${word}`;
  }
  return (pipe === null ? '' : `${pipe} | `) + lines.join(' \\\n  ');
}
