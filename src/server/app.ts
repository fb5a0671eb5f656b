import fastifySwagger from '@fastify/swagger';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { AnswerError } from './answer-error.ts';
import { authorise, checkLocalHost } from './authorise.ts';
import { addBodyParsers } from './body-parsers.ts';
import { answerBrokenRequest } from './broken-request.ts';
import type { Access, ServerContext } from './context.ts';
import { failureOf } from './failures.ts';
import { gzipAnswer } from './gzip-answer.ts';
import { openApiOptions } from './openapi-options.ts';
import { addAgentRoutes } from './routes/agents.ts';
import { addExchangeRoutes } from './routes/exchanges.ts';
import { addHealthRoutes } from './routes/health.ts';
import { addLightObsRoutes } from './routes/lightobs.ts';
import { addLiveRoute } from './routes/live.ts';
import { addRedRoute } from './routes/red.ts';
import { addSqlRoute } from './routes/sql.ts';
import { addUploadRoutes } from './routes/upload.ts';
import { ErrorSchema } from './schemas/common.ts';
import { ExchangeSchema } from './schemas/exchange.ts';
import type { UploadHold } from './upload-gate.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Left out: nobody may, so that a forgotten one is seen at once. */
    access?: Access;
    /** The body is not JSON, or not only: the handler gets its bytes. */
    rawBody?: boolean;
    /** Another bound than ServerLimits.bodyBytes. */
    bodyBytes?: number;
    /** Schema of a body that the handler checks itself; for the document. */
    documentedBody?: object;
  }
  interface FastifyRequest {
    /** Memory that an upload holds until it is answered. */
    hold: UploadHold | null;
  }
}

/** In every answer: nothing is guessed, kept, framed or run. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
};

const LONGEST_PATH_PART = 2400;

export interface AppTls {
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** The HTTP side of the server: routes, checks and answers. It listens to nothing yet. */
export async function createApp(context: ServerContext, tls: AppTls | null): Promise<FastifyInstance> {
  const { limits } = context;
  const options = {
    logger: false,
    bodyLimit: limits.uploadBytes,
    requestTimeout: limits.requestMs,
    connectionTimeout: limits.idleMs,
    keepAliveTimeout: limits.keepAliveMs,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength: LONGEST_PATH_PART, querystringParser: parseQuery },
    ajv: {
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: false,
        verbose: true,
      },
    },
    clientErrorHandler: (
      error: Error & { code?: string },
      socket: Parameters<typeof answerBrokenRequest>[1],
    ) => context.metrics.refused.add(1, answerBrokenRequest(error, socket)),
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      answerFailure(context, error, request, reply),
  } as const;
  const secure = {
    ...serverOptions(limits),
    ...tls,
    minVersion: 'TLSv1.2',
    handshakeTimeout: limits.headerMs,
  };
  const transport = tls === null ? { http: serverOptions(limits) } : { https: secure };
  // Its types know one kind of server at a time.
  const app = (Fastify as unknown as (all: object) => FastifyInstance)({ ...options, ...transport });
  const routes: RouteShape[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    routes.push(routeShape(method, url));
  });

  // What is answered is made by us and must arrive as it is; the schemas describe it.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data));
  app.decorateRequest('hold', null);
  addBodyParsers(app, context);
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS);
    checkForm(request, limits.headerFields);
    if (context.localOnly) checkLocalHost(request.headers.host);
    if (request.is404) return;
    const { access } = request.routeOptions.config;
    if (access === undefined) throw new AnswerError(403, 'closed', 'this endpoint is open to nobody');
    authorise(access, request.headers.authorization, context.tokens);
  });
  app.addHook('preValidation', async (request) => numbersInQuery(request));
  app.addHook('onSend', (request, reply, payload) => gzipAnswer(request, reply, payload));
  app.addHook('onResponse', async (request, reply) => account(context, request, reply));
  app.setErrorHandler((error, request, reply) => answerFailure(context, error, request, reply));
  app.setNotFoundHandler(async (request) => {
    const path = request.url.split('?')[0];
    const allowed = routes.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method);
    if (allowed.length > 0)
      throw new AnswerError(405, 'wrong-method', `this endpoint takes ${allowed.join(', ')} only`, {
        headers: { allow: allowed.join(', ') },
      });
    throw new AnswerError(404, 'not-found', 'there is nothing here', {
      hint: 'GET /api/v1/openapi.json says what there is',
    });
  });

  await app.register(fastifySwagger, openApiOptions(context.version));
  app.addSchema(ErrorSchema);
  app.addSchema(ExchangeSchema);
  await app.register((api, _options, done) => {
    addUploadRoutes(api, context);
    addExchangeRoutes(api, context);
    addRedRoute(api, context);
    addLiveRoute(api, context);
    addSqlRoute(api, context);
    addAgentRoutes(api, context);
    addLightObsRoutes(api, context);
    addHealthRoutes(api, context);
    done();
  });
  return app;
}

