import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { createSecureContext } from 'node:tls';
import { UserError } from '../model/errors.ts';
import { readBody } from './answer-body.ts';
import { type EventsOptions, followEvents, type ServerEvent } from './event-follower.ts';
import { type OpenAnswer, openAnswer } from './one-request.ts';
import { type ServerAddress, serverAddress } from './server-address.ts';
import { failureOf, type ServerResponse, verdictOf } from './server-response.ts';
import { ServerUnreachable, unreachable } from './server-unreachable.ts';

export interface ServerClientOptions {
  /** `http://host:port` or `https://host:port`, a path before /api included where a proxy wants one. */
  readonly url: string;
  /** Sent as `Authorization: Bearer`; a function is asked for each request. null: none is sent. */
  readonly token: string | null | (() => string | null);
  /** Authorities that may sign the server's certificate, PEM; without it those that Node knows. */
  readonly tlsCa?: Buffer | undefined;
  /** For a whole answer, ms (60,000). */
  readonly timeoutMs?: number;
  /** To be connected, ms (5,000). */
  readonly connectTimeoutMs?: number;
  /** Connections held open at once (4). */
  readonly connections?: number;
  /** `wirelens/0.1.0`; sent as User-Agent. */
  readonly userAgent?: string;
}

export interface RequestSettings {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** Ends the request; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** For this answer, ms. */
  readonly timeoutMs?: number;
  /** Bytes of the answer's body, uncompressed (64 MiB). */
  readonly maxBytes?: number;
}

const TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 5_000;
const CONNECTIONS = 4;
/** Idle connections are closed before servers commonly close them. */
const IDLE_MS = 4_000;
const ANSWER_BYTES = 64 * 1024 * 1024;
const TOKEN = /^[\x21-\x7e]{1,4096}$/;

/**
 * HTTP to a Wirelens server: connections kept open, every wait and every answer bounded, no redirects followed, no
 * proxies asked (HTTP_PROXY is not read). The token appears in no error.
 */
export class ServerClient {
  readonly address: ServerAddress;
  readonly #options: ServerClientOptions;
  readonly #agent: HttpAgent;

