import { CONNECTION_ENDS, OPENINGS, OUTCOMES, PAIRINGS, PROTOCOLS } from './words.ts';

/**
 * The tables of the SQLite file. One source for three things: the CREATE TABLE text (whose comments survive
 * in sqlite_master, so `.schema` explains itself), docs/sqlite-schema.md, and the order in which values are bound.
 */

/** `PRAGMA user_version`: raised whenever a table or view changes in a way that a query could notice. */
export const SCHEMA_VERSION = 4;
/** `PRAGMA application_id`: `WrLn`. */
export const APPLICATION_ID = 0x57724c6e;

export interface Column {
  readonly name: string;
  readonly type: string;
  /** One sentence: meaning, unit, and what NULL means. */
  readonly about: string;
}

export interface Table {
  readonly name: string;
  readonly about: string;
  readonly columns: readonly Column[];
  /** For whom: `public` tables are what people query; `storage` tables are read through views. */
  readonly use: 'public' | 'storage';
}

const column = (name: string, type: string, about: string): Column => ({ name, type, about });

const TOTALS = (side: 'client' | 'server'): Column[] => [
  column(`${side}_packets`, 'INTEGER', `TCP segments from the ${side}`),
  column(
    `${side}_ip_bytes`,
    'INTEGER',
    `bytes of the IP packets from the ${side}: headers, payload, duplicates`,
  ),
  column(
    `${side}_payload_bytes`,
    'INTEGER',
    `payload bytes from the ${side} on the wire, duplicates included`,
  ),
  column(`${side}_retransmissions`, 'INTEGER', `retransmitted segments from the ${side}`),
  column(`${side}_out_of_order`, 'INTEGER', `segments from the ${side} that came out of order`),
  column(`${side}_zero_windows`, 'INTEGER', `times the ${side} closed its receive window`),
  column(`${side}_keep_alives`, 'INTEGER', `keep-alive probes from the ${side}`),
  column(`${side}_gaps`, 'INTEGER', `holes in the bytes from the ${side} that the capture does not hold`),
  column(`${side}_gap_bytes`, 'INTEGER', `bytes in those holes`),
];

/** Storage of exchanges. What is indexed comes first: reading a row stops at the last column needed. */
export const EXCHANGE_ROWS: Table = {
  name: 'exchange_rows',
  use: 'storage',
  about:
    'Exchanges as stored: repeated texts are numbers into hosts, targets and strings, durations are whole ns. Query the view exchanges instead.',
  columns: [
    column('id', 'INTEGER PRIMARY KEY', '1-based, in the order in which exchanges came to their end'),
    column(
      'started_us',
      'INTEGER',
      "request's first byte (response's for orphans), Unix time in µs, rounded down",
    ),
    column('status', 'INTEGER', 'status code; 0: an answer of HTTP/0.9, which has none; NULL: no response'),
    column('host_id', 'INTEGER', 'hosts.id; NULL: no Host field, or no request'),
    column('total_ns', 'INTEGER', "request's first byte to response's last byte, ns"),
    column('target_id', 'INTEGER', 'targets.id; NULL: no request'),
    column('method_id', 'INTEGER', 'strings.id; NULL: no request'),
    column('connection_id', 'INTEGER', 'connections.id'),
    column('reversed', 'INTEGER', "1: the request came from the connection's server; nearly always 0"),
    column('outcome', 'TEXT', OUTCOMES.join(', ')),
    column('position', 'INTEGER', '1-based position on the connection'),
    column('started_ns', 'INTEGER', 'nanoseconds beyond started_us, 0 to 999'),
    column('connect_ns', 'INTEGER', 'ns; see exchanges.connect_ms'),
    column(
      'request_span_ns',
      'INTEGER',
      "request's first byte to its last, ns; NULL: the last was not seen, or no request",
    ),
    column(
      'response_offset_ns',
      'INTEGER',
      "request's first byte to response's first, ns; NULL: only one of them",
    ),
    column(
      'response_span_ns',
      'INTEGER',
      "response's first byte to its last, ns; NULL: the last was not seen, or no response",
    ),
    column('request_packet', 'INTEGER', "packet number of the request's first byte"),
    column('response_packet', 'INTEGER', "packet number of the response's first byte"),
    column('request_header_bytes', 'INTEGER', 'start line and header section'),
    column('request_body_bytes', 'INTEGER', 'body on the wire'),
    column('response_header_bytes', 'INTEGER', 'start line and header section'),
    column('response_body_bytes', 'INTEGER', 'body on the wire'),
    column('request_lost_bytes', 'INTEGER', 'bytes that the capture does not hold'),
    column('response_lost_bytes', 'INTEGER', 'bytes that the capture does not hold'),
    column('ending', 'TEXT', 'why it is not complete; NULL when it is'),
    column('pairing', 'TEXT', PAIRINGS.join(', ')),
    column('reason_id', 'INTEGER', 'strings.id'),
    column('request_version_id', 'INTEGER', 'strings.id'),
    column('response_version_id', 'INTEGER', 'strings.id'),
    column('request_media_type_id', 'INTEGER', 'strings.id'),
    column('response_media_type_id', 'INTEGER', 'strings.id'),
    column('user_agent_id', 'INTEGER', 'strings.id'),
    column('request_headers_id', 'INTEGER', 'strings.id of a JSON text'),
    column('response_headers_id', 'INTEGER', 'strings.id of a JSON text'),
    column('interim_id', 'INTEGER', 'strings.id of a JSON text; NULL: none'),
    column('request_capture', 'INTEGER', 'captures.id'),
    column('response_capture', 'INTEGER', 'captures.id'),
    column('request_retransmissions', 'INTEGER', 'segments of the request sent again'),
    column('response_retransmissions', 'INTEGER', 'segments of the response sent again'),
    column('request_out_of_order', 'INTEGER', 'segments of the request out of order'),
    column('response_out_of_order', 'INTEGER', 'segments of the response out of order'),
    column('client_zero_windows', 'INTEGER', 'times the client closed its receive window'),
    column('server_zero_windows', 'INTEGER', 'times the server closed its receive window'),
    column('anomaly_count', 'INTEGER', 'rows in anomalies'),
    column('sightings_id', 'INTEGER', 'strings.id of a JSON text; NULL: seen at one place'),
    column('uid_high', 'INTEGER', 'first half of exchanges.uid as a number; NULL: not known'),
    column('uid_low', 'INTEGER', 'second half of exchanges.uid as a number; NULL: not known'),
  ],
};

