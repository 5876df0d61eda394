// The table of the fields of the Kubernetes API, from the models of @kubernetes/client-node. They are read as files,
// because the package needs a newer Node.js than this repository to run.
import fs from 'node:fs';
import path from 'node:path';

/**
 * Fields that hold a quantity, which the models call a string (k8s.io/api and k8s.io/apimachinery v0.37.2, types of Go).
 * test/rules/api-schema-decoder.test.ts compares them with those types.
 */
const QUANTITIES = {
  V1CSIStorageCapacity: ['capacity', 'maximumVolumeSize'],
  V1CapacityRequestPolicy: ['default', 'validValues'],
  V1CapacityRequestPolicyRange: ['max', 'min', 'step'],
  V1CapacityRequirements: ['requests'],
  V1ContainerStatus: ['allocatedResources'],
  V1Counter: ['value'],
  V1DeviceCapacity: ['value'],
  V1DeviceRequestAllocationResult: ['consumedCapacity'],
  V1EmptyDirVolumeSource: ['sizeLimit'],
  V1LimitRangeItem: ['default', 'defaultRequest', 'max', 'maxLimitRequestRatio', 'min'],
  V1NodeStatus: ['allocatable', 'capacity'],
  V1Overhead: ['podFixed'],
  V1PersistentVolumeClaimStatus: ['allocatedResources', 'capacity'],
  V1PersistentVolumeSpec: ['capacity'],
  V1PodSpec: ['overhead'],
  V1PodStatus: ['allocatedResources'],
  V1ResourceFieldSelector: ['divisor'],
  V1ResourceQuotaSpec: ['hard'],
  V1ResourceQuotaStatus: ['hard', 'used'],
  V1ResourceRequirements: ['limits', 'requests'],
  V1VolumeResourceRequirements: ['limits', 'requests'],
  V2HPAScalingRules: ['tolerance'],
  V2MetricTarget: ['averageValue', 'value'],
  V2MetricValueStatus: ['averageValue', 'value'],
};

const SCALARS = {
  string: 'string',
  boolean: 'boolean',
  'number int32': 'int32',
  'number int64': 'int64',
  'number double': 'double',
  'string byte': 'bytes',
  'Date date-time': 'time',
  'V1MicroTime date-time-micro': 'microtime',
  'IntOrString int-or-string': 'intOrString',
  any: 'any',
};

/** The file functions/guardrails/kubernetes/api-models.ts. @param folder of the installed package */
export function apiModels(folder) {
  const { version } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const kinds = stableKinds(path.join(folder, 'dist/gen/apis'));
  const models = new Map();
  const add = (name) => {
    if (models.has(name)) return;
    const fields = fieldsOf(path.join(folder, 'dist/gen/models'), name);
    models.set(name, fields);
    for (const { type } of fields) {
      const element = type.replace(/[[\]{}]/g, '');
      if (/^[A-Z]/.test(element)) add(element);
    }
  };
  for (const { model } of kinds) add(model);
  const print = ({ baseName, type }) => (type === 'string' ? baseName : `${baseName}:${type}`);
  const lines = [
    `/** The minor version of Kubernetes that the table describes. */`,
    `export const MODELS_MINOR = ${minorOf(path.join(folder, 'dist/gen/models'))};`,
    '',
    '/** apiVersion, kind and model of what the API server stores. */',
    'export const API_KINDS = `',
    ...kinds.map(({ apiVersion, kind, model }) => `${apiVersion} ${kind} ${model}`).sort(),
    '`;',
    '',
    '/** Model, and its fields with their types; a field without a type is a string. */',
    'export const API_FIELDS = `',
    ...[...models]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, fields]) => [name, ...fields.map(print)].join(' ')),
    '`;',
  ];
  return `// Written by npm run update from the models of @kubernetes/client-node ${version}. Do not edit.\n\n${lines.join('\n')}\n`;
}

/**
 * What can be created in a stable version. Versions with alpha or beta in their names change from release to release, and
 * the package keeps models of such versions that are gone.
 */
function stableKinds(folder) {
  const create = /async create(?:Namespaced)?(\w+)\(.*\) \{([^]*?)\n {4}\}\n/g;
  return fs
    .readdirSync(folder)
    .filter((file) => file.endsWith('Api.js'))
    .flatMap((file) => [...fs.readFileSync(path.join(folder, file), 'utf8').matchAll(create)])
    .flatMap(([, kind, body]) => {
      const url = /localVarPath = '([^']+)'/.exec(body)?.[1] ?? '';
      const [, apiVersion] =
        /^\/apis?\/((?:[a-z0-9.]+\/)?v[0-9]+)\/(?:namespaces\/\{namespace\}\/)?[a-z]+$/.exec(url) ?? [];
      const [, model] = /serialize\(body, "(\w+)"/.exec(body) ?? [];
      return apiVersion === undefined || model === undefined ? [] : [{ apiVersion, kind, model }];
    });
}

function fieldsOf(folder, model) {
  const text = fs.readFileSync(path.join(folder, `${model}.js`), 'utf8');
  const [, list] = /attributeTypeMap = (\[[^]*?\n\]);/.exec(text) ?? [];
  if (list === undefined) throw new Error(`${model}.js has no attributeTypeMap`);
  return JSON.parse(list).map(({ baseName, type, format }) => ({
    baseName,
    type: typeOf(type, format, QUANTITIES[model]?.includes(baseName) === true),
  }));
}

/** `[]T` for a list, `{}T` for a map: `{ [key: string]: Array<string>; }` is `{}[]string`. */
function typeOf(type, format, isQuantity) {
  const [, element] = /^Array<(.*)>$/.exec(type) ?? [];
  if (element !== undefined) return `[]${typeOf(element, format, isQuantity)}`;
  const [, value] = /^\{ \[key: string\]: (.*); \}$/.exec(type) ?? [];
  if (value !== undefined) return `{}${typeOf(value, format, isQuantity)}`;
  if (isQuantity) return 'quantity';
  const scalar = SCALARS[`${type} ${format}`.trimEnd()];
  if (scalar !== undefined) return scalar;
  if (!/^[A-Z]\w+$/.test(type) || format !== '') throw new Error(`unknown type ${type} of format ${format}`);
  return type;
}

function minorOf(folder) {
  return /release-1\.(\d+)/.exec(fs.readFileSync(path.join(folder, 'V1Pod.js'), 'utf8'))[1];
}
