import { findField } from '../filter/fields.ts';
import { nearest } from '../filter/suggestion.ts';

const MEASURES = ['count', 'rate', 'error_share', 'share', 'min', 'max', 'mean', 'sum', 'p50', 'p90', 'p95', 'p99', 'p99.9']; // biome-ignore format: a list
/** What people who know other tools may write. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  avg: 'mean',
  average: 'mean',
  median: 'p50',
  errors: 'error_share',
  error_rate: 'error_share',
  requests: 'count',
  throughput: 'rate',
  rps: 'rate',
  maximum: 'max',
  minimum: 'min',
};

/** What is wrong with a word that is no measure, and what was probably meant. */
export function unknownMeasure(name: string): { readonly message: string; readonly hint: string } {
  const word = name.toLowerCase();
  const field = findField(word);
  if (field !== undefined) {
    const hint =
      field.type === 'duration' || field.type === 'bytes'
        ? `of a group, write p99(${word}), max(${word}) or mean(${word})`
        : `of a group, write share(${word} …) or count(${word} …)`;
    return { message: `${name} is a field of one exchange`, hint };
  }
  const meant = Object.hasOwn(OTHER_NAMES, word) ? OTHER_NAMES[word] : nearest(word, MEASURES);
  const hint = meant === undefined ? `measures are ${MEASURES.join(', ')}` : `did you mean ${meant}?`;
  return { message: `there is no measure ${name}`, hint };
}
