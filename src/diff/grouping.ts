import type { Field } from '../filter/fields.ts';
import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import { RouteLearner } from '../stat/routes/route-learner.ts';
import type { DiffLimits } from './limits.ts';

/** The parts of a group's name, in the order of the fields; null: its exchanges do not have the field. */
export type GroupName = readonly (string | null)[];

export const ALL: GroupName = ['(all requests)'];
export const OTHER: GroupName = ['(other)'];
const TOO_LONG = '(too long)';

/**
 * Names of groups, the same for both sides. Routes are learned from the requests of both, so that neither has a
 * template that the other has not; until the last request they are numbers.
 */
export class Grouping {
  readonly fields: readonly Field[];
  readonly #learner: RouteLearner | null;
  readonly #nameCharacters: number;
  readonly #routeAt: number;

  constructor(fields: readonly Field[], { nameCharacters }: DiffLimits) {
    this.fields = fields;
    this.#nameCharacters = nameCharacters;
    this.#routeAt = fields.findIndex(({ name }) => name === 'route');
    this.#learner = this.#routeAt < 0 ? null : new RouteLearner();
  }

  /** The name of an exchange's group, with the route as a number for `finish`. */
  provisional(exchange: Exchange, clock: RunClock): GroupName {
    const { request, response } = exchange;
    return this.fields.map((field, index) => {
      if (index === this.#routeAt && this.#learner !== null) {
        if (request === null) return null;
        return String(this.#learner.add(request.host, request.target, response?.status !== 404));
      }
      const text = field.text(exchange, clock);
      return text !== null && text.length > this.#nameCharacters ? TOO_LONG : text;
    });
  }

  /** Ends learning. What it returns gives final names to provisional ones. */
  finish(): (name: GroupName) => GroupName {
    const routes = this.#learner?.finish();
    if (routes === undefined) return (name) => name;
    return (name) =>
      name.map((part, index) =>
        index === this.#routeAt && part !== null ? routes.ofLeaf(Number(part)) : part,
      );
  }
}

/** One text per name; null and the text "null" differ. */
export function keyOf(name: GroupName): string {
  let key = '';
  for (const part of name) key += part === null ? '-;' : `${part.length}:${part};`;
  return key;
}
