import { Ledger, PACKET_REASON_NAMES } from '../model/ledger.ts';
import type { CaptureComment, CaptureFacts, CaptureInterface } from '../model/packet.ts';
import { type Counter, LEDGER_MEANINGS, ledgerName } from './final-rows.ts';
import { RowValues } from './row-values.ts';
import { damagedStore, type StoreFile } from './store-file.ts';
import { jsonList } from './stored-texts.ts';

type Field = Readonly<Record<string, unknown>>;

const CAPTURE_COLUMNS =
  'path, format, compression, byte_order, packets, captured_bytes, original_bytes, file_bytes, first_us, first_ns, last_us, last_ns, interfaces, comments, comments_dropped, skipped_blocks, time_reversals, damage, damage_packet, damage_byte_offset';

/**
 * The captures of a file, with times since `epochUs` and numbers as stored. Throws UserError when they cannot be
 * what was written.
 */
export function storedCaptures(file: StoreFile, epochUs: number): CaptureFacts[] {
  const { database, path } = file;
  const statement = database.prepare(`SELECT ${CAPTURE_COLUMNS} FROM captures ORDER BY id`);
  const row = new RowValues(database, statement, path);
  const oneOf = <Word extends string>(words: readonly Word[], column: number): Word => {
    const word = words.find((known) => known === row.text(column));
    if (word === undefined)
      throw damagedStore(path, `captures has something else than ${words.join(' or ')}`);
    return word;
  };
  const instant = (column: number): number | null =>
    row.isNull(column) ? null : (row.whole(column) - epochUs) * 1000 + row.whole(column + 1);
  const captures: CaptureFacts[] = [];
  try {
    while (statement.step()) {
      captures.push({
        path: row.text(0),
        format: oneOf(['pcap', 'pcapng', 'live'], 1),
        compression: oneOf(['none', 'gzip', 'zstd'], 2),
        byteOrder: oneOf(['little', 'big'], 3),
        packets: row.count(4),
        capturedBytes: row.count(5),
        originalBytes: row.count(6),
        fileBytes: row.count(7),
        firstNs: instant(8),
        lastNs: instant(10),
        interfaces: jsonList(path, row.text(12)).map((one) => interfaceOf((one ?? {}) as Field, path)),
        comments: jsonList(path, row.text(13)).map((one) => commentOf((one ?? {}) as Field, path)),
        commentsDropped: row.count(14),
        skippedBlocks: blocksOf(row.text(15), path),
        timeReversals: row.count(16),
        damage: row.isNull(17)
          ? null
          : { what: row.text(17), packet: row.count(18), byteOffset: row.count(19) },
      });
    }
  } finally {
    statement.finalize();
  }
  return captures;
}

function count(value: unknown, path: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw damagedStore(path, 'captures has something else than a count');
}

const countOrNull = (value: unknown, path: string): number | null =>
  value === null ? null : count(value, path);

function interfaceOf(one: Field, path: string): CaptureInterface {
  return {
    number: count(one.number, path),
    name: typeof one.name === 'string' ? one.name : null,
    linkType: count(one.linkType, path),
    snaplen: count(one.snaplen, path),
    timeDigits: count(one.timeDigits, path),
    packets: count(one.packets, path),
    received: countOrNull(one.received, path),
    dropped: countOrNull(one.dropped, path),
  };
}

function commentOf({ scope, packet, text }: Field, path: string): CaptureComment {
  if ((scope !== 'section' && scope !== 'interface' && scope !== 'packet') || typeof text !== 'string')
    throw damagedStore(path, 'captures has something else than a comment');
  return { scope, packet: countOrNull(packet, path), text };
}

function blocksOf(text: string, path: string): Record<string, number> {
  let blocks: unknown = null;
  try {
    blocks = JSON.parse(text);
  } catch {
    // Said below, in our words.
  }
  if (typeof blocks !== 'object' || blocks === null || Array.isArray(blocks))
    throw damagedStore(path, 'captures has something else than counts of blocks');
  return Object.fromEntries(Object.entries(blocks).map(([type, times]) => [type, count(times, path)]));
}

/** The ledger of a file. Names that this version does not count are left out. */
export function storedLedger(file: StoreFile): Ledger {
  const { database, path } = file;
  const ledger = new Ledger();
  const statement = database.prepare('SELECT name, value FROM ledger');
  const row = new RowValues(database, statement, path);
  try {
    while (statement.step()) {
      const name = row.text(0);
      const counter = COUNTERS.get(name);
      const reason = REASONS.get(name);
      if (counter !== undefined) ledger[counter] += row.whole(1);
      else if (reason !== undefined) ledger.notUsed[reason] += row.whole(1);
    }
  } finally {
    statement.finalize();
  }
  return ledger;
}

/** Adds every count of `other`. */
export function addLedger(ledger: Ledger, other: Ledger): void {
  for (const counter of COUNTERS.values()) ledger[counter] += other[counter];
  for (let reason = 0; reason < other.notUsed.length; reason += 1)
    ledger.notUsed[reason] += other.notUsed[reason];
}

const COUNTERS = new Map((Object.keys(LEDGER_MEANINGS) as Counter[]).map((name) => [ledgerName(name), name]));
const REASONS = new Map(PACKET_REASON_NAMES.map((name, index) => [`not_used.${name}`, index]));