  /** @throws UserError for an address, an authority or a token that cannot be used */
  constructor(options: ServerClientOptions) {
    this.address = serverAddress(options.url);
    this.#options = options;
    if (typeof options.token === 'string') checkToken(options.token);
    const kept = { keepAlive: true, maxSockets: options.connections ?? CONNECTIONS, timeout: IDLE_MS };
    if (!this.address.tls) {
      if (options.tlsCa !== undefined)
        throw new UserError('usage', 'an authority for TLS is given, and the address says http', {
          hint: 'write https://',
          exitCode: 2,
        });
      this.#agent = new HttpAgent(kept);
    } else {
      if (options.tlsCa !== undefined) checkAuthority(options.tlsCa);
      this.#agent = new HttpsAgent({
        ...kept,
        minVersion: 'TLSv1.2',
        ...(options.tlsCa === undefined ? {} : { ca: options.tlsCa }),
      });
    }
  }

  /**
   * One request. `path` begins with / and holds the query, encoded.
   *
   * @throws ServerUnreachable when no answer came, and for a redirect
   * @throws UserError when the answer is larger than `maxBytes`
   */
  async request(method: string, path: string, settings: RequestSettings = {}): Promise<ServerResponse> {
    const wholeMs = settings.timeoutMs ?? this.#options.timeoutMs ?? TIMEOUT_MS;
    const { message, release } = await this.#open(method, path, settings, wholeMs);
    try {
      const body = await readBody(message, settings.maxBytes ?? ANSWER_BYTES, this.address.text);
      return { status: message.statusCode ?? 0, headers: message.headers, body };
    } catch (error) {
      throw this.#told(error, settings.signal);
    } finally {
      release();
    }
  }

  /**
   * One request whose answer is JSON. Anything but success is an error.
   *
   * @throws ServerUnreachable when it may succeed later, UserError when it will not
   */
  async json(method: string, path: string, settings: RequestSettings = {}): Promise<unknown> {
    const headers = { accept: 'application/json', 'accept-encoding': 'gzip', ...settings.headers };
    const response = await this.request(method, path, { ...settings, headers });
    if (verdictOf(response) !== 'ok') throw this.failureOf(response);
    try {
      return JSON.parse(response.body.toString('utf8'));
    } catch {
      throw new UserError(
        'no-wirelens-server',
        `what answers at ${this.address.text} is no Wirelens server`,
        {
          hint: 'its answer is no JSON; check address and port',
        },
      );
    }
  }

  /**
   * Server-sent events of `path`, until the signal ends it or the server refuses. See followEvents.
   *
   * @throws ServerUnreachable when the first connection fails, UserError when the server refuses
   */
  events(
    path: string,
    onEvent: (event: ServerEvent) => void | Promise<void>,
    options: EventsOptions,
  ): Promise<void> {
    return followEvents(
      async (headers, signal) => {
        const accept = { accept: 'text/event-stream', ...headers };
        const { message, release } = await this.#open(
          'GET',
          path,
          { headers: accept, signal },
          Number.POSITIVE_INFINITY,
        );
        if (message.statusCode === 200) return { message, release };
        try {
          const body = await readBody(message, ANSWER_BYTES, this.address.text);
          return { status: message.statusCode ?? 0, headers: message.headers, body };
        } finally {
          release();
        }
      },
      onEvent,
      options,
      {
        failureOf: (response) => this.failureOf(response),
        told: (error) => this.#told(error, options.signal),
        shown: this.address.text,
      },
    );
  }

  /** An answer that is no success, as an error for people. */
  failureOf(response: ServerResponse): UserError {
    return failureOf(response, this.address.text);
  }

  /** Closes the connections that are kept. */
  close(): void {
    this.#agent.destroy();
  }

  async #open(method: string, path: string, settings: RequestSettings, wholeMs: number): Promise<OpenAnswer> {
    const { tls, host, port, prefix, text } = this.address;
    const { body, signal } = settings;
    let open: OpenAnswer;
    try {
      open = await openAnswer({
        tls,
        options: { host, port, method, path: prefix + path, headers: this.#headers(settings) },
        agent: this.#agent,
        body: body ?? null,
        times: {
          connectMs: Math.min(wholeMs, this.#options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS),
          firstByteMs: Math.min(wholeMs, this.#options.timeoutMs ?? TIMEOUT_MS),
          wholeMs,
        },
        signal,
        shown: text,
      });
    } catch (error) {
      throw this.#told(error, signal);
    }
    const status = open.message.statusCode ?? 0;
    if (status < 300 || status >= 400) return open;
    open.release();
    open.message.destroy();
    const place = String(open.message.headers.location ?? '').slice(0, 200);
    throw new ServerUnreachable(
      'redirect',
      `${text} sends on to ${place === '' ? 'another place' : place} (${status}), and redirects are not followed`,
      'the token would go there; give the right address',
    );
  }

  #headers({ headers, body }: RequestSettings): Record<string, string | number> {
    const { token: given, userAgent } = this.#options;
    const token = typeof given === 'function' ? given() : given;
    if (token !== null) checkToken(token);
    return {
      ...(userAgent === undefined ? {} : { 'user-agent': userAgent }),
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-length': body.byteLength }),
      ...headers,
    };
  }

  #told(error: unknown, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted || error instanceof UserError) return error;
    return unreachable(error, this.address.text, this.#options.tlsCa !== undefined);
  }
}

function checkToken(token: string): void {
  if (!TOKEN.test(token))
    throw new UserError('bad-token', 'the token is empty, too long, or holds spaces or control characters', {
      hint: 'it is one word of at most 4096 visible ASCII characters',
    });
}

function checkAuthority(pem: Buffer): void {
  try {
    if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw new Error('there is no certificate in it');
    createSecureContext({ ca: pem });
  } catch (error) {
    throw new UserError(
      'bad-authority',
      `the authority for TLS cannot be used: ${(error as Error).message}`,
      {
        hint: 'it is a file of certificates in PEM form',
      },
    );
  }
}
