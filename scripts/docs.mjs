// Writes the pages of docs/ that are made from the program: `npm run docs`.
import { readFileSync, writeFileSync } from 'node:fs';
import { createProgram } from '../dist/cli/program.js';
import { commandReference } from '../dist/cli/reference.js';
import { fieldsDocument } from '../dist/filter/fields-doc.js';
import { schemaDocument } from '../dist/store/schema-doc.js';

const page = (name) => new URL(`../docs/${name}`, import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

writeFileSync(page('sqlite-schema.md'), schemaDocument());
writeFileSync(page('fields.md'), fieldsDocument());
writeFileSync(page('commands.md'), commandReference(createProgram(version, () => {})));