export const CONNECTIONS: Table = {
  name: 'connections',
  use: 'public',
  about: 'One row per TCP connection, HTTP or not.',
  columns: [
    column('id', 'INTEGER PRIMARY KEY', "1-based, in the order of the connections' first packets"),
    column(
      'client',
      'TEXT',
      'address of who opened it, or of who sent the requests when the opening is missing',
    ),
    column('client_port', 'INTEGER', 'TCP port'),
    column('server', 'TEXT', 'address'),
    column('server_port', 'INTEGER', 'TCP port'),
    column('protocol', 'TEXT', `${PROTOCOLS.join(', ')}; none: no payload seen`),
    column('opening', 'TEXT', `how much of the handshake was captured: ${OPENINGS.join(', ')}`),
    column('end', 'TEXT', CONNECTION_ENDS.join(', ')),
    column(
      'history',
      'TEXT',
      "what happened, in Zeek's letters, each once: S SYN, H SYN/ACK, A bare ACK, D payload, F FIN, R RST, G gap, T retransmission, W closed window, Q odd flags; capitals from the client, small from the server, ^ roles turned round; NULL: nothing",
    ),
    column('exchanges', 'INTEGER', 'exchanges that came out of it'),
    column('first_us', 'INTEGER', 'first packet, Unix time in µs, rounded down'),
    column('first_ns', 'INTEGER', 'nanoseconds beyond first_us, 0 to 999'),
    column('last_us', 'INTEGER', 'last packet, Unix time in µs, rounded down'),
    column('last_ns', 'INTEGER', 'nanoseconds beyond last_us, 0 to 999'),
    column('handshake_ms', 'REAL', "SYN to the client's ACK; NULL: not captured"),
    column('syn_ack_ms', 'REAL', 'SYN to SYN/ACK, the way to the server and back; NULL: not captured'),
    column('syn_retransmissions', 'INTEGER', 'SYNs sent again'),
    ...TOTALS('client'),
    ...TOTALS('server'),
    column('vlans', 'TEXT', 'JSON array of VLAN ids, outermost first; NULL: none'),
    column('tunnels', 'TEXT', 'JSON array of {"kind", "id"}, outermost first; NULL: none'),
    column(
      'places',
      'TEXT',
      'JSON array of the places where it was seen, its own one first: {"capture", "interface", "interface_index", "client", "client_port", "server", "server_port", "vlans", "tunnels", "first_ns", "packets"}; NULL: one place. The view sightings has them by exchange',
    ),
    column('packets_elsewhere', 'INTEGER', 'packets seen at places beyond the limit'),
    column('capture', 'INTEGER', 'captures.id that first saw it'),
    column('interface', 'INTEGER', 'number in captures.interfaces that first saw it'),
    column('syn_offset_ns', 'INTEGER', 'SYN, ns after the first packet; NULL: not captured'),
    column('syn_ack_offset_ns', 'INTEGER', 'SYN/ACK, ns after the first packet; NULL: not captured'),
    column(
      'ack_offset_ns',
      'INTEGER',
      "client's first ACK after the SYN/ACK, ns after the first packet; NULL: not captured",
    ),
    column('continues', 'INTEGER', '1: not final, the connection is also in a later part of the run; else 0'),
  ],
};

export const HOSTS: Table = {
  name: 'hosts',
  use: 'storage',
  about: 'Distinct Host fields. The same text may have several rows.',
  columns: [column('id', 'INTEGER PRIMARY KEY', 'number'), column('host', 'TEXT', 'as sent')],
};

