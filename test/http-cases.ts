import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Conversation, conversation } from '../fixtures/build/conversation.ts';
import type { Exchange, Message } from '../src/model/exchange.ts';
import type { Ledger } from '../src/model/ledger.ts';

/** Folder of the cases; README.md in it says how they are written. */
export const CASES_FOLDER = path.resolve(import.meta.dirname, '../fixtures/http');

export interface Turn {
  readonly by: 'client' | 'server';
  readonly bytes: Uint8Array;
}

export interface HttpCase {
  readonly name: string;
  readonly turns: readonly Turn[];
  readonly ending:
    | 'closed by client'
    | 'closed by server'
    | 'reset by client'
    | 'reset by server'
    | 'left open';
  readonly expected: readonly string[];
}

export interface CaseFile {
  readonly name: string;
  readonly cases: readonly HttpCase[];
}

const ENDINGS = [
  'closed by client',
  'closed by server',
  'reset by client',
  'reset by server',
  'left open',
] as const;
const ESCAPES: Record<string, string> = { r: '\r', n: '\n', t: '\t', 0: '\0', '\\': '\\' };

/** The bytes of a block: every line ends in CRLF unless it ends in a backslash; \r \n \t \0 \\ \xff are escapes. */
function bytesOfBlock(lines: readonly string[]): Uint8Array {
  const text = lines
    .map((line) => (/(^|[^\\])(\\\\)*\\$/.test(line) ? line.slice(0, -1) : `${line}\r\n`))
    .join('')
    .replace(/\\(x([0-9a-f]{2})|[rnt0\\])/g, (_all, short: string, hex: string | undefined) =>
      hex === undefined ? (ESCAPES[short] as string) : String.fromCharCode(Number.parseInt(hex, 16)),
    )
    .replace(/<(\d+) x '(.)'>/g, (_all, count: string, character: string) => character.repeat(Number(count)));
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function parseCase(section: string): HttpCase {
  const name = (section.split('\n', 1)[0] as string).trim();
  const turns: Turn[] = [];
  let expected: readonly string[] = [];
  for (const [, kind, body] of section.matchAll(/^```(client|server|exchanges)\n([\s\S]*?)^```$/gm)) {
    const lines = (body as string).split('\n').slice(0, -1);
    if (kind === 'exchanges') expected = lines;
    else turns.push({ by: kind as Turn['by'], bytes: bytesOfBlock(lines) });
  }
  const prose = section.replace(/^```[\s\S]*?^```$/gm, '').toLowerCase();
  const ending = ENDINGS.find((one) => new RegExp(`^${one}\\.$`, 'm').test(prose)) ?? 'closed by client';
  return { name, turns, ending, expected };
}

export function readCaseFiles(): CaseFile[] {
  return readdirSync(CASES_FOLDER)
    .filter((name) => name.endsWith('.md') && name !== 'README.md')
    .sort()
    .map((name) => ({
      name,
      cases: readFileSync(path.join(CASES_FOLDER, name), 'utf8').split(/^## /m).slice(1).map(parseCase),
    }));
}

/** Writes what came out into the case's `exchanges` block. */
export function acceptCase(file: string, name: string, lines: readonly string[]): void {
  const place = path.join(CASES_FOLDER, file);
  const sections = readFileSync(place, 'utf8').split(/^(?=## )/m);
  const changed = sections.map((section) => {
    if (!section.startsWith(`## ${name}\n`)) return section;
    const block = `\`\`\`exchanges\n${lines.map((line) => `${line}\n`).join('')}\`\`\``;
    const without = section.replace(/^```exchanges\n[\s\S]*?^```$/m, '').trimEnd();
    return `${without}\n\n${block}\n\n`;
  });
  writeFileSync(place, `${changed.join('').trimEnd()}\n`);
}

/**
 * The case as a conversation. `cut` gives the segment sizes of a turn; without it every turn is one segment.
 */
export function conversationOf(
  one: HttpCase,
  client: { address: string; port: number },
  cut: (turn: number, bytes: number) => readonly number[] = () => [],
): Conversation {
  // A sequence number for each client: the same SYN from other addresses would be address translation.
  const clientSeq = client.address.split('.').reduce((sum, part) => (sum * 256 + Number(part)) >>> 0, 0);
  const script = conversation({ client, clientSeq, stepMs: 0.01 }).handshake();
  one.turns.forEach(({ by, bytes }, index) => {
    const segments = cut(index, bytes.length);
    if (by === 'client') script.fromClient(bytes, { segments });
    else script.fromServer(bytes, { segments });
  });
  if (one.ending === 'closed by client') script.fin('client').fin('server');
  else if (one.ending === 'closed by server') script.fin('server').fin('client');
  else if (one.ending !== 'left open') script.reset(one.ending === 'reset by client' ? 'client' : 'server');
  return script;
}

function shownMessage({ version, headerBytes, bodyBytes, lostBytes, mediaType, headers }: Message): string {
  const parts = [version, `head ${headerBytes}`];
  if (bodyBytes > 0) parts.push(`body ${bodyBytes}`);
  if (lostBytes > 0) parts.push(`lost ${lostBytes}`);
  if (mediaType !== null) parts.push(mediaType);
  for (const { name, value } of headers) parts.push(`${name}=${JSON.stringify(value)}`);
  return parts.join(' ');
}

/** An exchange as one line of an `exchanges` block. */
export function shownExchange(exchange: Exchange): string {
  const { request, response, outcome, ending, pairing, interim, anomalies } = exchange;
  const asked =
    request === null
      ? '?'
      : `${request.method} ${JSON.stringify(request.target)} ${shownMessage(request)}${request.host === null ? '' : ` host=${JSON.stringify(request.host)}`}`;
  const answered =
    response === null
      ? 'nothing'
      : `${response.status} ${JSON.stringify(response.reason)} ${shownMessage(response)}`;
  const parts = [`${asked} -> ${answered}`, `${outcome}${ending === null ? '' : ` (${ending})`} ${pairing}`];
  if (interim.length > 0) parts.push(`interim ${interim.map(({ status }) => status).join(' ')}`);
  if (anomalies.length > 0) parts.push([...anomalies].sort().join(' '));
  return parts.join('; ');
}

/** Where the bytes went, as the last line of an `exchanges` block. */
export function shownBytes(
  ledger: Pick<Ledger, 'headBytes' | 'bodyBytes' | 'otherProtocolBytes' | 'unparsedBytes'>,
): string {
  const { headBytes, bodyBytes, otherProtocolBytes, unparsedBytes } = ledger;
  const parts = [`heads ${headBytes}`, `bodies ${bodyBytes}`];
  if (otherProtocolBytes > 0) parts.push(`other protocols ${otherProtocolBytes}`);
  if (unparsedBytes > 0) parts.push(`not understood ${unparsedBytes}`);
  return `bytes: ${parts.join(', ')}`;
}
