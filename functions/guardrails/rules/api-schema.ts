import { expandLists } from '../krm/resource';
import { modelOfKind } from '../kubernetes/api-types';
import { podSpecOf } from '../kubernetes/workload';
import { message, words } from '../message';
import type { Report } from '../findings/finding';
import { type YamlObject, objectAt, textOf } from '../yaml/yaml';
import { Decoder, checkMetadata } from './api-schema/decoder';
import type { FieldReport } from './api-schema/report';
import { checkServedVersion } from './api-schema/served-versions';
import { CustomSchemas } from './api-schema/structural-schema';
import type { Rule } from './rule';

/** The API server reads every resource without an error, and serves its apiVersion. */
export const apiSchema: Rule = {
  id: 'api-schema',
  summary:
    'What the API server refuses when it reads a resource: an `apiVersion` that it does not serve, unknown fields, values of a wrong type, missing fields, invalid labels, two entries of a list with one name; custom resources by their CustomResourceDefinition',
  documentation: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation',
  check: (resource, { schemas, kubernetesMinor }) =>
    withoutTemplates(checkResource(resource, schemas, kubernetesMinor)).map((report) => ({
      ...report,
      container: containerAt(resource, report),
    })),
};

function checkResource(resource: YamlObject, custom: CustomSchemas, minor: number): readonly FieldReport[] {
  // To kubectl this is a List: it applies the items in place of the object.
  if (Array.isArray(resource.items)) return [];
  const notServed = checkServedVersion(resource, minor);
  if (notServed !== undefined) return [notServed];
  const model = modelOfKind(textOf(resource.apiVersion), textOf(resource.kind));
  if (model !== undefined) return new Decoder(resource).check(resource, model);
  if (isForTools(resource)) return [];
  return [...checkMetadata(resource), ...custom.check(resource)];
}

/** The reports, with one of all templates. */
function withoutTemplates(reports: readonly FieldReport[]): readonly FieldReport[] {
  const [first, ...more] = reports.filter(({ isTemplate }) => isTemplate);
  if (first === undefined || more.length === 0) return reports;
  const others = reports.filter(({ isTemplate }) => !isTemplate);
  const problem = message`${first.problem}, and ${more.length} more such ${words(more.length === 1 ? 'template' : 'templates')}`;
  return [...others, { ...first, problem }];
}

/** Groups of files that no API server gets. */
const TOOLS = new Set(['kustomize.config.k8s.io', 'config.kubernetes.io', 'kpt.dev', 'todo.example.com']);

function isForTools(resource: YamlObject): boolean {
  const annotations = objectAt(objectAt(resource, 'metadata'), 'annotations');
  const group = textOf(resource.apiVersion).split('/')[0] ?? '';
  return TOOLS.has(group) || annotations['config.kubernetes.io/local-config'] === 'true';
}

const CONTAINER_LISTS = new Set(['containers', 'initContainers', 'ephemeralContainers']);

/** The name of the container that a field is in, so that it can be exempted alone. */
function containerAt(resource: YamlObject, { field }: FieldReport): Report['container'] {
  if (!field.some((step) => typeof step === 'string' && CONTAINER_LISTS.has(step))) return undefined;
  return podSpecOf(resource)?.containers.find(({ path }) => path.every((step, i) => field[i] === step))?.name;
}

function hasSchema(resource: YamlObject, custom: CustomSchemas): boolean {
  const model = modelOfKind(textOf(resource.apiVersion), textOf(resource.kind));
  return model !== undefined || custom.has(resource) || checkServedVersion(resource, Infinity) !== undefined;
}

/** The kinds in builds whose fields are not checked, because no schema of them is known: `v1 Widget`. */
export function kindsWithoutSchema(
  builds: readonly { readonly resources: readonly YamlObject[] }[],
  definitions: readonly YamlObject[],
): string[] {
  const unknown = builds.flatMap(({ resources }) => {
    const all = resources.flatMap((root) => expandLists(root)).map(({ resource }) => resource);
    const custom = new CustomSchemas([...definitions, ...all]);
    return all.filter((one) => !hasSchema(one, custom) && !isForTools(one));
  });
  return [...new Set(unknown.map(({ apiVersion, kind }) => `${textOf(apiVersion)} ${textOf(kind)}`))];
}
