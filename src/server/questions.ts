import { type Filter, parseFilter } from '../filter/filter.ts';
import { nearest } from '../filter/suggestion.ts';
import { parseMoment } from '../model/moment.ts';
import { RED_GROUPS, type RedGroup, type Selection } from '../store/exchange-store.ts';
import { plainAddress } from './address.ts';
import { AnswerError } from './answer-error.ts';
import { EXCHANGE_COLUMN_NAMES } from './schemas/exchange.ts';

/** Parameters that lists, RED and live streams share, checked for their types. */
export interface SelectionParameters {
  readonly where?: string;
  readonly from?: string;
  readonly to?: string;
  readonly address?: string;
  readonly agent?: string;
  readonly node?: string;
}

/** @throws UserError `filter`; AnswerError 400 `invalid-time`, `invalid-address` */
export function selectionOf(parameters: SelectionParameters, nowUs: number): Selection {
  const { where, from, to, address, agent, node } = parameters;
  return {
    where: where === undefined || where.trim() === '' ? null : filterOf(where),
    fromUs: from === undefined ? null : momentOf('from', from, nowUs),
    toUs: to === undefined ? null : momentOf('to', to, nowUs),
    address: address === undefined ? null : addressOf(address),
    agent: agent ?? null,
    node: node ?? null,
  };
}

const filterOf = (text: string): Filter => parseFilter(text);

function momentOf(name: string, text: string, nowUs: number): number {
  const us = parseMoment(text, nowUs);
  if (us !== null) return us;
  throw new AnswerError(400, 'invalid-time', `query parameter '${name}' is not a time`, {
    hint: 'write RFC 3339 (2026-11-21T07:42:00Z), Unix seconds, or -15m for 15 minutes ago',
  });
}

function addressOf(text: string): string {
  const address = plainAddress(text);
  if (address !== null) return address;
  throw new AnswerError(400, 'invalid-address', "query parameter 'address' is not an IP address", {
    hint: 'networks go into where, as client in 10.0.0.0/8',
  });
}

/** `route,server`; @throws AnswerError 400 `unknown-group` */
export function groupsOf(text: string | undefined): RedGroup[] {
  if (text === undefined || text.trim() === '') return [];
  const groups = text.split(',').map((part) => {
    const name = part.trim();
    const known = RED_GROUPS.find((group) => group === name);
    if (known !== undefined) return known;
    const meant = nearest(name, RED_GROUPS);
    throw new AnswerError(400, 'unknown-group', 'what to group by is not known', {
      hint: meant === undefined ? `known are ${RED_GROUPS.join(', ')}` : `did you mean '${meant}'?`,
    });
  });
  return [...new Set(groups)];
}

/** `id,started,client`; undefined: all. @throws AnswerError 400 `unknown-column` */
export function columnsOf(text: string | undefined): readonly string[] | undefined {
  if (text === undefined) return undefined;
  return text.split(',').map((part) => {
    const name = part.trim();
    if (EXCHANGE_COLUMN_NAMES.includes(name)) return name;
    const meant = nearest(name, EXCHANGE_COLUMN_NAMES);
    throw new AnswerError(400, 'unknown-column', 'an exchange has no column of this name', {
      hint: meant === undefined ? 'docs/sqlite-schema.md lists them' : `did you mean '${meant}'?`,
    });
  });
}

const SECONDS_PER: Readonly<Record<string, number>> = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 };
const LONGEST_BUCKET_S = 366 * 86_400;

/** `60s`, `5m`, `1h`; a bare number is seconds. @throws AnswerError 400 `invalid-bucket` */
export function bucketSecondsOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const match = /^(\d{1,9})(s|m|min|h|d)?$/.exec(text);
  const seconds = match === null ? 0 : Number(match[1]) * SECONDS_PER[match[2] ?? 's'];
  if (seconds >= 1 && seconds <= LONGEST_BUCKET_S) return seconds;
  throw new AnswerError(400, 'invalid-bucket', "query parameter 'bucket' must be from 1s to 366d");
}
