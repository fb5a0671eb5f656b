import { Type } from 'typebox';

/** Pieces that several schemas share. What validates is what the OpenAPI document shows. */

/** A name that people gave: no control, format or private characters, no lone surrogates. */
export const NAME_PATTERN = '^[^\\p{Cc}\\p{Cf}\\p{Cs}\\p{Co}\\p{Zl}\\p{Zp}]*$';
export const STREAM_PATTERN = '^[A-Za-z0-9._-]{1,64}$';

export const name = (description: string) =>
  Type.String({ minLength: 1, maxLength: 200, pattern: NAME_PATTERN, description });
export const count = (description: string) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description });
export const nullable = <S extends Parameters<typeof Type.Union>[0][number]>(
  schema: S,
  description: string,
) => Type.Union([schema, Type.Null()], { description });
export const instant = (description: string) => Type.String({ description, maxLength: 40 });

/** A time in a query: see src/model/moment.ts. */
export const moment = (description: string) =>
  Type.String({
    maxLength: 40,
    description: `${description}: RFC 3339, Unix seconds, or relative as -15m (s, m, h, d)`,
    examples: ['-15m'],
  });

export const ErrorSchema = Type.Object(
  {
    error: Type.String({ description: 'one sentence for people' }),
    code: Type.String({ description: 'kebab-case word for programs' }),
    hint: Type.Optional(Type.String({ description: 'what to do' })),
    excerpt: Type.Optional(
      Type.Object(
        { text: Type.String(), start: Type.Integer(), end: Type.Integer() },
        { description: 'the part of an expression that is wrong: [start, end) in UTF-16 units' },
      ),
    ),
    row: Type.Optional(Type.Integer({ description: 'row of an upload, from 1' })),
    column: Type.Optional(Type.String({ description: 'column or field of an upload' })),
  },
  { $id: 'Error', description: 'The request was not done' },
);

const answerError = (description: string) => ({ ...Type.Ref('Error#'), description });

/** The answers that every protected endpoint may give beside its own. */
export const FAILURES = {
  400: answerError('The request is not understood'),
  401: answerError('No token, or a wrong one'),
  403: answerError('A token of the other kind, or something that is switched off'),
  503: answerError('Not now; Retry-After says when, if later may succeed'),
} as const;

export const failure = answerError;
