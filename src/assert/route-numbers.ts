import type { Exchange } from '../model/exchange.ts';
import type { LearnedRoutes } from '../stat/routes/learned-routes.ts';
import { RouteLearner } from '../stat/routes/route-learner.ts';

/** Routes learned from all exchanges, whatever the rules select; numbers until the last one was seen. */
export class RouteNumbers {
  readonly #learner = new RouteLearner();
  #last: Exchange | null = null;
  #number: number | null = null;
  #routes: LearnedRoutes | null = null;

  /** Takes an exchange; asking again for the same one costs nothing. null: its request is not known. */
  of(exchange: Exchange): number | null {
    if (exchange === this.#last) return this.#number;
    const { request, response } = exchange;
    this.#last = exchange;
    this.#number =
      request === null ? null : this.#learner.add(request.host, request.target, response?.status !== 404);
    return this.#number;
  }

  /** The route that a number stands for. Nothing is learned any more. */
  route(number: number): string {
    this.#routes ??= this.#learner.finish();
    return this.#routes.ofLeaf(number);
  }
}
