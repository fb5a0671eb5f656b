// Writes docs/sqlite-schema.md from the schema: `npm run build && node scripts/schema-doc.mjs`.
import { writeFileSync } from 'node:fs';
import { schemaDocument } from '../dist/store/schema-doc.js';

writeFileSync(new URL('../docs/sqlite-schema.md', import.meta.url), schemaDocument());
