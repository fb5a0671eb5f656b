import { isIP } from 'node:net';
import {
  type Connection,
  type DirectionTotals,
  type Endpoint,
  TUNNEL_KINDS,
  type Tunnel,
  type TunnelKind,
} from '../model/exchange.ts';
import { RowValues, wordPlaceSql } from './row-values.ts';
import { placesOf } from './sighting-text.ts';
import { damagedStore, type StoreFile } from './store-file.ts';
import type { Placement } from './stored-run.ts';
import { jsonList } from './stored-texts.ts';
import { CONNECTION_ENDS, OPENINGS, PROTOCOLS } from './words.ts';

const TOTALS =
  'packets ip_bytes payload_bytes retransmissions out_of_order zero_windows keep_alives gaps gap_bytes';
const totalsOf = (side: string): string[] => TOTALS.split(' ').map((name) => `${side}_${name}`);
const COLUMNS = [
  'id', 'client', 'client_port', 'server', 'server_port',
  wordPlaceSql('protocol', PROTOCOLS), wordPlaceSql('opening', OPENINGS), wordPlaceSql('"end"', CONNECTION_ENDS),
  'history', 'exchanges', 'first_us', 'first_ns', 'last_us', 'last_ns', 'syn_retransmissions', 'vlans', 'tunnels',
  'capture', 'interface', 'syn_offset_ns', 'syn_ack_offset_ns', 'ack_offset_ns', 'continues', 'places', 'packets_elsewhere',
  ...totalsOf('client'), ...totalsOf('server'),
].join(', '); // biome-ignore format: a list
const CLIENT_TOTALS_AT = 25;
const SERVER_TOTALS_AT = CLIENT_TOTALS_AT + TOTALS.split(' ').length;

/** A connection of which exchanges may still come. */
interface Live {
  readonly connection: Connection;
  /** Exchanges that have come so far, also those that were not selected. */
  seen: number;
  selected: boolean;
  /** Its row said that it is also in a later part. */
  continues: boolean;
  /** The part whose row it was last made of. */
  part: number;
}

/**
 * The connections of one run, each one object for all its exchanges. Held are those of which exchanges may still
 * come; a connection is let go with its last one.
 */
export class StoredConnections {
  readonly #placement: Placement;
  readonly #live = new Map<number, Live>();
  /** Numbers in the current part that were let go. */
  readonly #gone = new Set<number>();
  #file: StoreFile | null = null;
  #part = 0;
  #values: RowValues | null = null;
  #last: Live | null = null;
  #lastId = 0;

  constructor(placement: Placement) {
    this.#placement = placement;
  }

  /** Reads from `file` from now on. */
  begin(file: StoreFile): void {
    this.#file = file;
    this.#part += 1;
    this.#gone.clear();
    this.#last = null;
    const one = file.database.prepare(`SELECT ${COLUMNS} FROM connections WHERE id = ?`);
    this.#values = new RowValues(file.database, one, file.path);
  }

  /** The connection of one more exchange; put into `ended` when that was its last one. */
  next(id: number, selected: boolean, ended: Connection[]): Connection {
    const live = id === this.#lastId && this.#last !== null ? this.#last : this.#find(id);
    this.#last = live;
    this.#lastId = id;
    live.seen += 1;
    if (selected) live.selected = true;
    if (!live.continues && live.seen === live.connection.exchanges) {
      this.#live.delete(id);
      this.#gone.add(id);
      this.#last = null;
      if (live.selected) ended.push(live.connection);
    }
    return live.connection;
  }

