import { FIELDS, findField } from '../filter/fields.ts';
import { nearest, suggestField } from '../filter/suggestion.ts';
import { EXIT, UserError } from '../model/errors.ts';
import type { GroupField } from './group-table.ts';
import { findMetric, METRICS, type Metric } from './metric.ts';
import { type Percentile, percentile } from './percentiles.ts';
import { parseSort, type SortOrder } from './sort.ts';
import type { StatQuestion } from './stat-question.ts';
import type { Ranking } from './top-exchanges.ts';

/** The words of the command line about groups. */
export interface QuestionWords {
  readonly by?: string;
  readonly metric?: string;
  readonly percentiles?: string;
  /** Lists exchanges that took at least so many ns, or however long. */
  readonly slow?: number | 'any';
  readonly bigRequest?: boolean;
  readonly bigResponse?: boolean;
  readonly every?: string;
  readonly sort?: string;
  readonly limit?: number;
  readonly plainRoutes?: boolean;
}

export interface Asked {
  readonly question: StatQuestion;
  readonly sort: SortOrder;
  /** Header fields that must be kept for the groups. */
  readonly headers: readonly string[];
}

const DEFAULT_BY = 'method,host,route';
const DEFAULT_PERCENTILES = '50,90,99';
const MOST_FIELDS = 8;
const MOST_PERCENTILES = 20;
const EXCHANGES_LISTED = 10;

/** @throws UserError (usage) with what is wrong, and what was probably meant */
export function askedFor(words: QuestionWords): Asked {
  const ranking = rankingOf(words);
  const metric = metricOf(words.metric, ranking);
  const fields = fieldsOf(words.by ?? DEFAULT_BY, words.plainRoutes === true);
  const sort = parseSort(words.sort ?? (ranking === null ? 'count' : 'max'));
  return {
    question: {
      by: fields,
      metric,
      percentiles: percentilesOf(words.percentiles ?? DEFAULT_PERCENTILES, sort),
      times: words.every !== undefined,
      ranking,
      listed: words.limit ?? EXCHANGES_LISTED,
      listedFrom: typeof words.slow === 'number' ? words.slow : 0,
    },
    sort,
    headers: fields.flatMap(({ field }) =>
      (field.type === 'texts' || field.type === 'words') && field.header !== null ? [field.header] : [],
    ),
  };
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

function rankingOf({ slow, bigRequest, bigResponse }: QuestionWords): Ranking | null {
  const asked: Ranking[] = [];
  if (slow !== undefined) asked.push('slow');
  if (bigRequest === true) asked.push('big-request');
  if (bigResponse === true) asked.push('big-response');
  if (asked.length > 1) throw usage(`--${asked.join(' and --')} exclude each other`, 'ask for one at a time');
  return asked[0] ?? null;
}

function metricOf(name: string | undefined, ranking: Ranking | null): Metric {
  const implied =
    ranking === 'big-request' ? 'request.bytes' : ranking === 'big-response' ? 'response.bytes' : undefined;
  const wanted = name ?? implied ?? 'total';
  const found = findMetric(wanted);
  if (found === undefined) {
    const names = METRICS.map((metric) => metric.name);
    const near = nearest(wanted, names);
    throw usage(
      `--metric: there is no '${wanted}'`,
      `${near === undefined ? '' : `did you mean ${near}? `}it is one of ${names.join(', ')}`,
    );
  }
  if (implied !== undefined && implied !== found.name)
    throw usage(`--${ranking} goes by ${implied}, not by ${found.name}`, 'leave --metric out');
  if (ranking === 'slow' && found.unit !== 'ns')
    throw usage(`--slow goes by a time, not by ${found.name}`, 'use --big-request or --big-response');
  return found;
}

/** Splits at commas that are not within brackets or quotes: `status,header["a,b"]`. */
function split(text: string): string[] {
  return [...text.matchAll(/(?:\[[^\]]*\]|[^,[]|\[)+/g)]
    .map(([part]) => part.trim())
    .filter((part) => part !== '');
}

function fieldsOf(text: string, plainRoutes: boolean): GroupField[] {
  const names = [...new Set(split(text))];
  if (names.length === 1 && names[0] === 'none') return [];
  if (names.length === 0)
    throw usage('--by names no field', 'such as --by route,status; wirelens fields lists them');
  if (names.length > MOST_FIELDS) throw usage(`--by takes at most ${MOST_FIELDS} fields`, 'name fewer');
  return names.map((name) => {
    const field = findField(name);
    if (field === undefined) {
      const groupable = FIELDS.filter((one) => one.groupable).map((one) => one.name);
      const near = suggestField(name, groupable);
      throw usage(
        `--by: there is no field '${name}'`,
        near === undefined ? 'wirelens fields lists them' : `did you mean ${near}?`,
      );
    }
    if (!field.groupable) {
      throw usage(
        `--by: every exchange has its own ${name}, so it makes no groups`,
        field.type === 'time'
          ? '--every shows requests by time'
          : field.type === 'duration'
            ? `--metric ${METRICS.some((metric) => metric.name === name) ? name : 'total'} shows percentiles of it`
            : 'wirelens fields lists the others',
      );
    }
    return { field, learned: name === 'route' && !plainRoutes };
  });
}

function percentilesOf(text: string, sort: SortOrder): Percentile[] {
  const found = new Map<number, Percentile>();
  const parts = text.split(',').map((part) => part.trim());
  for (const part of parts) {
    const one = percentile(part);
    if (one === null)
      throw usage(
        `--percentiles: '${part}' is not a percentile`,
        'a number above 0 and up to 100, such as 99.9',
      );
    found.set(one.thousandths, one);
  }
  // What is sorted by is shown.
  const sorted = /^p\d/i.test(sort.column) ? percentile(sort.column.replace(/_(ms|bytes)$/, '')) : null;
  if (sorted !== null) found.set(sorted.thousandths, sorted);
  if (found.size > MOST_PERCENTILES)
    throw usage(`--percentiles takes at most ${MOST_PERCENTILES}`, 'name fewer');
  return [...found.values()].sort((a, b) => a.thousandths - b.thousandths);
}
