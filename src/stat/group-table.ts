import type { Field } from '../filter/fields.ts';
import type { Exchange } from '../model/exchange.ts';
import type { RunClock } from '../model/packet.ts';
import type { StatLimits } from './stat-limits.ts';

/** A value by which is grouped; null: the exchange does not have it. */
export type GroupValue = string | number | boolean | null;

/** What one group adds up while exchanges come. */
export class GroupCounts {
  /** Position among the groups held. */
  readonly index: number;
  /** One for each field; of a learned route the leaf that the learner gave. */
  readonly values: readonly GroupValue[];
  requests = 0;
  clientErrors = 0;
  serverErrors = 0;
  unanswered = 0;
  requestBytes = 0;
  responseBytes = 0;

  constructor(index: number, values: readonly GroupValue[]) {
    this.index = index;
    this.values = values;
  }

  /** Takes an exchange with a request. True when it is an error: 500 to 599, or no response. */
  add({ request, response }: Exchange): boolean {
    this.requests += 1;
    if (request !== null) this.requestBytes += request.headerBytes + request.bodyBytes;
    if (response === null) {
      this.unanswered += 1;
      return true;
    }
    this.responseBytes += response.headerBytes + response.bodyBytes;
    const status = response.status ?? 0;
    if (status < 400 || status > 599) return false;
    if (status < 500) {
      this.clientErrors += 1;
      return false;
    }
    this.serverErrors += 1;
    return true;
  }

  addAll(other: GroupCounts): void {
    this.requests += other.requests;
    this.clientErrors += other.clientErrors;
    this.serverErrors += other.serverErrors;
    this.unanswered += other.unanswered;
    this.requestBytes += other.requestBytes;
    this.responseBytes += other.responseBytes;
  }
}

/** A field by which is grouped. `learned`: its values are leaves of a RouteLearner. */
export interface GroupField {
  readonly field: Field;
  readonly learned: boolean;
}

type Level = Map<GroupValue, Level | GroupCounts>;

/** Finds the group of an exchange. */
export class GroupTable {
  readonly #fields: readonly GroupField[];
  readonly #clock: RunClock;
  readonly #limits: StatLimits;
  readonly #top: Level = new Map();
  /** All groups held; the first takes the requests for which there was no group left. */
  readonly groups: GroupCounts[] = [];

  constructor(fields: readonly GroupField[], clock: RunClock, limits: StatLimits) {
    this.#fields = fields;
    this.#clock = clock;
    this.#limits = limits;
    this.groups.push(new GroupCounts(0, []));
  }

  /** The group for the rest. */
  get other(): GroupCounts {
    return this.groups[0];
  }

  /** @param leaf learned route; -1 when routes are not learned */
  of(exchange: Exchange, leaf: number): GroupCounts {
    const values = this.#fields.map(({ field, learned }) => (learned ? leaf : this.#value(field, exchange)));
    let level = this.#top;
    const last = values.length - 1;
    for (let at = 0; at < last; at += 1) {
      let next = level.get(values[at]);
      if (next === undefined) {
        if (this.groups.length > this.#limits.groupsHeld) return this.other;
        next = new Map() as Level;
        level.set(values[at], next);
      }
      level = next as Level;
    }
    const key = values[last] ?? null;
    let group = level.get(key);
    if (group === undefined) {
      if (this.groups.length > this.#limits.groupsHeld) return this.other;
      group = new GroupCounts(this.groups.length, values);
      this.groups.push(group);
      level.set(key, group);
    }
    return group as GroupCounts;
  }

  #value(field: Field, exchange: Exchange): GroupValue {
    const { type } = field;
    if (type === 'number' || type === 'bytes' || type === 'boolean')
      return field.value(exchange, this.#clock);
    const text = field.text(exchange, this.#clock);
    if (text === null || text.length <= this.#limits.valueCharacters) return text;
    // A copy of its own: the beginning must not keep the whole text in memory.
    return `${Buffer.from(text.slice(0, this.#limits.valueCharacters)).toString()}…`;
  }
}
