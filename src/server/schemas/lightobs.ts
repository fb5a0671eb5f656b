import { Type } from 'typebox';

/** Anything is accepted here, as LightObs does: what is not understood counts as not given. */
const loose = (description: string) =>
  Type.Optional(Type.Union([Type.String(), Type.Array(Type.String())], { description }));

export const LightObsQuerySchema = Type.Object(
  {
    ip: Type.Optional(
      Type.Union([Type.String(), Type.Array(Type.String())], {
        description: 'client or server address',
        examples: ['10.0.0.1'],
      }),
    ),
    pid: loose('accepted; nothing knows it, so the answer is empty'),
    limit: loose('1 to 2000; anything else is 200'),
  },
  { additionalProperties: true },
);

export const LightObsAnswerSchema = Type.Array(
  Type.Object(
    {
      timestamp: Type.String(),
      src_ip: Type.String(),
      src_port: Type.Integer(),
      dst_ip: Type.String(),
      dst_port: Type.Integer(),
      pid: Type.Integer(),
      http_method: Type.String(),
      http_path: Type.String(),
      status_code: Type.Integer(),
      latency_ms: Type.Integer(),
      packet_size: Type.Integer(),
    },
    { additionalProperties: false },
  ),
  { description: 'Newest first' },
);
