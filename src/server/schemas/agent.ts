import { Type } from 'typebox';
import { count, instant, NAME_PATTERN, name, nullable } from './common.ts';

const facts = {
  node: nullable(name('node'), 'node that it runs on'),
  pod: nullable(name('pod'), 'pod that it runs in'),
  namespace: nullable(name('namespace'), 'namespace of the pod'),
  version: Type.String({ minLength: 1, maxLength: 64, pattern: NAME_PATTERN, description: 'of Wirelens' }),
  started: Type.String({
    maxLength: 40,
    description: 'when it began, RFC 3339',
    examples: ['2026-11-21T07:42:00Z'],
  }),
  interfaces: Type.Array(Type.String({ maxLength: 200, pattern: NAME_PATTERN }), {
    maxItems: 1000,
    description: 'what it captures on',
  }),
  packets: count('packets captured'),
  packets_dropped: count('packets that the kernel or the agent dropped'),
  exchanges: count('exchanges seen'),
  exchanges_sent: count('exchanges that the server acknowledged'),
  exchanges_dropped: count('exchanges that were never sent'),
  backlog_batches: count('batches that wait'),
  backlog_bytes: count('bytes that wait'),
  rss_bytes: count('resident memory'),
  cpu_seconds: Type.Number({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'CPU time used' }),
  problem: nullable(Type.String({ maxLength: 1000 }), 'the last failure that still stands'),
} as const;

export const AgentKeySchema = Type.Object(
  { agent: name('name of the agent') },
  { additionalProperties: false },
);

export const AgentReportSchema = Type.Object(
  { agent: Type.Optional(name('the same as in the path')), ...facts },
  {
    additionalProperties: false,
    description: 'What an agent says of itself; counters only grow while it runs',
  },
);

const { node, pod, namespace, ...onlyReported } = facts;
const unlessReported = Object.fromEntries(
  Object.entries({
    ...onlyReported,
    // Names in reports of older versions were under other rules.
    version: Type.String(),
    interfaces: Type.Array(Type.String()),
  }).map(([key, schema]) => [key, Type.Union([schema, Type.Null()])]),
);

export const AgentsSchema = Type.Object(
  {
    agents: Type.Array(
      Type.Object({
        agent: Type.String(),
        node,
        pod,
        namespace,
        reports: Type.Boolean({
          description: 'it sent a report; else it only uploads, and what only a report says is null',
        }),
        ...unlessReported,
        first_seen: instant('first report or upload that is kept, RFC 3339'),
        last_seen: instant('last one'),
        stored: count('rows that the server has from it'),
      }),
    ),
  },
  { description: 'Who reports or uploads' },
);
