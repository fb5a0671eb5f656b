import { nearest } from '../filter/suggestion.ts';

/** What ajv says of one mistake. */
export interface ValidationFailure {
  readonly keyword?: string;
  readonly instancePath?: string;
  readonly message?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly parentSchema?: { readonly properties?: Readonly<Record<string, unknown>> };
}

const PLACE: Readonly<Record<string, string>> = {
  querystring: 'query parameter',
  params: 'part of the path',
  headers: 'header field',
  body: 'field',
};
const LONGEST_SHOWN = 64;

/** One sentence for people about the first mistake, and what may have been meant. */
export function validationSentence(
  failures: readonly ValidationFailure[],
  context: string,
): { message: string; hint: string | null } {
  const [first] = failures;
  const place = PLACE[context] ?? 'field';
  if (first === undefined) return { message: 'the request is not understood', hint: null };
  const { keyword, params = {}, parentSchema } = first;
  if (keyword === 'additionalProperties') {
    const name = String(params.additionalProperty);
    const known = Object.keys(parentSchema?.properties ?? {});
    const meant = nearest(name, known);
    const hint = meant !== undefined ? `did you mean '${meant}'?` : knownHint(known);
    return { message: `unknown ${place} ${quoted(name)}`, hint };
  }
  if (keyword === 'required')
    return { message: `${place} ${quoted(String(params.missingProperty))} is missing`, hint: null };
  const name = (first.instancePath ?? '').slice(1).replace(/\//g, '.');
  const subject =
    name === '' ? (context === 'body' ? 'the body' : 'the request') : `${place} ${quoted(name)}`;
  if (keyword === 'enum')
    return {
      message: `${subject} must be one of ${(params.allowedValues as unknown[]).join(', ')}`,
      hint: null,
    };
  if (keyword === 'pattern')
    return { message: `${subject} is not in the form that is understood`, hint: null };
  return { message: `${subject} ${first.message ?? 'is not valid'}`, hint: null };
}

const knownHint = (known: readonly string[]): string | null =>
  known.length === 0 ? 'none is known here' : `known are ${known.join(', ')}`;

const quoted = (name: string): string =>
  `'${name.length <= LONGEST_SHOWN ? name : `${name.slice(0, LONGEST_SHOWN)}…`}'`;