  /**
   * The part's exchanges are through: the connections that are left in it and do not continue. `all`: also those
   * without a selected exchange.
   */
  *rest(all: boolean): Generator<Connection, void, void> {
    const { file } = this.#current();
    const statement = file.database.prepare('SELECT id FROM connections ORDER BY id');
    const ids = new RowValues(file.database, statement, file.path);
    try {
      let before = -1;
      while (statement.step()) {
        const id = ids.count(0);
        if (id <= before) throw damagedStore(file.path, 'its connections are not in order');
        before = id;
        if (this.#gone.has(id)) continue;
        const live = this.#find(id);
        if (live.continues) continue;
        this.#live.delete(id);
        if (all || live.selected) yield live.connection;
      }
    } finally {
      statement.finalize();
    }
  }

  /** The file will be closed. */
  end(): void {
    this.#values?.statement.finalize();
    this.#values = null;
    this.#file = null;
  }

  /** What never came to its end: a later part is missing, or reading was stopped. */
  left(all: boolean): Connection[] {
    const left = [...this.#live.values()].filter(({ selected }) => all || selected);
    this.#live.clear();
    return left.map(({ connection }) => connection).sort((a, b) => a.id - b.id);
  }

  #current(): { file: StoreFile; values: RowValues } {
    if (this.#file === null || this.#values === null) throw new Error('no part was begun');
    return { file: this.#file, values: this.#values };
  }

  #find(id: number): Live {
    const live = this.#live.get(id);
    if (live !== undefined && live.part === this.#part) return live;
    const { file, values } = this.#current();
    if (this.#gone.has(id))
      throw damagedStore(file.path, `connection ${id} has more exchanges than its row says`);
    values.statement.bindNumber(1, id);
    try {
      if (values.statement.step()) return this.#take(id, values, file.path);
    } finally {
      values.statement.reset();
    }
    if (live === undefined) throw damagedStore(file.path, `connections has no row ${id}`);
    return live;
  }

  /** The live connection, made or brought up to date from the current row. */
  #take(id: number, row: RowValues, path: string): Live {
    const known = this.#live.get(id);
    if (known !== undefined && known.part === this.#part) return known;
    const connection = connectionOf(row, path, this.#placement);
    const continues = row.count(22) !== 0;
    if (known !== undefined) {
      // Its totals have grown. Client and server keep their objects, by which sinks know them.
      const { client, server } = known.connection;
      const turned = client.text !== connection.client.text;
      Object.assign(known.connection, connection, turned ? {} : { client, server });
      known.continues = continues;
      known.part = this.#part;
      return known;
    }
    const live = { connection, seen: 0, selected: false, continues, part: this.#part };
    this.#live.set(id, live);
    return live;
  }
}

function connectionOf(row: RowValues, path: string, placement: Placement): Connection {
  const { epochUs } = placement;
  const firstNs = (row.whole(10) - epochUs) * 1000 + row.whole(11);
  const after = (column: number): number | null => {
    const offsetNs = row.wholeOrNull(column);
    return offsetNs === null ? null : firstNs + offsetNs;
  };
  return {
    id: row.count(0) + placement.connectionsBefore,
    client: endpoint(row.text(1), row.count(2), path),
    server: endpoint(row.text(3), row.count(4), path),
    opening: wordAt(OPENINGS, row.word(6), path),
    vlans: vlansOf(row.textOrNull(15), path),
    tunnels: tunnelsOf(row.textOrNull(16), path),
    capture: row.count(17) + placement.capturesBefore,
    interfaceNumber: row.count(18) + placement.interfacesBefore,
    firstNs,
    lastNs: (row.whole(12) - epochUs) * 1000 + row.whole(13),
    synNs: after(19),
    synAckNs: after(20),
    ackNs: after(21),
    synRetransmissions: row.count(14),
    end: wordAt(CONNECTION_ENDS, row.word(7), path),
    fromClient: totals(row, CLIENT_TOTALS_AT),
    fromServer: totals(row, SERVER_TOTALS_AT),
    exchanges: row.count(9),
    history: row.text(8),
    sightings: placesOf(row.textOrNull(23), {
      path,
      firstNs,
      capturesBefore: placement.capturesBefore,
      interfacesBefore: placement.interfacesBefore,
      endpoint,
      vlans: (list) => vlansIn(list, path),
      tunnels: (list) => tunnelsIn(list, path),
    }),
    packetsElsewhere: row.count(24),
    protocol: wordAt(PROTOCOLS, row.word(5), path),
  };
}

function totals(row: RowValues, at: number): DirectionTotals {
  return {
    packets: row.count(at),
    ipBytes: row.count(at + 1),
    payloadBytes: row.count(at + 2),
    retransmissions: row.count(at + 3),
    outOfOrder: row.count(at + 4),
    zeroWindows: row.count(at + 5),
    keepAlives: row.count(at + 6),
    gaps: row.count(at + 7),
    gapBytes: row.count(at + 8),
  };
}

function endpoint(address: string, port: number, path: string): Endpoint {
  if (isIP(address) === 0) throw damagedStore(path, 'something else stands where an IP address should');
  return { address, port, text: address.includes(':') ? `[${address}]:${port}` : `${address}:${port}` };
}

function wordAt<Word extends string>(words: readonly Word[], place: number, path: string): Word {
  const word = words[place];
  if (word === undefined) throw damagedStore(path, `NULL where one of ${words.join(', ')} stands`);
  return word;
}

function vlansOf(text: string | null, path: string): readonly number[] {
  if (text === null) return NONE;
  return vlansIn(jsonList(path, text), path);
}

function vlansIn(list: unknown, path: string): readonly number[] {
  if (!Array.isArray(list)) throw damagedStore(path, 'VLAN ids are no list');
  return list.map((id: unknown) => {
    if (!Number.isSafeInteger(id)) throw damagedStore(path, 'a VLAN id is not a number');
    return id as number;
  });
}

function tunnelsOf(text: string | null, path: string): readonly Tunnel[] {
  if (text === null) return NONE;
  return tunnelsIn(jsonList(path, text), path);
}

function tunnelsIn(list: unknown, path: string): readonly Tunnel[] {
  if (!Array.isArray(list)) throw damagedStore(path, 'tunnels are no list');
  return list.map((one: unknown): Tunnel => {
    const { kind, id } = (one ?? {}) as { kind?: unknown; id?: unknown };
    if (!TUNNEL_KINDS.includes(kind as TunnelKind) || !(id === null || Number.isSafeInteger(id)))
      throw damagedStore(path, 'a tunnel is of no known kind');
    return { kind: kind as TunnelKind, id: id as number | null };
  });
}

const NONE: readonly never[] = Object.freeze([]);
