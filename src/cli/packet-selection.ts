import { existsSync } from 'node:fs';
import { EXIT, UserError } from '../model/errors.ts';
import type { Packet } from '../model/packet.ts';

/** Options that choose packets before they are decoded. */
export interface PacketFlags {
  readonly read?: readonly string[];
  readonly packetFilter?: string;
  readonly host?: readonly string[];
  readonly net?: readonly string[];
}

/** What is named to be read, and a tcpdump expression among the words; null: there is none. */
export interface SeparatedWords {
  readonly files: readonly string[];
  readonly expression: string | null;
}

/** A word that is meant as a file, even if there is none of that name. */
const MEANT_AS_FILE = /^\.{0,2}\/|\.(pcap|pcapng|cap|sqlite|gz|zst)\d*$/i;

/**
 * As with tcpdump, words after `-r FILE` are a filter: `wirelens analyze -r trace.pcap tcp port 80`. They begin with the
 * first word that is no file.
 *
 * @throws UserError (usage) when --packet-filter is given too
 */
export function separateWords(words: readonly string[], { read, packetFilter }: PacketFlags): SeparatedWords {
  const given = packetFilter ?? null;
  const first = read === undefined ? -1 : words.findIndex((word) => !isFile(word));
  if (first < 0 || MEANT_AS_FILE.test(words[first])) return { files: words, expression: given };
  const expression = words.slice(first).join(' ');
  if (given !== null) {
    throw new UserError('usage', `'${expression}' and --packet-filter are both a filter`, {
      hint: `put them into one: --packet-filter '(${given}) and (${expression})'`,
      exitCode: EXIT.usage,
    });
  }
  return { files: words.slice(0, first), expression };
}

function isFile(word: string): boolean {
  return word === '-' || existsSync(word);
}

/** True when packets are chosen before they are decoded. */
export function choosesPackets(expression: string | null, { host, net }: PacketFlags): boolean {
  return expression !== null || host !== undefined || net !== undefined;
}

/**
 * The test that --host, --net and the expression stand for; null: all packets are wanted.
 *
 * @throws UserError for what is not understood, and where an expression needs libpcap and it is missing
 */
export async function packetSelection(
  expression: string | null,
  flags: PacketFlags,
): Promise<((packet: Packet) => boolean) | null> {
  if (!choosesPackets(expression, flags)) return null;
  // Loaded only when asked for.
  const { compileFilter } = await import('../capture/packet-filter/compile-filter.ts');
  const { host = [], net = [] } = flags;
  const filter = await compileFilter({ expression, ports: [], hosts: host, nets: net });
  if (filter === null) return null;
  return ({ bytes, start, end, originalBytes, linkType }) =>
    filter.accepts(bytes, start, end, originalBytes, linkType);
}

/** The same choice as words of a command line, not quoted: for a command that is proposed. */
export function selectionWords(expression: string | null, { host, net }: PacketFlags): string[] {
  return [
    ...(host === undefined ? [] : ['--host', host.join(',')]),
    ...(net === undefined ? [] : ['--net', net.join(',')]),
    ...(expression === null ? [] : ['--packet-filter', expression]),
  ];
}
