import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { type PodSpec, podSpecOf } from '../../kubernetes/workload';
import { type Message, message, words } from '../../message';
import type { Severity } from '../../krm/result';
import { Field } from '../../network/decode';
import { isTrue } from './texts';

/** A field that names another object of the same build. */
export interface Reference {
  readonly at: Placed;
  readonly field: readonly (string | number)[];
  /** What names it: `env DB_HOST of container "web"`. */
  readonly part: Message;
  readonly kind: string;
  readonly name: string;
  /** Of the object; `''`: that which `kubectl apply` chooses. */
  readonly namespace: string;
  /** undefined: no key is named. */
  readonly key?: string | undefined;
  /** The container that has the field. */
  readonly container?: string | undefined;
  /** What it is where nothing in the build has that name. */
  readonly severity: Severity;
  /** It is one of several of a list in which some may be missing, as the accounts of controllers that are optional. */
  readonly isOneOf?: boolean;
}

type Target = Pick<Reference, 'kind' | 'severity' | 'key' | 'isOneOf'>;

const CONFIG_MAP: Target = { kind: 'ConfigMap', severity: 'error' };
const SECRET: Target = { kind: 'Secret', severity: 'warning' };
const SERVICE_ACCOUNT: Target = { kind: 'ServiceAccount', severity: 'error' };

/** The references of a resource to other objects: those that Kubernetes follows, and not the optional ones. */
export function referencesIn(at: Placed): Reference[] {
  const { resource } = at;
  const pod = podSpecOf(resource);
  const ofKind = BY_KIND.get(`${groupOf(resource)}/${resourceRef(resource).kind}`);
  const collector = new Collector(at);
  if (pod !== undefined) addPod(pod, collector);
  ofKind?.(new Field(resource), collector);
  return collector.references;
}

/** Collects the references of one resource. */
class Collector {
  readonly references: Reference[] = [];
  readonly home: string;

  constructor(readonly at: Placed) {
    this.home = resourceRef(at.resource).namespace ?? '';
  }

  /** @param name the field with the name; nothing is added where it has none */
  add(
    name: Field,
    target: Target,
    part: Message,
    { namespace = this.home, container }: { namespace?: string; container?: string | undefined } = {},
  ): void {
    if (typeof name.value !== 'string' || name.value === '') return;
    const { at } = this;
    this.references.push({ ...target, at, field: name.path, part, name: name.value, namespace, container });
  }

  /** A reference with a name and a key, unless it is optional. */
  addKey(reference: Field, target: Target, part: Message, container?: string): void {
    if (isTrue(reference.at('optional'))) return;
    const key = reference.at('key').value;
    const whole = typeof key === 'string' && key !== '' ? { ...target, key } : target;
    this.add(reference.at('name'), whole, part, { container });
  }
}

function addPod(pod: PodSpec, collector: Collector): void {
  const spec = new Field(pod.value, pod.path);
  const account = spec.at('serviceAccountName').isAbsent
    ? spec.at('serviceAccount')
    : spec.at('serviceAccountName');
  collector.add(account, SERVICE_ACCOUNT, words('the pod'));
  for (const one of spec.at('imagePullSecrets').entries())
    collector.add(one.at('name'), SECRET, words('imagePullSecrets'));
  for (const { value, path, subject, name } of pod.containers)
    addContainer(new Field(value, path), subject, name, collector);
  for (const volume of spec.at('volumes').entries()) addVolume(volume, pod, collector);
}

function addContainer(container: Field, subject: Message, name: string, collector: Collector): void {
  for (const entry of container.at('env').entries()) {
    const source = entry.at('valueFrom');
    if (source.isAbsent) continue;
    const { value } = entry.at('name');
    const part = message`env ${typeof value === 'string' ? value : ''} of ${subject}`;
    collector.addKey(source.at('configMapKeyRef'), CONFIG_MAP, part, name);
    collector.addKey(source.at('secretKeyRef'), SECRET, part, name);
  }
  for (const entry of container.at('envFrom').entries()) {
    const part = message`envFrom of ${subject}`;
    collector.addKey(entry.at('configMapRef'), CONFIG_MAP, part, name);
    collector.addKey(entry.at('secretRef'), SECRET, part, name);
  }
}

/** Volumes whose driver reads a Secret that is named like this, from the volume. */
const DRIVER_SECRETS = [
  ['csi', 'nodePublishSecretRef', 'name'],
  ['cephfs', 'secretRef', 'name'],
  ['flexVolume', 'secretRef', 'name'],
  ['iscsi', 'secretRef', 'name'],
  ['rbd', 'secretRef', 'name'],
  ['azureFile', 'secretName'],
] as const;

