import { request as httpRequest } from 'node:http';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { nastyText, nearly, type Schema, valid } from './schema-arbitraries.ts';

interface Parameter {
  readonly in: 'query' | 'path' | 'header';
  readonly name: string;
  readonly required?: boolean;
  readonly example?: unknown;
  readonly schema: Schema;
}

interface Operation {
  readonly operationId: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: object }>> }>
  >;
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

export interface FuzzedRequest {
  readonly operation: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

export interface FuzzedAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

/** Requests for every operation of the document, valid and nearly valid, and the judge of their answers. */
export class ApiFuzz {
  readonly operations: readonly string[];
  readonly #document: ApiDocument;
  readonly #tokens: Readonly<Record<string, string>>;
  readonly #byName = new Map<string, { method: string; path: string; operation: Operation }>();
  readonly #ajv = new Ajv2020({ strict: false });
  readonly #validators = new Map<string, ValidateFunction>();

  /** `tokens`: by the name of the security scheme. */
  constructor(document: ApiDocument, tokens: Readonly<Record<string, string>>) {
    this.#document = document;
    this.#tokens = tokens;
    this.#ajv.addSchema(document, 'document');
    for (const [path, methods] of Object.entries(document.paths))
      for (const [method, operation] of Object.entries(methods))
        this.#byName.set(operation.operationId, { method: method.toUpperCase(), path, operation });
    this.operations = [...this.#byName.keys()];
  }

  request(name: string): fc.Arbitrary<FuzzedRequest> {
    const known = this.#byName.get(name);
    if (known === undefined) throw new Error(`there is no operation ${name}`);
    const { method, path, operation } = known;
    const resolve = (ref: string) => this.#resolved(ref);
    const parameters = operation.parameters ?? [];
    const some = ({ schema, example, required = false }: Parameter) => {
      const fits = valid(example === undefined ? schema : { ...schema, example }, resolve);
      const one = fc.oneof({ weight: 4, arbitrary: fits }, { weight: 1, arbitrary: nastyText });
      // Few at a time: one that is wrong keeps all others from being looked at.
      return required
        ? one
        : fc.oneof({ weight: 5, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: one });
    };
    const values = fc.tuple(...parameters.map(some));
    const unknown = fc.option(fc.tuple(nastyText, nastyText), { nil: null, freq: 8 });
    const bodies = Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) =>
      fc
        .oneof(valid(schema, resolve), nearly(schema, resolve))
        .map((value) => ({ type, text: typeof value === 'string' ? value : (JSON.stringify(value) ?? '') })),
    );
    const body = bodies.length === 0 ? fc.constant(null) : fc.oneof(...bodies);
    return fc.tuple(values, unknown, body).map(([chosen, extra, content]) => {
      let target = path;
      const query = new URLSearchParams();
      const headers: Record<string, string> = {};
      for (const [index, parameter] of parameters.entries()) {
        const value = chosen[index];
        if (value === undefined) continue;
        const text = String(value);
        if (parameter.in === 'path') target = target.replace(`{${parameter.name}}`, encodeText(text));
        else if (parameter.in === 'query') query.append(parameter.name, text);
        else
          headers[parameter.name] = Buffer.from(text)
            .toString('latin1')
            .replace(/[^\x20-\x7e\x80-\xff]/g, '?');
      }
      if (extra !== null) query.append(extra[0], extra[1]);
      if (content !== null) headers['content-type'] = content.type;
      const scheme = Object.keys(operation.security?.[0] ?? {})[0];
      if (scheme !== undefined) headers.authorization = `Bearer ${this.#tokens[scheme]}`;
      const search = query.size === 0 ? '' : `?${query}`;
      return { operation: name, method, path: `${target}${search}`, headers, body: content?.text ?? null };
    });
  }

  /** What is wrong with an answer: a failure of the server, or something that the document does not say; null: nothing. */
  complaint(request: FuzzedRequest, { status, type, text }: FuzzedAnswer): string | null {
    if (status >= 500) return `${status}: ${text}`;
    const { operation } = this.#byName.get(request.operation) as { operation: Operation };
    const described = operation.responses[String(status)];
    if (described === undefined) {
      // What HTTP itself refuses, and paths that lead elsewhere, are not of the operation.
      return [400, 404, 405, 413, 414, 415, 431].includes(status) && isError(text)
        ? null
        : `status ${status} is not in the document: ${text.slice(0, 300)}`;
    }
    const media = Object.entries(described.content ?? {})[0];
    if (media === undefined)
      return text === '' ? null : `a body is not in the document: ${text.slice(0, 300)}`;
    if (media[0] !== type) return `type ${type} is not in the document`;
    if (media[0] !== 'application/json') return null;
    const key = `${request.operation} ${status}`;
    const validate = this.#validators.get(key) ?? this.#ajv.compile(atRoot(media[1].schema));
    this.#validators.set(key, validate);
    return validate(JSON.parse(text)) ? null : this.#ajv.errorsText(validate.errors);
  }

  #resolved(ref: string): Schema {
    return ref
      .slice(2)
      .split('/')
      .reduce((at, name) => (at as Record<string, unknown>)[name], this.#document as unknown) as Schema;
  }
}

/** Lone surrogates have no percent-encoding: bytes that are no UTF-8 take their place. */
const encodeText = (text: string): string =>
  text.replace(/[^A-Za-z0-9._~-]/gu, (character) => {
    try {
      return encodeURIComponent(character);
    } catch {
      return '%ED%A0%80';
    }
  });

const isError = (text: string): boolean => {
  const { error, code } = JSON.parse(text) as Record<string, unknown>;
  return typeof error === 'string' && typeof code === 'string';
};

/** References into the document, as seen from a schema of its own. */
export function atRoot(schema: object): object {
  return JSON.parse(JSON.stringify(schema).replaceAll('"#/components/', '"document#/components/'));
}

/** Sends it as it is. A stream is read only to its beginning. Rejects when the connection breaks. */
export function send(url: string, { method, path, headers, body }: FuzzedRequest): Promise<FuzzedAnswer> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const length = body === null ? {} : { 'content-length': Buffer.byteLength(body) };
    const asked = httpRequest(
      { hostname, port, method, path, headers: { ...headers, ...length } },
      (answer) => {
        const type = (answer.headers['content-type'] ?? '').split(';')[0] as string;
        const status = answer.statusCode ?? 0;
        let text = '';
        answer.setEncoding('utf8');
        answer.on('data', (part: string) => {
          text += part;
          if (type !== 'text/event-stream') return;
          resolve({ status, type, text });
          asked.destroy();
        });
        answer.on('end', () => resolve({ status, type, text }));
        answer.on('error', reject);
      },
    );
    asked.on('error', reject);
    asked.end(body ?? undefined);
  });
}
