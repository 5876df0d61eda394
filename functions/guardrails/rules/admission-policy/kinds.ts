import { type Placed, groupOf, isDefinition } from '../../krm/resource';
import { type YamlObject, objectAt, textOf } from '../../yaml/yaml';

/** How the API server serves a kind. */
export interface ServedKind {
  /** `deployments`. */
  readonly resource: string;
  /** undefined: not known. */
  readonly isNamespaced: boolean | undefined;
}

/** The built-in kinds that no namespace has (kubectl api-resources --namespaced=false, 1.37). */
const CLUSTER_SCOPED = new Set(
  (
    'Namespace Node PersistentVolume ClusterRole ClusterRoleBinding StorageClass VolumeAttachment CSIDriver CSINode ' +
    'VolumeAttributesClass IngressClass RuntimeClass PriorityClass PriorityLevelConfiguration FlowSchema APIService ' +
    'CustomResourceDefinition MutatingWebhookConfiguration ValidatingWebhookConfiguration ValidatingAdmissionPolicy ' +
    'ValidatingAdmissionPolicyBinding MutatingAdmissionPolicy MutatingAdmissionPolicyBinding CertificateSigningRequest ' +
    'ClusterTrustBundle DeviceClass ResourceSlice IPAddress ServiceCIDR GatewayClass ClusterIssuer ClusterSecretStore'
  ).split(' '),
);
/** Kinds whose plural is not made by the rules of English that `pluralOf` knows. */
const IRREGULAR: Readonly<Record<string, string>> = { Endpoints: 'endpoints' };

/** The kinds of a build, by what its CustomResourceDefinitions say and by the names of the built-in ones. */
export class ServedKinds {
  private readonly defined = new Map<string, ServedKind>();

  constructor(resources: readonly Placed[]) {
    for (const { resource } of resources) {
      if (!isDefinition(resource)) continue;
      const spec = objectAt(resource, 'spec');
      const { group, scope } = spec;
      const { kind, plural } = objectAt(spec, 'names');
      this.defined.set(`${textOf(group)}/${textOf(kind)}`, {
        resource: textOf(plural),
        isNamespaced: scope !== 'Cluster',
      });
    }
  }

  of(resource: YamlObject): ServedKind {
    const kind = textOf(resource.kind);
    const group = groupOf(resource);
    const defined = this.defined.get(`${group}/${kind}`);
    if (defined !== undefined) return defined;
    const isBuiltIn = !group.includes('.') || group.endsWith('.k8s.io');
    const isNamespaced = CLUSTER_SCOPED.has(kind) ? false : isBuiltIn ? true : undefined;
    return { resource: IRREGULAR[kind] ?? pluralOf(kind), isNamespaced };
  }
}

/** The plural as kubebuilder and kubectl make it (apimachinery, meta.UnsafeGuessKindToResource). */
function pluralOf(kind: string): string {
  const name = kind.toLowerCase();
  if (/(?:s|x|ch|sh)$/.test(name)) return `${name}es`;
  return name.endsWith('y') && !/[aeiou]y$/.test(name) ? `${name.slice(0, -1)}ies` : `${name}s`;
}