export const TARGETS: Table = {
  name: 'targets',
  use: 'storage',
  about: 'Distinct request targets. The same text may have several rows.',
  columns: [
    column('id', 'INTEGER PRIMARY KEY', 'number'),
    column('target', 'TEXT', 'as sent, secrets in its query masked'),
    column('path', 'TEXT', 'without scheme, authority and query; NULL: the same as target'),
    column('route', 'TEXT', 'template of the path; NULL: the same as the path'),
  ],
};

export const STRINGS: Table = {
  name: 'strings',
  use: 'storage',
  about: 'Distinct other texts. The same text may have several rows.',
  columns: [column('id', 'INTEGER PRIMARY KEY', 'number'), column('text', 'TEXT', 'the text')],
};

export const ANOMALIES_TABLE: Table = {
  name: 'anomalies',
  use: 'public',
  about: 'What was odd about an exchange, one row each; anomalies_explained adds the sentences.',
  columns: [
    column('exchange_id', 'INTEGER', 'exchanges.id'),
    column('code', 'TEXT', 'stable kebab-case name, anomaly_codes.code'),
  ],
};

export const ANOMALY_CODES: Table = {
  name: 'anomaly_codes',
  use: 'public',
  about: 'Every anomaly that this version knows, whether it occurs here or not.',
  columns: [
    column('code', 'TEXT PRIMARY KEY', 'stable kebab-case name'),
    column('meaning', 'TEXT', 'one sentence'),
  ],
};

export const CAPTURES: Table = {
  name: 'captures',
  use: 'public',
  about: 'One row per input. In the last part of a file that was rolled over.',
  columns: [
    column('id', 'INTEGER PRIMARY KEY', '0-based, in the order given'),
    column('path', 'TEXT', 'as given; - is standard input'),
    column('format', 'TEXT', 'pcap or pcapng'),
    column('compression', 'TEXT', 'none, gzip, zstd'),
    column('byte_order', 'TEXT', 'little or big'),
    column('packets', 'INTEGER', 'packets read'),
    column('captured_bytes', 'INTEGER', 'packet bytes in the capture'),
    column('original_bytes', 'INTEGER', 'packet bytes on the wire'),
    column('file_bytes', 'INTEGER', 'bytes of the capture read, after decompression'),
    column('first_us', 'INTEGER', 'earliest packet, Unix time in µs; NULL: no packet'),
    column('first_ns', 'INTEGER', 'nanoseconds beyond first_us, 0 to 999'),
    column('last_us', 'INTEGER', 'latest packet, Unix time in µs; NULL: no packet'),
    column('last_ns', 'INTEGER', 'nanoseconds beyond last_us, 0 to 999'),
    column(
      'interfaces',
      'TEXT',
      'JSON array: number, name, linkType, snaplen, timeDigits, packets, received, dropped',
    ),
    column(
      'kernel_drops',
      'INTEGER',
      'packets that the kernel dropped, by the capture itself; NULL: it does not say',
    ),
    column('comments', 'TEXT', 'JSON array: scope, packet, text'),
    column('comments_dropped', 'INTEGER', 'comments beyond the limit'),
    column('skipped_blocks', 'TEXT', 'JSON object: pcapng block type to count'),
    column('time_reversals', 'INTEGER', "packets whose time is earlier than their predecessor's"),
    column('damage', 'TEXT', 'what was wrong where reading stopped; NULL: the capture is whole'),
    column('damage_packet', 'INTEGER', 'last whole packet before the damage'),
    column('damage_byte_offset', 'INTEGER', 'where reading stopped'),
  ],
};

export const LEDGER: Table = {
  name: 'ledger',
  use: 'public',
  about: 'What was counted: nothing disappears silently. In the last part of a file that was rolled over.',
  columns: [
    column('name', 'TEXT PRIMARY KEY', 'counter; `not_used.…` are the reasons for packets not used'),
    column('value', 'INTEGER', 'count; for `balances` 1: every equation holds, 0: not'),
    column('meaning', 'TEXT', 'one sentence'),
  ],
};

export const META: Table = {
  name: 'meta',
  use: 'public',
  about: 'Facts about the file itself.',
  columns: [
    column('name', 'TEXT PRIMARY KEY', 'name'),
    column('value', 'TEXT', 'value'),
    column('meaning', 'TEXT', 'one sentence'),
  ],
};

export const TABLES: readonly Table[] = [
  CONNECTIONS,
  ANOMALIES_TABLE,
  ANOMALY_CODES,
  CAPTURES,
  LEDGER,
  META,
  EXCHANGE_ROWS,
  HOSTS,
  TARGETS,
  STRINGS,
];

/** Built after loading: each costs 0.1 to 0.2 s per 340,000 exchanges, so they are few. */
export const INDEXES: readonly { name: string; on: string; about: string }[] = [
  { name: 'exchanges_by_started', on: 'exchange_rows (started_us)', about: 'time ranges' },
  { name: 'exchanges_by_status', on: 'exchange_rows (status)', about: 'status codes, NULL included' },
  { name: 'exchanges_by_host', on: 'exchange_rows (host_id)', about: 'host = …' },
  { name: 'hosts_by_host', on: 'hosts (host)', about: 'host = …' },
  { name: 'anomalies_by_exchange', on: 'anomalies (exchange_id)', about: 'anomalies of an exchange' },
];
