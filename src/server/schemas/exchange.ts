import { Type } from 'typebox';
import { SORTS } from '../../store/exchange-store.ts';
import { BATCH_COLUMNS, type BatchColumnFacts } from '../../transfer/batch-columns.ts';
import { moment, nullable } from './common.ts';

/** What a column of the relation `exchanges` looks like in an answer. */
function valueSchema({ type, nullable: canBeNull, words }: BatchColumnFacts) {
  const plain =
    type === 'text'
      ? words === null
        ? Type.String()
        : Type.String({ enum: [...words] })
      : type === 'integer'
        ? Type.Integer()
        : Type.Number();
  return canBeNull ? Type.Union([plain, Type.Null()]) : plain;
}

const columns = Object.fromEntries(BATCH_COLUMNS.map((column) => [column.name, valueSchema(column)]));

/** `exchanges` has these of the columns that travel; the others are in tables of their own. */
const IN_TABLES = new Set(['anomalies', 'vlans', 'tunnels', 'sightings']);
const optional = Object.fromEntries(
  Object.entries(columns)
    .filter(([key]) => IN_TABLES.has(key))
    .map(([key, schema]) => [key, Type.Optional(schema)]),
);

export const ExchangeSchema = Type.Object(
  {
    id: Type.Integer({ description: "the server's number of it, in the order in which they came" }),
    started: Type.String({ description: 'started_us as RFC 3339 in UTC' }),
    ...Object.fromEntries(Object.entries(columns).filter(([key]) => !IN_TABLES.has(key))),
    ...optional,
    agent: Type.String({ description: 'who saw it' }),
    node: nullable(Type.String(), 'where'),
    pod: nullable(Type.String(), 'where'),
    namespace: nullable(Type.String(), 'where'),
    received_us: Type.Integer({ description: 'when the server stored it, Unix time in µs' }),
  },
  {
    $id: 'Exchange',
    description:
      'One exchange: the columns of the relation exchanges (docs/sqlite-schema.md) and who saw it. Durations in ms.',
  },
);

/** Of an exchange in an answer. */
export const EXCHANGE_COLUMN_NAMES: readonly string[] = Object.keys(ExchangeSchema.properties);

/** Which exchanges: parameters that list, RED and live streams share. */
export const selection = {
  where: Type.Optional(
    Type.String({
      maxLength: 10_000,
      description: 'expression of the filter language',
      examples: ['status >= 500 && wait > 200ms'],
    }),
  ),
  address: Type.Optional(
    Type.String({ maxLength: 45, description: 'client or server address', examples: ['10.0.0.1'] }),
  ),
  agent: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'an agent of this name saw it' }),
  ),
  node: Type.Optional(
    Type.String({ minLength: 1, maxLength: 200, description: 'an agent on this node saw it' }),
  ),
} as const;

export const timeRange = {
  from: Type.Optional(moment('started at this time or later')),
  to: Type.Optional(moment('started before this time')),
} as const;

export const LARGEST_PAGE = 2000;

export const ListQuerySchema = Type.Object(
  {
    ...selection,
    ...timeRange,
    sort: Type.Optional(Type.String({ enum: [...SORTS], description: 'started if left out' })),
    order: Type.Optional(Type.String({ enum: ['asc', 'desc'], description: 'desc if left out' })),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LARGEST_PAGE,
        description: 'most exchanges on a page; 100 if left out',
      }),
    ),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 2000, description: '`next` of the page before' }),
    ),
    columns: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 2000,
        description:
          'names of the columns that are wanted, separated by commas; left out: all. Fewer come sooner',
        examples: ['id,started,client,status'],
      }),
    ),
    after_id: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: Number.MAX_SAFE_INTEGER,
        description:
          'only what arrived after this id, with its own row or with a later observation that has what is asked for; sort=id is then the order of arrival',
      }),
    ),
  },
  { additionalProperties: false },
);

export const ListAnswerSchema = Type.Object(
  {
    exchanges: Type.Array(
      Type.Union([
        Type.Ref('Exchange#'),
        Type.Object({}, { additionalProperties: true, description: 'with `columns`, those alone' }),
      ]),
    ),
    next: nullable(Type.String(), 'cursor of the next page; null: this was the last'),
    last_id: Type.Integer({
      description:
        'after_id for what comes next, when sort is id and order asc; in other orders the highest id that there is',
    }),
  },
  { description: 'A page of exchanges' },
);

export const KeySchema = Type.Object(
  {
    id: Type.String({
      pattern: '^([1-9][0-9]{0,15}|[0-9a-fA-F]{16})$',
      description: "the server's id, or the uid: 16 hexadecimal digits",
      examples: ['1'],
    }),
  },
  { additionalProperties: false },
);

export const DetailSchema = Type.Object(
  {
    exchange: Type.Ref('Exchange#'),
    observations: Type.Array(Type.Object({}, { additionalProperties: true }), {
      description: 'every sighting of it, nearest to the client first; columns as of exchanges',
    }),
    apart: Type.Union(
      [
        Type.Object({
          client_side_ms: Type.Number(),
          server_side_ms: Type.Number(),
          network_ms: Type.Number(),
          clock_offset_ms: Type.Number(),
        }),
        Type.Null(),
      ],
      { description: 'where the time went, when two agents saw it' },
    ),
  },
  { description: 'One exchange in full' },
);
