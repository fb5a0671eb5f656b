import { nearest } from '../filter/suggestion.ts';
import { EXIT, UserError } from '../model/errors.ts';
import { COLUMN_ALIASES, type StatColumn } from './columns.ts';
import type { GroupValue } from './group-table.ts';
import type { StatGroup } from './stat-report.ts';

export interface SortOrder {
  readonly column: string;
  /** undefined: largest numbers first, texts in the order of the alphabet. */
  readonly direction: 'asc' | 'desc' | undefined;
}

/** `p99`, `-p99` and `p99:desc` (largest first), `host:asc`. */
export function parseSort(text: string): SortOrder {
  const match = /^(-?)(.+?)(?::(asc|desc))?$/.exec(text.trim());
  if (match === null) throw usage('--sort needs the name of a column', 'such as --sort p99');
  const named = match[3] as 'asc' | 'desc' | undefined;
  return { column: match[2], direction: named ?? (match[1] === '-' ? 'desc' : undefined) };
}

/** The column to sort by. @throws UserError with the name that was probably meant */
export function sortColumn(columns: readonly StatColumn[], { column }: SortOrder): StatColumn {
  const wanted = Object.hasOwn(COLUMN_ALIASES, column) ? COLUMN_ALIASES[column] : column;
  const found = columns.find(({ name, unitName }) => name === wanted || unitName === wanted);
  if (found !== undefined) return found;
  const names = columns.map(({ name }) => name);
  const near = nearest(column, [...names, ...Object.keys(COLUMN_ALIASES)]);
  throw usage(
    `--sort: there is no column '${column}'`,
    `${near === undefined ? '' : `did you mean ${near}? `}columns: ${names.join(', ')}`,
  );
}

function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}

/**
 * Groups in order; unknown values last, the group for the rest after everything. Of equal groups the one with more
 * requests comes first, then by their values.
 */
export function sorted(
  groups: readonly StatGroup[],
  column: StatColumn,
  direction: SortOrder['direction'],
): StatGroup[] {
  const natural = column.kind === 'field' ? 1 : -1;
  const sign = direction === undefined ? natural : direction === 'asc' ? 1 : -1;
  const keys = new Map(groups.map((group) => [group, JSON.stringify(group.values)]));
  return [...groups].sort((a, b) => {
    if (a.kind !== b.kind) return a.kind === 'other' ? 1 : -1;
    return (
      compare(column.value(a), column.value(b), sign) ||
      b.counts.requests - a.counts.requests ||
      compare(keys.get(a) ?? '', keys.get(b) ?? '', 1)
    );
  });
}

function compare(a: GroupValue, b: GroupValue, sign: number): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return (a < b ? -1 : 1) * sign;
}
