import { durationText } from '../../filter/value-text.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import type { ColorChoice } from '../terminal.ts';
import type { ServerFlags } from './server-flags.ts';

/** Options of `wirelens query` as the command line gives them. */
export interface QueryFlags extends ServerFlags {
  readonly ip?: string;
  readonly where?: string;
  readonly from?: string;
  readonly to?: string;
  /** `15m` */
  readonly since?: string;
  readonly agent?: string;
  readonly node?: string;
  /** ns */
  readonly slow?: number;
  readonly sort?: string;
  readonly limit?: number;
  readonly follow?: boolean;
  readonly id?: string;
  /** What to group by; true: nothing is said. */
  readonly red?: string | true;
  readonly bucket?: string;
  readonly agents?: boolean;
  readonly sql?: string;
  readonly format: 'table' | 'json' | 'csv';
  readonly csvSafe?: boolean;
  readonly quiet?: boolean;
  readonly color: ColorChoice;
  readonly debug?: boolean;
}

/** What is asked for. */
export type Question = 'list' | 'follow' | 'id' | 'red' | 'agents' | 'sql';

/** Options that belong to some questions only. */
const MEANINGFUL: Readonly<Record<string, readonly Question[]>> = {
  ip: ['list', 'follow', 'red'],
  where: ['list', 'follow', 'red'],
  from: ['list', 'follow', 'red'],
  to: ['list', 'red'],
  since: ['list', 'follow', 'red'],
  agent: ['list', 'follow', 'red'],
  node: ['list', 'follow', 'red'],
  slow: ['list', 'follow', 'red'],
  sort: ['list'],
  limit: ['list', 'follow', 'red', 'sql'],
  bucket: ['red'],
};

/** Which question the options ask. @throws UserError when they ask two, or when one has no meaning for the other */
export function questionOf(flags: QueryFlags): Question {
  const asked: Question[] = [];
  if (flags.follow === true) asked.push('follow');
  if (flags.id !== undefined) asked.push('id');
  if (flags.red !== undefined) asked.push('red');
  if (flags.agents === true) asked.push('agents');
  if (flags.sql !== undefined) asked.push('sql');
  if (asked.length > 1) throw usage(`--${asked[0]} and --${asked[1]} are two questions`, 'ask one at a time');
  const question = asked[0] ?? 'list';
  for (const [name, questions] of Object.entries(MEANINGFUL)) {
    if (flags[name as keyof QueryFlags] === undefined || questions.includes(question)) continue;
    const about = question === 'list' ? 'without --red' : `with --${question}`;
    throw usage(`--${name} has no meaning ${about}`, 'leave it out');
  }
  if (flags.since !== undefined && flags.from !== undefined)
    throw usage('--since and --from both say where to begin', 'give one of them');
  if (flags.csvSafe === true && flags.format !== 'csv')
    throw usage('--csv-safe is about --format csv', 'leave it out');
  return question;
}

/** The parameters that choose exchanges. */
export function selectionOf(flags: QueryFlags): URLSearchParams {
  const parameters = new URLSearchParams();
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) parameters.set(name, value);
  };
  add('where', whereOf(flags));
  add('from', flags.since === undefined ? flags.from : `-${flags.since}`);
  add('to', flags.to);
  add('address', flags.ip);
  add('agent', flags.agent);
  add('node', flags.node);
  return parameters;
}

function whereOf({ where, slow }: QueryFlags): string | undefined {
  if (slow === undefined) return where;
  const long = `total >= ${durationText(slow)}`;
  return where === undefined ? long : `${long} && (${where})`;
}

export interface Order {
  readonly sort: string;
  readonly order: 'asc' | 'desc';
}

const SORTS = ['started', 'total', 'wait', 'status', 'request_bytes', 'response_bytes', 'id'];

/** `total`, `-total` and `total:desc` (largest first), `status:asc`. The newest and largest come first. */
export function orderOf(text: string | undefined): Order {
  const match = /^(-?)(.+?)(?::(asc|desc))?$/.exec((text ?? 'started').trim());
  const sort = match?.[2].replaceAll('-', '_') ?? '';
  if (match === null || !SORTS.includes(sort))
    throw usage(`--sort: there is no order '${text}'`, `orders: ${SORTS.join(', ')}`);
  return { sort, order: match[3] === 'asc' ? 'asc' : 'desc' };
}

export function usage(message: string, hint: string): UserError {
  return new UserError('usage', message, { hint, exitCode: EXIT.usage });
}
