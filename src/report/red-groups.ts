import type { Endpoint, Exchange, RequestMessage } from '../model/exchange.ts';
import type { DurationBudget } from './duration-series.ts';
import { DurationSeries } from './duration-series.ts';

/** Rate, errors and duration of one server or route. Counts requests; answers without a request are not in it. */
export class RedGroup {
  /** Server (`10.0.0.1:80`) or method; `(other)` beyond the budget of groups. */
  readonly name: string;
  /** Host of a route, null for requests without one. Unused for servers. */
  readonly host: string | null;
  /** Route of a route group, else the empty string. */
  readonly route: string;
  readonly other: boolean;
  requests = 0;
  clientErrors = 0;
  serverErrors = 0;
  /** Requests without any answer. */
  unanswered = 0;
  readonly durations = new DurationSeries();
  /** Hosts asked for at a server, the first few. */
  readonly hosts: string[] = [];
  moreHosts = false;

  constructor(name: string, host: string | null, route: string, other = false) {
    this.name = name;
    this.host = host;
    this.route = route;
    this.other = other;
  }

  /** `totalNs`: null when not known. */
  add(exchange: Exchange, totalNs: number | null, budget: DurationBudget): void {
    this.requests += 1;
    const { response } = exchange;
    if (response === null) {
      this.unanswered += 1;
    } else {
      const status = response.status ?? 0;
      if (status >= 400) {
        if (status < 500) this.clientErrors += 1;
        else if (status < 600) this.serverErrors += 1;
      }
    }
    if (totalNs !== null) this.durations.add(totalNs, budget);
  }

  addHost(host: string): void {
    if (this.hosts.includes(host)) return;
    if (this.hosts.length < HOSTS_KEPT && host.length <= LONGEST_NAME) this.hosts.push(detached(host));
    else this.moreHosts = true;
  }
}

/** Hosts remembered per server. */
const HOSTS_KEPT = 8;

/** Targets whose route is remembered, over all hosts; then the memory starts anew. */
const TARGETS_REMEMBERED = 65_536;
/** Longer targets are not remembered, longer routes and hosts share a group: memory must not depend on them. */
const LONGEST_NAME = 512;
const LONG_ROUTE = `(path longer than ${LONGEST_NAME} characters)`;

/** The text without the larger string that it may be a part of. */
function detached(text: string): string {
  return Buffer.from(text, 'utf16le').toString('utf16le');
}

/** Groups by server address and port. */
export class ServerGroups {
  readonly #limit: number;
  readonly #groups = new Map<string, RedGroup>();
  #other: RedGroup | null = null;
  #lastServer: Endpoint | null = null;
  #lastGroup: RedGroup | null = null;
  #lastHost: string | null = null;

  constructor(limit: number) {
    this.#limit = limit;
  }

  of(server: Endpoint, host: string | null): RedGroup {
    let group = this.#lastGroup;
    if (group === null || server !== this.#lastServer) {
      group = this.#find(server.text);
      this.#lastGroup = group;
      this.#lastServer = server;
      this.#lastHost = null;
    }
    if (host !== null && host !== this.#lastHost) {
      this.#lastHost = host;
      group.addHost(host);
    }
    return group;
  }

  #find(text: string): RedGroup {
    let group = this.#groups.get(text);
    if (group !== undefined) return group;
    if (this.#groups.size >= this.#limit) {
      this.#other ??= new RedGroup('(other)', null, '', true);
      return this.#other;
    }
    group = new RedGroup(text, null, '');
    this.#groups.set(text, group);
    return group;
  }

  all(): RedGroup[] {
    return this.#other === null ? [...this.#groups.values()] : [...this.#groups.values(), this.#other];
  }
}

/** Routes of one method at one host. */
class RouteTable {
  readonly byTarget = new Map<string, RedGroup>();
  readonly byRoute = new Map<string, RedGroup>();
}

/** Groups by method, host and route. */
export class RouteGroups {
  readonly #limit: number;
  readonly #routeOf: (target: string) => string;
  readonly #tables = new Map<string | null, Map<string, RouteTable>>();
  readonly #groups: RedGroup[] = [];
  #other: RedGroup | null = null;
  #remembered = 0;
  #lastHost: string | null = null;
  #lastMethod: string | null = null;
  #lastTable: RouteTable | null = null;

  constructor(limit: number, routeOf: (target: string) => string) {
    this.#limit = limit;
    this.#routeOf = routeOf;
  }

  of(request: RequestMessage): RedGroup {
    const { host, method, target } = request;
    let table = this.#lastTable;
    if (table === null || host !== this.#lastHost || method !== this.#lastMethod) {
      const known = this.#tables.get(host)?.get(method);
      if (known === undefined) {
        const fresh = this.#newTable(host, method);
        if (fresh === null) return this.#otherGroup();
        table = fresh;
      } else {
        table = known;
      }
      this.#lastTable = table;
      this.#lastHost = host;
      this.#lastMethod = method;
    }
    return table.byTarget.get(target) ?? this.#findRoute(table, method, host, target);
  }

  /** null: the budget of groups is used up, or the names are too long to be kept. */
  #newTable(host: string | null, method: string): RouteTable | null {
    const tooLong = method.length > LONGEST_NAME || (host !== null && host.length > LONGEST_NAME);
    if (tooLong || this.#groups.length >= this.#limit) return null;
    let byMethod = this.#tables.get(host);
    if (byMethod === undefined) {
      byMethod = new Map();
      this.#tables.set(host, byMethod);
    }
    const table = new RouteTable();
    byMethod.set(method, table);
    return table;
  }

  #findRoute(table: RouteTable, method: string, host: string | null, target: string): RedGroup {
    const found = this.#routeOf(target);
    const route = found.length > LONGEST_NAME ? LONG_ROUTE : found;
    let group = table.byRoute.get(route);
    if (group === undefined) {
      if (this.#groups.length >= this.#limit) return this.#otherGroup();
      const name = detached(route);
      group = new RedGroup(method, host, name);
      table.byRoute.set(name, group);
      this.#groups.push(group);
    }
    if (target.length > LONGEST_NAME) return group;
    if (this.#remembered >= TARGETS_REMEMBERED) this.#forget();
    this.#remembered += 1;
    table.byTarget.set(target, group);
    return group;
  }

  #forget(): void {
    for (const byMethod of this.#tables.values())
      for (const table of byMethod.values()) table.byTarget.clear();
    this.#remembered = 0;
  }

  #otherGroup(): RedGroup {
    this.#other ??= new RedGroup('(other)', null, '', true);
    return this.#other;
  }

  all(): RedGroup[] {
    return this.#other === null ? [...this.#groups] : [...this.#groups, this.#other];
  }
}
