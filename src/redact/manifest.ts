import type { CaptureFacts } from '../model/packet.ts';
import type { RedactionChoices, RedactionRules } from './rules.ts';

/** What a manifest is made of. */
export interface ManifestParts {
  readonly version: string;
  readonly rules: RedactionRules;
  /** Where the key came from; it is in no file. */
  readonly key: 'random' | 'given';
  readonly captures: readonly CaptureFacts[];
  readonly copy: {
    readonly kind: 'pcapng' | 'sqlite';
    readonly packets?: number;
    readonly exchanges: number;
  };
  /** Limits that were reached, in words. */
  readonly limitsReached: readonly string[];
  /** Exchanges of the copy that differ in time, size, status, method, outcome, pairing or anomalies; null: not checked. */
  readonly differingExchanges: number | null;
}

const ALWAYS_KEPT: readonly string[] = [
  'times, lengths, order of packets, ports, sequence and acknowledgement numbers, flags, windows, TCP timestamps',
  'methods, status codes, versions, usual reason phrases, names of header fields that look like names',
  'VLAN ids, tunnel ids, link types, snaplen, the names that systems give to interfaces, kernel counters',
  'loopback, link-local, multicast and other addresses that name nobody; prefixes in common',
];

const NOT_CARRIED_OVER =
  'comments, descriptions, name resolution, decryption secrets and custom blocks; payload of UDP, ICMP and unknown protocols; bytes behind IP packets';

function choicesText(choices: RedactionChoices): string[] {
  const words: string[] = [];
  if (choices.keepAddresses) words.push('addresses kept');
  if (choices.keepHosts) words.push('host names kept');
  if (choices.maskPaths) words.push('paths masked');
  if (choices.scrubBodies) words.push('bodies scrubbed');
  return words;
}

/**
 * What was replaced and what was kept, as JSON: counts by kind and by name, never a value. The file may be shared
 * together with the copy.
 */
export function manifestText(parts: ManifestParts): string {
  const { rules, captures } = parts;
  let comments = 0;
  const skipped: Record<string, number> = {};
  for (const capture of captures) {
    comments += capture.comments.length + capture.commentsDropped;
    for (const [type, count] of Object.entries(capture.skippedBlocks))
      skipped[type] = (skipped[type] ?? 0) + count;
  }
  const manifest = {
    kind: 'wirelens redaction manifest',
    format: 1,
    wirelens: parts.version,
    inputs: captures.length,
    copy: parts.copy,
    key: parts.key === 'random' ? 'random, kept nowhere' : 'given by the user',
    choices: choicesText(rules.choices),
    replaced: {
      addresses: rules.addresses.replaced,
      'hardware addresses': rules.addresses.macsReplaced,
      'distinct secrets looked for in kept text': rules.secrets.size,
      ...rules.replaced.toJSON(),
    },
    kept: rules.kept.toJSON(),
    always_kept: ALWAYS_KEPT,
    never_carried_over: NOT_CARRIED_OVER,
    dropped: { comments, blocks: skipped },
    limits_reached: parts.limitsReached,
    verification: {
      differing_exchanges: parts.differingExchanges,
    },
  };
  return `${JSON.stringify(manifest, null, 2)}\n`;
}
