import { type Ledger, PACKET_REASON_NAMES, PACKET_REASONS } from '../model/ledger.ts';
import type { CaptureFacts, RunClock } from '../model/packet.ts';
import type { RunRecord } from '../model/sink.ts';
import { SCHEMA_VERSION } from './schema.ts';

type Row = readonly (string | number | null)[];

/** Rows of the small tables, each in the order of the table's columns. */
export interface FinalRows {
  readonly captures: readonly Row[];
  readonly ledger: readonly Row[];
  readonly meta: readonly Row[];
}

export type Counter = { [Name in keyof Ledger]: Ledger[Name] extends number ? Name : never }[keyof Ledger];

/** One sentence per counter. A counter without a sentence does not compile. */
export const LEDGER_MEANINGS: Readonly<Record<Counter, string>> = {
  packetsRead: 'packets read = segments + every not_used',
  segments: 'TCP segments used',
  payloadBytes: 'TCP payload on the wire = delivered + duplicate + cut + discarded',
  deliveredBytes: 'payload handed on in order = head + body + other_protocol + unparsed',
  duplicateBytes: 'payload seen again: retransmissions and overlaps',
  cutBytes: 'payload on the wire but not in the capture (snaplen)',
  discardedBytes: 'payload outside any plausible window, or beyond a budget',
  gaps: 'holes in the bytes of a direction',
  gapBytes: 'bytes missing in those holes',
  headBytes: 'delivered bytes that were start lines and header sections',
  bodyBytes: 'delivered bytes that were bodies',
  otherProtocolBytes: 'delivered bytes of connections that are not HTTP, of tunnels and upgraded connections',
  unparsedBytes: 'delivered bytes on HTTP connections that belong to no message found',
  requests: 'requests = paired + unanswered',
  responses: 'responses = paired + orphans + interim',
  paired: 'requests with their response',
  unanswered: 'requests without a response',
  orphans: 'responses whose request is unknown',
  interim: '1xx responses before the final one',
  exchanges: 'exchanges = paired + unanswered + orphans',
  connectionsOpened: 'TCP connections that began',
  connectionsClosed: 'TCP connections that came to their end; all of them at the end of a run',
  evictedConnections: 'connections closed early because too many were open at once',
  evictedPending: 'times waiting segments were given up for want of budget',
  evictedFragments: 'fragmented datagrams given up for want of budget',
};

/** Name of a counter in the table `ledger`. */
export const ledgerName = (counter: Counter): string =>
  counter.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

export function ledgerRows(ledger: Ledger): Row[] {
  const rows: Row[] = (Object.keys(LEDGER_MEANINGS) as Counter[]).map((name) => [
    ledgerName(name),
    ledger[name],
    LEDGER_MEANINGS[name],
  ]);
  PACKET_REASON_NAMES.forEach((reason, index) => {
    rows.push([`not_used.${reason}`, ledger.notUsed[index], `packets not used: ${PACKET_REASONS[reason]}`]);
  });
  const imbalances = ledger.imbalances();
  rows.push([
    'balances',
    imbalances.length === 0 ? 1 : 0,
    imbalances.length === 0 ? 'every equation holds' : `does not add up: ${imbalances.join('; ')}`,
  ]);
  return rows;
}

/** Unix µs, rounded down, and the ns beyond it. */
function instant(ns: number | null, clock: RunClock): [number | null, number | null] {
  if (ns === null) return [null, null];
  const us = Math.floor(ns / 1000);
  return [(clock.epochSeconds ?? 0) * 1e6 + us, ns - us * 1000];
}

function kernelDrops(facts: CaptureFacts): number | null {
  let drops: number | null = null;
  for (const { dropped } of facts.interfaces) if (dropped !== null) drops = (drops ?? 0) + dropped;
  return drops;
}

export function captureRows(captures: readonly CaptureFacts[], clock: RunClock): Row[] {
  return captures.map((facts, id) => [
    id,
    facts.path,
    facts.format,
    facts.compression,
    facts.byteOrder,
    facts.packets,
    facts.capturedBytes,
    facts.originalBytes,
    facts.fileBytes,
    ...instant(facts.firstNs, clock),
    ...instant(facts.lastNs, clock),
    JSON.stringify(facts.interfaces),
    kernelDrops(facts),
    JSON.stringify(facts.comments),
    facts.commentsDropped,
    JSON.stringify(facts.skippedBlocks),
    facts.timeReversals,
    facts.damage?.what ?? null,
    facts.damage?.packet ?? null,
    facts.damage?.byteOffset ?? null,
  ]);
}

export interface PartFacts {
  readonly version: string;
  readonly clock: RunClock;
  /** 1-based. */
  readonly part: number;
  readonly moreFollow: boolean;
  /** Names of the header fields that were kept; null: not known. */
  readonly keptHeaders: readonly string[] | null;
  /** What the files of one run share when each stands on its own; null: they do not. */
  readonly run?: string | null;
}

function metaRows({ version, clock, part, moreFollow, keptHeaders, run = null }: PartFacts): Row[] {
  const epoch = clock.epochSeconds;
  const shared: Row[] =
    run === null
      ? []
      : [
          [
            'run',
            run,
            'shared by the files of one live run; each has the captures and the ledger of its own time',
          ],
        ];
  return [
    ...shared,
    ['wirelens_version', version, 'version that wrote this file'],
    ['schema_version', String(SCHEMA_VERSION), 'version of tables and views; also PRAGMA user_version'],
    [
      'epoch_seconds',
      epoch === null ? null : String(epoch),
      "the first packet's whole second, Unix time; NULL: no packet",
    ],
    ['part', String(part), 'number of this file among those of one run; NAME-2.sqlite is 2'],
    [
      'more_follow',
      moreFollow ? 'yes' : 'no',
      'whether the run goes on in the next part; captures and ledger are in the last',
    ],
    [
      'kept_headers',
      keptHeaders === null ? null : keptHeaders.join(','),
      'header fields that were kept where a message had them, lower case, comma separated; NULL: not known',
    ],
  ];
}

/** `run` is null for parts that others follow, unless each stands on its own. */
export function finalRows(part: PartFacts, run: RunRecord | null): FinalRows {
  return {
    captures: run === null ? [] : captureRows(run.captures, run.clock),
    ledger: run === null ? [] : ledgerRows(run.ledger),
    meta: metaRows(part),
  };
}
