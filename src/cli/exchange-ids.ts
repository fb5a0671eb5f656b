import { existsSync } from 'node:fs';
import { EXIT, UserError } from '../model/errors.ts';
import { counted, formatCount } from '../report/units.ts';

/** `17`, `17-20`, `3,7-9`. */
const IDS = /^\d{1,15}(-\d{1,15})?(,\d{1,15}(-\d{1,15})?)*$/;

/** What is hardly the name of a file, unless one is called so. */
const MISTYPED_IDS = /^\d[\d,.-]*$/;

/** Ids of exchanges as given on the command line. */
export class ExchangeIds {
  readonly #ranges: readonly (readonly [first: number, last: number])[];

  constructor(ranges: readonly (readonly [first: number, last: number])[]) {
    this.#ranges = ranges;
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  /** The highest one. */
  get last(): number {
    return this.#ranges.reduce((most, [, last]) => Math.max(most, last), 0);
  }

  has(id: number): boolean {
    return this.#ranges.some(([first, last]) => id >= first && id <= last);
  }

  /**
   * Throws UserError when an id does not exist: ids go from 1 to `lastId` without a hole.
   *
   * @param file shown in the message
   */
  check(lastId: number, file: string): void {
    const missing = this.#ranges.find(([, last]) => last > lastId);
    if (missing === undefined) return;
    const id = missing[0] > lastId ? missing[0] : missing[1];
    throw new UserError('no-such-exchange', `there is no exchange ${id}`, {
      place: { file },
      hint:
        lastId === 0
          ? 'there are no exchanges in it'
          : `it has ${counted(lastId, 'exchange')}: 1 to ${formatCount(lastId)}; list them with wirelens analyze -f table, ids with -f json`,
    });
  }
}

/**
 * Tells files from ids among the arguments: what looks like ids is one. A file with such a name is written `./17`.
 *
 * @throws UserError for a range that goes backwards, for 0, and for ids that are mistyped
 */
export function separateIds(args: readonly string[]): { files: string[]; ids: ExchangeIds } {
  const files: string[] = [];
  const ranges: [number, number][] = [];
  for (const arg of args) {
    if (!IDS.test(arg)) {
      if (MISTYPED_IDS.test(arg) && !existsSync(arg)) throw noIds(arg);
      files.push(arg);
      continue;
    }
    for (const part of arg.split(',')) {
      const [first, last = first] = part.split('-').map(Number);
      if (first < 1 || last < first) {
        throw noIds(part);
      }
      ranges.push([first, last]);
    }
  }
  return { files, ids: new ExchangeIds(ranges) };
}

function noIds(text: string): UserError {
  return new UserError('usage', `${text} is not an id or a range of ids from 1`, {
    hint: 'as in 17, 17-20 or 3,7-9',
    exitCode: EXIT.usage,
  });
}
