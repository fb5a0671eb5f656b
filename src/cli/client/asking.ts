import { waitMs } from '../../client/back-off.ts';
import type { RequestSettings, ServerClient } from '../../client/server-client.ts';
import { retryAfterMs, verdictOf } from '../../client/server-response.ts';
import { ServerUnreachable } from '../../client/server-unreachable.ts';
import { UserError } from '../../model/errors.ts';

/** A busy server is asked again so often, if it wants no longer wait than this. */
const TRIES = 3;
const LONGEST_WAIT_MS = 5_000;

/**
 * Asks the server for JSON. A server that is busy for a moment is asked again.
 *
 * @throws UserError whatever goes wrong: nobody who waits for an answer can do more than read why there is none
 */
export async function ask(
  client: ServerClient,
  method: 'GET' | 'POST',
  path: string,
  settings: RequestSettings = {},
): Promise<unknown> {
  try {
    for (let tries = 1; ; tries += 1) {
      const headers = { accept: 'application/json', 'accept-encoding': 'gzip', ...settings.headers };
      const response = await client.request(method, path, { ...settings, headers });
      if (verdictOf(response) === 'ok') return JSON.parse(response.body.toString('utf8'));
      const wait = response.status === 503 ? retryAfterMs(response) : null;
      if (wait === null || wait > LONGEST_WAIT_MS || tries >= TRIES) throw client.failureOf(response);
      await waitMs(wait, settings.signal);
    }
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new UserError(
        'no-wirelens-server',
        `what answers at ${client.address.text} is no Wirelens server`,
        {
          hint: 'its answer is no JSON; check address and port',
          cause: error,
        },
      );
    throw asUserError(error);
  }
}

/** A server that cannot be reached is something that the user can do something about. */
export function asUserError(error: unknown): unknown {
  if (!(error instanceof ServerUnreachable)) return error;
  return new UserError(`server-${error.code}`, error.message, {
    ...(error.hint === null ? {} : { hint: error.hint }),
    cause: error,
  });
}

/** `/api/v1/exchanges?where=…` */
export function pathWith(path: string, parameters: URLSearchParams): string {
  const query = parameters.toString();
  return query === '' ? path : `${path}?${query}`;
}
