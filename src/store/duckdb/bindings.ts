import { createRequire } from 'node:module';

/**
 * DuckDB's own C interface, which @duckdb/node-api is built upon: the only way to fill columns without a call for
 * each value. It is taken from where node-api takes it, so both always are the same version.
 */
const here = createRequire(import.meta.url);
export const bindings = createRequire(here.resolve('@duckdb/node-api'))(
  '@duckdb/node-bindings',
) as typeof import('@duckdb/node-bindings');

/** Rows in a data chunk; DuckDB's vector size. */
export const CHUNK_ROWS = bindings.vector_size();
