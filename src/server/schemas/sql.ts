import { Type } from 'typebox';

export const LONGEST_SQL = 20_000;

export const sqlRequestSchema = (mostRows: number) =>
  Type.Object(
    {
      sql: Type.String({
        minLength: 1,
        maxLength: LONGEST_SQL,
        description: 'one SELECT, in the SQL of DuckDB',
        examples: ['SELECT count(*) FROM exchanges'],
      }),
      limit: Type.Optional(
        Type.Integer({
          minimum: 1,
          maximum: mostRows,
          description: `most rows of the answer; ${mostRows} if left out`,
        }),
      ),
    },
    { additionalProperties: false },
  );

export const SqlAnswerSchema = Type.Object(
  {
    columns: Type.Array(Type.Object({ name: Type.String(), type: Type.String() })),
    rows: Type.Array(Type.Array(Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])), {
      description: 'integers beyond 2^53 are text',
    }),
    truncated: Type.Boolean({ description: 'there were more rows' }),
    milliseconds: Type.Number(),
  },
  { description: 'Rows' },
);
