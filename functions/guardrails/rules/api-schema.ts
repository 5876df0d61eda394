import { expandLists } from '../krm/resource';
import { modelOfKind } from '../kubernetes/api-types';
import { podSpecOf } from '../kubernetes/workload';
import type { Report } from '../findings/finding';
import { type YamlObject, objectAt, textOf } from '../yaml/yaml';
import { Decoder, checkMetadata } from './api-schema/decoder';
import type { FieldReport } from './api-schema/report';
import { checkServedVersion } from './api-schema/served-versions';
import { CustomSchemas, definitionsIn } from './api-schema/structural-schema';
import type { Rule } from './rule';

/** The API server reads every resource without an error, and serves its apiVersion. */
export const apiSchema: Rule = {
  id: 'api-schema',
  summary:
    'What the API server refuses when it reads a resource: an `apiVersion` that it does not serve, unknown fields, values of a wrong type, missing fields, invalid labels, two entries of a list with one name; custom resources by their CustomResourceDefinition',
  documentation: 'https://kubernetes.io/docs/reference/using-api/api-concepts/#field-validation',
  judgesParts: true,
  checkBuild: (resources, { schemas, kubernetesMinor }) => {
    const custom = new CustomSchemas([...schemas, ...definitionsIn(resources)]);
    return resources.flatMap((at) =>
      checkResource(at.resource, custom, kubernetesMinor).map((report) => ({
        at,
        report: { ...report, container: containerAt(at.resource, report) },
      })),
    );
  },
};

function checkResource(resource: YamlObject, custom: CustomSchemas, minor: number): readonly FieldReport[] {
  const notServed = checkServedVersion(resource, minor);
  if (notServed !== undefined) return [notServed];
  const model = modelOfKind(textOf(resource.apiVersion), textOf(resource.kind));
  if (model !== undefined) return new Decoder(resource).check(resource, model);
  if (isForTools(resource)) return [];
  return [...checkMetadata(resource), ...custom.check(resource)];
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
  schemas: readonly YamlObject[],
): string[] {
  const unknown = builds.flatMap(({ resources }) => {
    const all = resources.flatMap((root) => expandLists(root));
    const custom = new CustomSchemas([...schemas, ...definitionsIn(all)]);
    return all.map(({ resource }) => resource).filter((one) => !hasSchema(one, custom) && !isForTools(one));
  });
  return [...new Set(unknown.map(({ apiVersion, kind }) => `${textOf(apiVersion)} ${textOf(kind)}`))];
}
