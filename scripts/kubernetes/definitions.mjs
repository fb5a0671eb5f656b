// Takes the definitions of the kinds that our manifests use, and of everything in them, out of a Kubernetes API server's
// OpenAPI document, and writes scripts/checks/manifests/kubernetes-definitions.json. Descriptions are left out, and fields
// that a definition does not name are forbidden. `npm run format` afterwards.
//
//     cluster.sh kubectl get --raw /openapi/v2 > openapi.json && node scripts/kubernetes/definitions.mjs openapi.json

import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const TARGET = path.resolve(import.meta.dirname, '../checks/manifests/kubernetes-definitions.json');
const KINDS = {
  'v1/Namespace': 'io.k8s.api.core.v1.Namespace',
  'v1/Service': 'io.k8s.api.core.v1.Service',
  'v1/ServiceAccount': 'io.k8s.api.core.v1.ServiceAccount',
  'v1/Secret': 'io.k8s.api.core.v1.Secret',
  'v1/ConfigMap': 'io.k8s.api.core.v1.ConfigMap',
  'v1/PersistentVolume': 'io.k8s.api.core.v1.PersistentVolume',
  'v1/PersistentVolumeClaim': 'io.k8s.api.core.v1.PersistentVolumeClaim',
  'apps/v1/Deployment': 'io.k8s.api.apps.v1.Deployment',
  'apps/v1/DaemonSet': 'io.k8s.api.apps.v1.DaemonSet',
  'batch/v1/Job': 'io.k8s.api.batch.v1.Job',
  'networking.k8s.io/v1/NetworkPolicy': 'io.k8s.api.networking.v1.NetworkPolicy',
};
/** Texts or numbers in JSON, whatever the document says of them. */
const EITHER = new Set([
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  'io.k8s.apimachinery.pkg.api.resource.Quantity',
]);

const [, , source] = process.argv;
const openapi = JSON.parse(readFileSync(source, 'utf8'));
const definitions = {};
const open = Object.values(KINDS);
for (let name = open.pop(); name !== undefined; name = open.pop()) {
  if (definitions[name] !== undefined) continue;
  definitions[name] = EITHER.has(name) ? { type: ['string', 'integer'] } : strict(openapi.definitions[name]);
}
// Status is the server's to write.
for (const name of Object.values(KINDS)) delete definitions[name].properties.status;
const sorted = Object.fromEntries(
  Object.entries(definitions).sort(([one], [other]) => (one < other ? -1 : 1)),
);
const about = `Kubernetes ${openapi.info.version} (Apache License 2.0), by scripts/kubernetes/definitions.mjs`;
writeFileSync(TARGET, `${JSON.stringify({ about, kinds: KINDS, definitions: sorted }, null, 1)}\n`);
console.log(`${Object.keys(sorted).length} definitions in ${TARGET}`);

function strict(schema) {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/definitions/', '');
    open.push(name);
    return { $ref: `#/definitions/${name}` };
  }
  const { type, required, items, properties, additionalProperties } = schema;
  return {
    ...(type === undefined ? {} : { type }),
    ...(required === undefined ? {} : { required }),
    ...(items === undefined ? {} : { items: strict(items) }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, inner]) => [name, strict(inner)]),
          ),
        }),
    ...(type !== 'object'
      ? {}
      : {
          additionalProperties: additionalProperties
            ? strict(additionalProperties)
            : properties === undefined,
        }),
  };
}
