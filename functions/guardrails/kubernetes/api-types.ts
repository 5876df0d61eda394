import { API_FIELDS, API_KINDS } from './api-models';

/** A value that is no list and no mapping of known fields, by the type of Go that reads it. */
export type Scalar =
  | 'string'
  | 'boolean'
  | 'int32'
  | 'int64'
  | 'double'
  | 'quantity'
  | 'intOrString'
  | 'time'
  | 'microtime'
  /** Base64. */
  | 'bytes'
  | 'any';

/** What the API server reads a field as. */
export type ApiType =
  | { readonly is: 'scalar'; readonly scalar: Scalar }
  | { readonly is: 'list' | 'map'; readonly of: ApiType }
  | { readonly is: 'model'; readonly model: Model };

/**
 * Fields of Kubernetes 1.37 (k8s.io/api v0.37.2) that the models do not have, because they describe 1.36. What is in them
 * is not checked.
 */
const NEWER_FIELDS = new Map<string, readonly string[]>([
  ['V1CSINode', ['status']],
  ['V1ClusterTrustBundleProjection', ['user']],
  ['V1ConfigMapVolumeSource', ['defaultUser']],
  ['V1Device', ['nodeAllocatableResources']],
  ['V1DeviceCounterConsumption', ['compatibilityGroups']],
  ['V1DeviceRequestAllocationResult', ['skipNodeOperations']],
  ['V1DeviceSubRequest', ['derivedAttributes']],
  ['V1DownwardAPIVolumeFile', ['user']],
  ['V1DownwardAPIVolumeSource', ['defaultUser']],
  ['V1EmptyDirVolumeSource', ['mode']],
  ['V1ExactDeviceRequest', ['derivedAttributes']],
  ['V1GRPCAction', ['mode']],
  ['V1HTTPGetAction', ['protocol']],
  ['V1JobSpec', ['scheduling']],
  ['V1KeyToPath', ['user']],
  ['V1NodeAllocatableResourceClaimStatus', ['mapping', 'overhead']],
  ['V1NodeSpec', ['podPreemptionPolicy']],
  ['V1NodeSystemInfo', ['runningInUserNamespace']],
  ['V1PersistentVolumeClaimStatus', ['healthStatus']],
  ['V1PodCertificateProjection', ['user']],
  ['V1PodSpec', ['evictionResponders']],
  ['V1PodStatus', ['volumeHealth']],
  ['V1ProjectedVolumeSource', ['defaultUser']],
  ['V1ResourceSliceSpec', ['partitionTypeAttribute', 'skipNodeOperations']],
  ['V1SecretVolumeSource', ['defaultUser']],
  ['V1ServiceAccountTokenProjection', ['user']],
  ['V1VolumeMount', ['bindMountOptions']],
  ['V2HorizontalPodAutoscalerCondition', ['observedGeneration']],
]);

/** A mapping of the API with known fields. */
export class Model {
  private read: ReadonlyMap<string, ApiType> | undefined;

  /** @param words of its line in the table, without the name */
  constructor(
    readonly name: string,
    private readonly words: readonly string[],
  ) {}

  /** Name, as it is written in a manifest, to type. */
  get fields(): ReadonlyMap<string, ApiType> {
    this.read ??= new Map([
      ...this.words.map((word) => {
        const [name = '', type = 'string'] = word.split(':');
        return [name, typeOf(type)] as const;
      }),
      ...(NEWER_FIELDS.get(this.name) ?? []).map((name) => [name, typeOf('any')] as const),
    ]);
    return this.read;
  }
}

/** The kinds and the models of the table. Reading it takes time, so nothing does before the first resource is checked. */
class ApiTable {
  private static only: ApiTable | undefined;
  readonly models: ReadonlyMap<string, Model>;
  /** Kind to apiVersion to model. */
  readonly kinds = new Map<string, Map<string, string>>();
  readonly groups = new Set<string>();
  readonly types = new Map<string, ApiType>();

  private constructor() {
    const lines = API_FIELDS.trim().split('\n');
    this.models = new Map(
      lines.map((line) => {
        const [name = '', ...fields] = line.split(' ');
        return [name, new Model(name, fields)];
      }),
    );
    for (const line of API_KINDS.trim().split('\n')) {
      const [apiVersion = '', kind = '', model = ''] = line.split(' ');
      const versions = this.kinds.get(kind) ?? new Map<string, string>();
      versions.set(apiVersion, model);
      this.kinds.set(kind, versions);
      this.groups.add(groupIn(apiVersion));
    }
  }

  static get(): ApiTable {
    ApiTable.only ??= new ApiTable();
    return ApiTable.only;
  }
}

/** The type that the table writes as a text. */
function typeOf(text: string): ApiType {
  const table = ApiTable.get();
  const known = table.types.get(text);
  if (known !== undefined) return known;
  const model = table.models.get(text);
  const type: ApiType =
    model !== undefined
      ? { is: 'model', model }
      : text.startsWith('[]')
        ? { is: 'list', of: typeOf(text.slice(2)) }
        : text.startsWith('{}')
          ? { is: 'map', of: typeOf(text.slice(2)) }
          : { is: 'scalar', scalar: text as Scalar };
  table.types.set(text, type);
  return type;
}

/** The group of the text of an apiVersion; `''` is the core group. */
export function groupIn(apiVersion: string): string {
  return apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '';
}

/** A model by its name, such as `V1ObjectMeta`. */
export function modelOf(name: string): Model | undefined {
  return ApiTable.get().models.get(name);
}

/** The model of a built-in kind; undefined where the table has none. */
export function modelOfKind(apiVersion: string, kind: string): Model | undefined {
  return modelOf(ApiTable.get().kinds.get(kind)?.get(apiVersion) ?? '');
}

/** The stable apiVersions that have a kind, the newest last within a group. */
export function apiVersionsOf(kind: string): readonly string[] {
  return [...(ApiTable.get().kinds.get(kind)?.keys() ?? [])];
}

/** The built-in kinds of an apiVersion. */
export function kindsIn(apiVersion: string): readonly string[] {
  return [...ApiTable.get().kinds].flatMap(([kind, versions]) => (versions.has(apiVersion) ? [kind] : []));
}

/** Whether the table has a kind of an API group. */
export function isBuiltInGroup(group: string): boolean {
  return ApiTable.get().groups.has(group);
}
