import { type TSchema, Type } from 'typebox';
import { BATCH_COLUMNS, BATCH_VERSION, TRANSFER_LIMITS } from '../../transfer/batch-columns.ts';
import { count, STREAM_PATTERN } from './common.ts';

const HEADER_NAME = { minLength: 1, maxLength: 800 } as const;

export const UploadHeadersSchema = Type.Object({
  'x-wirelens-agent': Type.Optional(
    Type.String({
      ...HEADER_NAME,
      description: 'name of the agent, 1 to 200 printable characters in UTF-8; a batch must have it',
    }),
  ),
  'x-wirelens-node': Type.Optional(Type.String({ ...HEADER_NAME, description: 'node that it runs on' })),
  'x-wirelens-pod': Type.Optional(Type.String({ ...HEADER_NAME, description: 'pod that it runs in' })),
  'x-wirelens-namespace': Type.Optional(Type.String({ ...HEADER_NAME, description: 'namespace of the pod' })),
  'x-wirelens-stream': Type.Optional(
    Type.String({
      pattern: STREAM_PATTERN,
      description: 'stream that the batch belongs to; with its number, or neither',
    }),
  ),
  'x-wirelens-batch': Type.Optional(
    Type.String({ pattern: '^[1-9][0-9]{0,15}$', description: 'number of the batch in the stream, from 1' }),
  ),
  'content-encoding': Type.Optional(
    Type.String({ enum: ['gzip', 'identity'], description: 'how the body is packed' }),
  ),
});

function columnSchema({ type, nullable, minimum, maximum, words }: (typeof BATCH_COLUMNS)[number]): TSchema {
  const plain =
    type === 'text'
      ? words === null
        ? Type.String()
        : Type.String({ enum: [...words] })
      : type === 'integer'
        ? Type.Integer({ minimum, maximum })
        : Type.Number({ minimum, maximum });
  const value = nullable ? Type.Union([plain, Type.Null()]) : plain;
  const forms: TSchema[] = [Type.Object({ all: value }, { additionalProperties: false }), Type.Array(value)];
  if (type === 'text') {
    const coded = {
      texts: Type.Array(plain),
      codes: Type.Array(Type.Integer({ minimum: nullable ? -1 : 0 })),
    };
    forms.push(Type.Object(coded, { additionalProperties: false }));
  }
  return Type.Union(forms);
}

export const BatchSchema = Type.Object(
  {
    v: Type.Literal(BATCH_VERSION),
    rows: Type.Integer({ minimum: 1, maximum: TRANSFER_LIMITS.rows }),
    columns: Type.Object(
      Object.fromEntries(BATCH_COLUMNS.map((column) => [column.name, columnSchema(column)])),
      { additionalProperties: false },
    ),
  },
  { additionalProperties: false, description: 'Exchanges in columns: docs/transfer.md' },
);

/** A Go program of LightObs sends it; unknown fields are skipped, as its server does. */
export const LightObsSchema = Type.Object(
  {
    timestamp: Type.Optional(Type.String({ description: 'RFC 3339', examples: ['2026-11-21T07:42:00Z'] })),
    src_ip: Type.String({ examples: ['10.244.0.7'] }),
    src_port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    dst_ip: Type.String({ examples: ['10.244.0.9'] }),
    dst_port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    pid: Type.Optional(Type.Integer()),
    http_method: Type.String({ minLength: 1 }),
    http_path: Type.String({ minLength: 1 }),
    status_code: Type.Integer({ minimum: 1, maximum: 999 }),
    latency_ms: Type.Optional(Type.Integer()),
    packet_size: Type.Optional(Type.Integer()),
  },
  { additionalProperties: true, description: 'One exchange as LightObs agents send it' },
);

export const AppendedSchema = Type.Object(
  {
    stored: count('exchanges stored as new ones'),
    joined: count('rows stored as a further observation of an exchange that another agent saw'),
    repeated_rows: count(
      'rows that were not stored because the same agent sent this very observation before: same uid, start, method and target',
    ),
    repeated: Type.Boolean({ description: 'the batch was there already; nothing was stored' }),
  },
  { description: 'Durable' },
);

export const StreamKeySchema = Type.Object(
  { stream: Type.String({ pattern: STREAM_PATTERN }) },
  { additionalProperties: false },
);

export const StreamStateSchema = Type.Object(
  {
    last: count('highest number stored; 0: none'),
    missing: Type.Array(Type.Array(Type.Integer(), { minItems: 2, maxItems: 2 }), {
      description: 'numbers below last that are not stored, as [from, to]',
    }),
  },
  { description: 'What is stored of a stream' },
);
