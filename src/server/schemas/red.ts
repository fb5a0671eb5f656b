import { Type } from 'typebox';
import { RED_GROUPS } from '../../store/exchange-store.ts';
import { count, nullable } from './common.ts';
import { selection, timeRange } from './exchange.ts';

export const LARGEST_RED = 10_000;

export const RedQuerySchema = Type.Object(
  {
    ...selection,
    ...timeRange,
    by: Type.Optional(
      Type.String({
        maxLength: 200,
        description: `what to group by, separated by commas: ${RED_GROUPS.join(', ')}; left out: one row in all`,
        examples: ['route,server'],
      }),
    ),
    bucket: Type.Optional(
      Type.String({
        pattern: '^[1-9][0-9]{0,8}(s|m|min|h|d)?$',
        description: 'width of time buckets, whole seconds or more: 60s, 5m, 1h, 1d; left out: no buckets',
        examples: ['60s'],
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: LARGEST_RED,
        description: 'most rows, those with most requests first; 1000 if left out',
      }),
    ),
  },
  { additionalProperties: false },
);

const duration = (description: string) => nullable(Type.Number(), description);

export const RedAnswerSchema = Type.Object(
  {
    by: Type.Array(Type.String({ enum: [...RED_GROUPS] })),
    bucket_s: nullable(Type.Integer(), 'width of the buckets'),
    groups: Type.Array(
      Type.Object(
        {
          ...Object.fromEntries(
            RED_GROUPS.map((group) => [
              group,
              Type.Optional(Type.Union([Type.String(), Type.Number(), Type.Null()])),
            ]),
          ),
          bucket: nullable(Type.String(), 'begin of the bucket, RFC 3339'),
          bucket_us: nullable(Type.Integer(), 'the same in µs of Unix time'),
          requests: count('requests seen'),
          requests_per_s: duration('rate over the span asked for, or between first and last'),
          client_errors: count('status 400 to 499'),
          server_errors: count('status 500 to 599'),
          unanswered: count('no response at all'),
          error_ratio: Type.Number({ description: '(server_errors + unanswered) / requests' }),
          p50_ms: duration('median of total_ms, exact, by nearest rank'),
          p90_ms: duration('90th percentile'),
          p99_ms: duration('99th percentile'),
          max_ms: duration('longest'),
        },
        { additionalProperties: false },
      ),
    ),
  },
  { description: 'Rate, errors, durations' },
);
