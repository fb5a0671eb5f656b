// Kubernetes' own schema of the kinds that we use, strict: a field that it does not know is refused.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Ajv } from 'ajv';
import { parseAllDocuments } from 'yaml';

const DEFINITIONS = path.join(import.meta.dirname, 'kubernetes-definitions.json');

/** As Kubernetes reads them: YAML 1.1, where 0440 is octal. Throws for a text that is no YAML. */
export function documentsIn(text) {
  return parseAllDocuments(text, { version: '1.1' }).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
}

/** `(document) => sentences`; compiled once for each kind. */
export function createSchema() {
  const { kinds, definitions } = JSON.parse(readFileSync(DEFINITIONS, 'utf8'));
  const ajv = new Ajv({ strict: false, allErrors: true });
  ajv.addSchema({ $id: 'kubernetes', definitions });
  const compiled = new Map();
  return (document) => {
    const type = `${document?.apiVersion}/${document?.kind}`;
    const definition = kinds[type];
    if (definition === undefined) return [`${type} is none of the kinds whose schema is kept`];
    if (!compiled.has(type))
      compiled.set(type, ajv.compile({ $ref: `kubernetes#/definitions/${definition}` }));
    const validate = compiled.get(type);
    if (validate(document)) return [];
    return validate.errors.map(({ instancePath, message, params }) =>
      `${document.kind} ${document.metadata?.name}${instancePath} ${message} ${params.additionalProperty ?? ''}`.trimEnd(),
    );
  };
}
