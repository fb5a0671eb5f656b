// Writes docs/openapi.json from the schemas that the server validates with. Needs a build.
import { readFileSync, writeFileSync } from 'node:fs';
import { openApiDocument } from '../dist/server/openapi-document.js';

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const document = await openApiDocument(version);
writeFileSync(new URL('../docs/openapi.json', import.meta.url), `${JSON.stringify(document, null, 1)}\n`);