/** What the HTTP parser lets through, and nobody needs. */
function checkForm({ raw }: FastifyRequest, mostFields: number): void {
  if (raw.httpVersionMajor !== 1) throw new AnswerError(400, 'bad-request', 'HTTP/1.1 is spoken here');
  if (raw.rawHeaders.length > 2 * mostFields)
    throw new AnswerError(431, 'headers-too-large', `there are more than ${mostFields} header fields`);
}

interface RouteShape {
  readonly method: string;
  readonly pattern: RegExp;
}

function routeShape(method: string | string[], url: string): RouteShape {
  const pattern = url.replace(/[.]/g, '\\.').replace(/:[a-z]+/g, '[^/]+');
  return { method: String(method), pattern: new RegExp(`^${pattern}$`) };
}

const serverOptions = ({ headerBytes, headerMs }: ServerContext['limits']) => ({
  maxHeaderSize: headerBytes,
  headersTimeout: headerMs,
  connectionsCheckingInterval: Math.min(5000, headerMs),
  // Bytes that a strict reader would not take are never guessed at.
  insecureHTTPParser: false,
  requireHostHeader: true,
});

/** Parameters without a prototype; one given twice is a list, which no schema but LightObs' takes. */
function parseQuery(text: string): Record<string, string | string[]> {
  const parameters = Object.create(null) as Record<string, string | string[]>;
  for (const [key, value] of new URLSearchParams(text)) {
    const before = parameters[key];
    if (before === undefined) parameters[key] = value;
    else if (Array.isArray(before)) before.push(value);
    else parameters[key] = [before, value];
  }
  return parameters;
}

interface QuerySchema {
  readonly properties?: Readonly<Record<string, { readonly type?: string }>>;
}

/** Whole numbers in the query, where the schema wants one: a query has texts only. Nothing else is converted. */
function numbersInQuery(request: FastifyRequest): void {
  const schema = request.routeOptions.schema?.querystring as QuerySchema | undefined;
  const query = request.query as Record<string, unknown>;
  for (const [key, { type }] of Object.entries(schema?.properties ?? {})) {
    const value = query[key];
    if (type === 'integer' && typeof value === 'string' && /^-?\d{1,16}$/.test(value))
      query[key] = Number(value);
  }
}

function answerFailure(
  context: ServerContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const { status, headers, body, unexpected } = failureOf(error);
  // Whose client has gone was stopped for that.
  const isWaitedFor = !reply.raw.destroyed;
  if (unexpected && isWaitedFor) {
    const stack = error instanceof Error ? error.stack : String(error);
    context.log.error({ method: request.method, route: routeOf(request), stack }, 'a request failed');
  }
  context.metrics.refused.add(1, body.code);
  if (!request.raw.complete) linger(request, context.limits.lingerMs);
  return reply
    .headers({ ...SECURITY_HEADERS, ...headers })
    .code(status)
    .type('application/json; charset=utf-8')
    .send(body);
}

/**
 * The rest of a body that nobody wants is read and thrown away for a while: a connection that is closed while its client
 * sends loses the answer. Whoever sends for longer is cut off.
 */
function linger({ raw }: FastifyRequest, forMs: number): void {
  const { socket } = raw;
  const timer = setTimeout(() => socket.destroy(), forMs);
  const done = () => clearTimeout(timer);
  raw.once('end', done);
  socket.once('close', done);
  raw.once('end', () => socket.off('close', done));
}

const routeOf = (request: FastifyRequest): string => request.routeOptions?.url ?? '(none)';
/** Methods are words of strangers. */
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH']);

function account({ metrics, log }: ServerContext, request: FastifyRequest, reply: FastifyReply): void {
  const route = routeOf(request);
  const method = METHODS.has(request.method) ? request.method : 'OTHER';
  const status = String(reply.statusCode);
  metrics.requests.add(1, method, route, status);
  metrics.duration.observe(reply.elapsedTime / 1000, route);
  const fields = {
    method,
    route,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
    from: request.ip,
  };
  // Queries may hold secrets of the traffic that is asked for: the route is logged, never the query.
  log.debug(fields, 'request');
}