function addVolume(volume: Field, pod: PodSpec, collector: Collector): void {
  const name = volume.at('name').value;
  const part = message`volume ${typeof name === 'string' ? name : ''}`;
  addFiles(volume.at('configMap'), 'name', CONFIG_MAP, part, collector);
  addFiles(volume.at('secret'), 'secretName', SECRET, part, collector);
  for (const source of volume.at('projected').at('sources').entries()) {
    addFiles(source.at('configMap'), 'name', CONFIG_MAP, part, collector);
    addFiles(source.at('secret'), 'name', SECRET, part, collector);
  }
  addSubPaths(volume, pod, collector);
  const claim = volume.at('persistentVolumeClaim').at('claimName');
  collector.add(claim, { kind: 'PersistentVolumeClaim', severity: 'warning' }, part);
  for (const path of DRIVER_SECRETS) {
    const [driver, ...rest] = path;
    if (volume.at(driver).isAbsent) continue;
    collector.add(
      rest.reduce((field, key) => field.at(key), volume.at(driver)),
      SECRET,
      part,
    );
  }
}

/** The files of a volume: the object, and each key that `items` names. */
function addFiles(source: Field, nameKey: string, target: Target, part: Message, collector: Collector): void {
  if (isTrue(source.at('optional'))) return;
  collector.add(source.at(nameKey), target, part);
  for (const item of source.at('items').entries()) {
    const { value: key } = item.at('key');
    if (typeof key === 'string' && key !== '')
      collector.add(source.at(nameKey), { ...target, key }, message`${part}`);
  }
}

/** A mount of one file of a volume names a key: where there is none, the kubelet makes an empty folder. */
function addSubPaths(volume: Field, pod: PodSpec, collector: Collector): void {
  for (const [type, nameKey, target] of [
    ['configMap', 'name', CONFIG_MAP],
    ['secret', 'secretName', SECRET],
  ] as const) {
    const source = volume.at(type);
    if (source.isAbsent || !source.at('items').isAbsent || isTrue(source.at('optional'))) continue;
    for (const { value, path, subject, name } of pod.containers)
      for (const mount of new Field(value, path).at('volumeMounts').entries()) {
        const { value: subPath } = mount.at('subPath');
        if (mount.at('name').value !== volume.at('name').value || typeof subPath !== 'string') continue;
        // A key has no slash.
        if (subPath === '' || subPath.includes('/')) continue;
        const part = message`subPath of ${subject}`;
        collector.add(source.at(nameKey), { ...target, key: subPath }, part, { container: name });
      }
  }
}

/** By group and kind. */
const BY_KIND = new Map<string, (resource: Field, collector: Collector) => void>([
  ['/ServiceAccount', ofServiceAccount],
  ['autoscaling/HorizontalPodAutoscaler', ofScaler('scaleTargetRef')],
  ['keda.sh/ScaledObject', ofScaler('scaleTargetRef')],
  ['autoscaling.k8s.io/VerticalPodAutoscaler', ofScaler('targetRef')],
  ['rbac.authorization.k8s.io/RoleBinding', ofBinding],
  ['rbac.authorization.k8s.io/ClusterRoleBinding', ofBinding],
  ['networking.k8s.io/Ingress', ofIngress],
  ['apps/StatefulSet', ofStatefulSet],
]);

function ofServiceAccount(account: Field, collector: Collector): void {
  for (const list of ['secrets', 'imagePullSecrets'])
    for (const one of account.at(list).entries()) collector.add(one.at('name'), SECRET, words(list));
}

function ofScaler(key: string): (resource: Field, collector: Collector) => void {
  return (resource, collector) => {
    const target = resource.at('spec').at(key);
    const { value: kind = 'Deployment' } = target.at('kind');
    if (typeof kind !== 'string') return;
    collector.add(target.at('name'), { kind, severity: 'error' }, words(key));
  };
}

function ofBinding(binding: Field, collector: Collector): void {
  const role = binding.at('roleRef');
  const { value: kind } = role.at('kind');
  if (kind === 'Role') collector.add(role.at('name'), { kind, severity: 'warning' }, words('roleRef'));
  if (kind === 'ClusterRole')
    collector.add(role.at('name'), { kind, severity: 'warning' }, words('roleRef'), { namespace: '' });
  const subjects = binding.at('subjects').entries();
  const target: Target = { kind: 'ServiceAccount', severity: 'warning', isOneOf: subjects.length > 1 };
  for (const subject of subjects) {
    if (subject.at('kind').value !== 'ServiceAccount') continue;
    const { value } = subject.at('namespace');
    const namespace = typeof value === 'string' ? value : collector.home;
    collector.add(subject.at('name'), target, words('subjects'), { namespace });
  }
}

function ofIngress(ingress: Field, collector: Collector): void {
  for (const one of ingress.at('spec').at('tls').entries())
    collector.add(one.at('secretName'), SECRET, words('tls'));
}

/** Without its Service, the pods of a StatefulSet have no names. */
function ofStatefulSet(set: Field, collector: Collector): void {
  collector.add(
    set.at('spec').at('serviceName'),
    { kind: 'Service', severity: 'info' },
    words('serviceName'),
  );
}
