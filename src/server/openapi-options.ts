import type { SwaggerOptions } from '@fastify/swagger';

/** How the OpenAPI document is made of the routes and their schemas. */
export function openApiOptions(version: string): SwaggerOptions {
  return {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Wirelens server',
        version,
        description:
          'HTTP exchanges seen by agents on many nodes: upload them, ask for them. Names, units and values of columns are those of docs/sqlite-schema.md. Unknown query parameters and fields are refused.',
        license: { name: 'MIT', identifier: 'MIT' } as never,
      },
      tags: [
        { name: 'agents', description: 'What agents send; with a token of agents' },
        { name: 'exchanges', description: 'Questions; with a token of readers' },
        { name: 'operation', description: 'How the server is' },
      ],
      components: {
        securitySchemes: {
          agent: { type: 'http', scheme: 'bearer', description: 'a token of agents (--agent-token-file)' },
          reader: { type: 'http', scheme: 'bearer', description: 'a token of readers (--reader-token-file)' },
        },
      },
    },
    convertConstToEnum: false,
    transform: ({ schema, url, route }) => {
      const body = route.config?.documentedBody;
      return { schema: body === undefined ? schema : { ...schema, body }, url };
    },
    refResolver: {
      buildLocalReference: (schema, _base, _fragment, index) =>
        typeof schema.$id === 'string' ? schema.$id : `def-${index}`,
    },
  };
}
