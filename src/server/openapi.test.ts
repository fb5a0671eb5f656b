import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { atRoot } from '../../test/server/api-fuzz.ts';
import { openApiDocument } from './openapi-document.ts';

const file = (name: string): string => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
const { version } = JSON.parse(file('package.json')) as { version: string };

interface Operation {
  readonly operationId?: string;
  readonly security?: readonly Record<string, unknown>[];
  readonly parameters?: readonly { readonly schema: object }[];
  readonly requestBody?: { readonly content: Record<string, { readonly schema: object }> };
  readonly responses: Record<string, { readonly content?: Record<string, { readonly schema: object }> }>;
}

describe('the OpenAPI document', async () => {
  const document = await openApiDocument(version);
  const paths = document.paths as Record<string, Record<string, Operation>>;
  const operations = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ name: `${method} ${path}`, operation })),
  );

  it('is the one in docs/openapi.json; npm run docs writes it', () => {
    expect(JSON.parse(file('docs/openapi.json'))).toEqual(JSON.parse(JSON.stringify(document)));
  });

  it('names every endpoint', () => {
    expect(operations.map(({ name }) => name).sort()).toEqual([
      'get /api/v1/agents',
      'get /api/v1/exchanges',
      'get /api/v1/exchanges/{id}',
      'get /api/v1/live',
      'get /api/v1/openapi.json',
      'get /api/v1/query',
      'get /api/v1/red',
      'get /api/v1/upload/streams/{stream}',
      'get /healthz',
      'get /metrics',
      'get /readyz',
      'post /api/v1/sql',
      'post /api/v1/upload',
      'put /api/v1/agents/{agent}',
    ]);
  });

  it('has schemas that a validator of JSON Schema 2020-12 understands', () => {
    const ajv = new Ajv2020({ strict: true, strictTypes: false });
    ajv.addKeyword('example');
    ajv.addVocabulary(['openapi', 'info', 'components', 'paths', 'tags', 'servers']);
    ajv.addSchema(document, 'document');
    for (const { name, operation } of operations) {
      const schemas = [
        ...(operation.parameters ?? []).map(({ schema }) => schema),
        ...Object.values(operation.requestBody?.content ?? {}).map(({ schema }) => schema),
        ...Object.values(operation.responses).flatMap(({ content = {} }) =>
          Object.values(content).map(({ schema }) => schema),
        ),
      ];
      for (const schema of schemas) expect(() => ajv.compile(atRoot(schema)), name).not.toThrow();
    }
  });

  it('says of every endpoint under /api which token it takes, but for the document itself', () => {
    const open = operations
      .filter(({ operation }) => (operation.security ?? []).length === 0)
      .map(({ name }) => name);
    expect(open.sort()).toEqual(['get /api/v1/openapi.json', 'get /healthz', 'get /readyz']);
  });
});
