import fc from 'fast-check';
import { type YamlObject, type YamlValue, isObject } from '../../functions/guardrails/yaml/yaml';
import { targetAt } from './target-at';

/** Workloads for the validation of the Kubernetes API: a valid one of each kind, changed in a few places. */

export const KINDS = [
  'Pod',
  'PodTemplate',
  'ReplicationController',
  'Deployment',
  'StatefulSet',
  'DaemonSet',
  'ReplicaSet',
  'Job',
  'CronJob',
] as const;
export type Kind = (typeof KINDS)[number];

/** The pod with its metadata, one of its containers, or each of all. */
type Scope = 'pod' | 'one' | 'every';
/** A value for a field: its names, with `-` for a new entry of a list. */
type Change = readonly [scope: Scope, path: readonly string[], value: YamlValue];

/** Changes that together are one value of a group. */
export interface Edit {
  readonly group: string;
  readonly changes: readonly Change[];
}

const at = (scope: Scope) => (path: string, value: YamlValue) =>
  [[scope, path.split(' '), value]] as Change[];
const [pod, one, every] = [at('pod'), at('one'), at('every')];
const annotation = (name: string, value: YamlValue) => pod(`metadata annotations ${name}`, value);
const ofPod = (path: string, value: YamlValue) => pod(`spec securityContext ${path}`, value);
const ofOne = (path: string, value: YamlValue) => one(`securityContext ${path}`, value);

const CPU: readonly YamlValue[] = [
  ...['0', '1m', '50m', '0.1', '100m', '250m', '500m', '501m', '2', '1e3', '100u', '1n', '.5', '+1', '-0'],
  ...['0100m', '100e-3', '0.00001', '1E', '99999999999999999999'],
  ...['1e-101', '1e101', 5, 0.25, null],
];
const MEMORY: readonly YamlValue[] = [
  ...[
    '0',
    '1',
    '64Mi',
    '128Mi',
    '134217728',
    '0.125Gi',
    '512Mi',
    '513Mi',
    '2G',
    '1e9',
    '100m',
    '1.5Ki',
    '-0',
  ],
  ...['0.0001Ki', '128e6', '99999999999999999999Ei'],
  ...['1e-101', '1e101', '9Ei', 536870912, null],
];
const ONE_SIDED = [
  ...CPU.map((value) => ['cpu', value] as const),
  ...MEMORY.map((v) => ['memory', v] as const),
];
const requirements = (value: YamlValue) => one('resources', value);
const ofPodResources = (value: YamlValue) => pod('spec resources', value);

/** A volume, and its mount in one container. */
const mounted = (name: string, source: YamlObject, mount: YamlObject) => [
  ...pod('spec volumes -', { name, ...source }),
  ...one('volumeMounts -', { name, ...mount }),
];
const MOUNT_PATHS = [
  ...[
    '/tmp',
    '/tmp/',
    '/tmp/cache',
    '//tmp',
    '/var/../tmp',
    'tmp',
    '/',
    '/app',
    '/app/cache',
    '/app/cache/a',
  ],
  ...['/dev', '/dev/shm', '/proc', '/proc/sys', '/sys', '/sys/fs/cgroup', '/run', '/var/run/secrets'],
  ...['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/dev/termination-log', '/data'],
];

const WRITABLE_PATHS = [
  ...['/app/cache=16Mi', '/app/cache=16Mi, /var/run=1Mi', '/tmp=1Gi', '/app/Cache=1Mi,/app/cache=1Mi'],
  ...['/dev=1Mi', '/dev/shm=64Mi', '/proc=1Mi', '/sys=1Mi', '/etc/hosts=1Mi', '/data=1e6', '/tmp/a=1Mi'],
  ...['/é=1Mi', '/a b=1Mi', '/app/./cache/=1Mi', '/app/cache=1n', '/app/cache=1e-101', '/app/cache=0.5'],
  `/${'long/'.repeat(20)}path=1Mi`,
  ...['/app:cache=1Mi', '/app/cache', 'app=1Mi', '/=1Mi', '/a=0', ''],
];

const PROFILES = [
  'unconfined',
  'localhost/x',
  'localhost/profiles/app.json',
  'runtime/default',
  'docker/default',
];
const RULE_IDS = [
  ...['run-as-non-root', 'seccomp-profile', 'privilege-escalation', 'capabilities', 'pod-security'],
  ...['read-only-root-filesystem', 'volumes', 'service-account-token', 'resources'],
];

const GROUPS: Readonly<Record<string, readonly (readonly Change[])[]>> = {
  oneSidedResources: ONE_SIDED.flatMap(([name, value]) => [
    one(`resources requests ${name}`, value),
    one(`resources limits ${name}`, value),
  ]),
  resources: [
    requirements(null),
    requirements({}),
    requirements({ requests: null, limits: {} }),
    requirements({ requests: { cpu: '50m' }, limits: { cpu: '50m' } }),
    requirements({ requests: { cpu: '50m', memory: '1Gi' }, limits: { cpu: '50m' } }),
    requirements({ limits: { cpu: '10m', memory: '16Mi' } }),
    requirements({ requests: { cpu: '3', memory: '3Gi' } }),
    requirements({ requests: { memory: '64Mi' }, limits: { cpu: '1' } }),
    requirements({ requests: { cpu: '2' }, limits: { cpu: '1' } }),
    requirements({ limits: { cpu: '-1' } }),
    requirements({ requests: { memory: '-1' } }),
    requirements({ limits: { cpu: 'much' } }),
    requirements({ limits: { 'ephemeral-storage': '1Gi' } }),
  ],
  extendedResources: [
    requirements({ limits: { 'nvidia.com/gpu': 1 } }),
    requirements({ limits: { 'nvidia.com/gpu': '1' }, requests: { 'nvidia.com/gpu': '1' } }),
    requirements({ limits: { 'nvidia.com/gpu': 1, cpu: '10m' } }),
    requirements({ limits: { 'hugepages-2Mi': '4Mi', memory: '64Mi' } }),
    requirements({ limits: { 'hugepages-2Mi': '4Mi' }, requests: { 'hugepages-2Mi': '4Mi', cpu: '1' } }),
    requirements({ limits: { 'hugepages-2Mi': '4Mi' } }),
  ],
  podResources: [
    ofPodResources(null),
    ofPodResources({}),
    ofPodResources({ requests: {}, limits: {} }),
    ...['0', '50m', '100m', '1', null].flatMap((cpu) => [
      ofPodResources({ requests: { cpu } }),
      ofPodResources({ limits: { cpu } }),
    ]),
    ...['0', '16Mi', '128Mi', '4Gi', null].flatMap((memory) => [
      ofPodResources({ requests: { memory } }),
      ofPodResources({ limits: { memory } }),
    ]),
    ofPodResources({ requests: { cpu: '50m' }, limits: { memory: '64Mi' } }),
    ofPodResources({ requests: { cpu: '50m', memory: '16Mi' }, limits: { cpu: '60m', memory: '32Mi' } }),
    ofPodResources({ limits: { 'hugepages-2Mi': '8Mi', memory: '64Mi' } }),
    ofPodResources({ limits: { 'hugepages-2Mi': '8Mi' } }),
  ],
  besideResources: [
    one('resizePolicy', [{ resourceName: 'cpu', restartPolicy: 'NotRequired' }]),
    one('resizePolicy', [{ resourceName: 'memory', restartPolicy: 'RestartContainer' }]),
    one('env -', { name: 'LIMIT', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } }),
    pod('spec overhead', { cpu: '250m' }),
  ],
  mounts: [
    ...MOUNT_PATHS.map((mountPath) => mounted('data', { emptyDir: {} }, { mountPath })),
    ...MOUNT_PATHS.map((mountPath) =>
      mounted('settings', { configMap: { name: 'settings' } }, { mountPath, readOnly: true }),
    ),
    mounted('data', { emptyDir: {} }, { mountPath: '/etc/hosts', subPath: 'hosts' }),
    mounted('data', { emptyDir: {} }, { mountPath: '/tmp/a', subPathExpr: '$(NAME)' }),
    mounted(
      'data',
      { hostPath: { path: '/tmp' } },
      { mountPath: '/tmp', mountPropagation: 'HostToContainer' },
    ),
    one('volumeMounts -', { name: 'missing', mountPath: '/tmp' }),
    one('volumeMounts', null),
    one('volumeMounts', []),
    pod('spec volumes', null),
    pod('spec volumes', []),
  ],
  devices: ['/tmp', '/dev/xvda', '/app/cache', '/data'].map((devicePath) => [
    ...pod('spec volumes -', { name: 'disk', persistentVolumeClaim: { claimName: 'disk' } }),
    ...one('volumeDevices -', { name: 'disk', devicePath }),
  ]),
  ownVolumes: [
    pod('spec volumes -', { name: 'guardrails-tmp', emptyDir: { sizeLimit: '64Mi' } }),
    pod('spec volumes -', { name: 'guardrails-tmp', emptyDir: {} }),
    pod('spec volumes -', { name: 'guardrails-tmp' }),
    pod('spec volumes -', { name: 'guardrails-tmp', secret: { secretName: 'backend' } }),
    pod('spec volumes -', { name: 'guardrails-app-cache', configMap: { name: 'settings' } }),
    mounted('guardrails-tmp', { emptyDir: { sizeLimit: '64Mi' } }, { mountPath: '/tmp' }),
    mounted('guardrails-tmp', { emptyDir: { sizeLimit: '64Mi' } }, { mountPath: '/data' }),
    [
      ...pod('spec volumes -', { name: 'guardrails-tmp', persistentVolumeClaim: { claimName: 'disk' } }),
      ...one('volumeDevices -', { name: 'guardrails-tmp', devicePath: '/dev/xvdb' }),
    ],
  ],
  writablePaths: WRITABLE_PATHS.map((paths) => annotation('todo.example.com/writable-paths', paths)),
  exemptions: [
    ...RULE_IDS.map((id) => annotation(`exempt.todo.example.com/${id}`, 'needed by the legacy image')),
    ...RULE_IDS.map((id) => annotation(`exempt.todo.example.com/${id}`, 'app0: needed by the legacy image')),
  ],
  podSeccomp: [
    ofPod('seccompProfile', { type: 'RuntimeDefault' }),
    ofPod('seccompProfile', { type: 'Unconfined' }),
    ofPod('seccompProfile', { type: 'Localhost', localhostProfile: 'x' }),
    ofPod('seccompProfile', { localhostProfile: 'x' }),
    ofPod('seccompProfile', { type: '' }),
    ofPod('seccompProfile', {}),
    ofPod('seccompProfile', null),
    every('securityContext seccompProfile', { type: 'Unconfined' }),
  ],
  podSeccompAnnotation: PROFILES.map((profile) =>
    annotation('seccomp.security.alpha.kubernetes.io/pod', profile),
  ),
  containerSeccompAnnotation: ['app0', 'init0', 'another'].flatMap((name) =>
    PROFILES.map((profile) => annotation(`container.seccomp.security.alpha.kubernetes.io/${name}`, profile)),
  ),
  containerSeccomp: [
    ofOne('seccompProfile', { type: 'RuntimeDefault' }),
    ofOne('seccompProfile', { type: 'Unconfined' }),
    ofOne('seccompProfile', { type: 'Localhost', localhostProfile: 'x' }),
    ofOne('seccompProfile', null),
  ],
  appArmor: [
    ofPod('appArmorProfile', { type: 'Unconfined' }),
    ofPod('appArmorProfile', { type: 'RuntimeDefault' }),
    ofOne('appArmorProfile', { type: 'Localhost', localhostProfile: 'app' }),
    ofOne('appArmorProfile', { type: 'Unconfined' }),
    ...['unconfined', 'runtime/default', 'localhost/app', ''].map((profile) =>
      annotation('container.apparmor.security.beta.kubernetes.io/app0', profile),
    ),
  ],
  privileges: [
    ofOne('privileged', true),
    ofOne('privileged', false),
    ofOne('privileged', null),
    every('securityContext privileged', true),
    ofOne('allowPrivilegeEscalation', true),
    ofOne('allowPrivilegeEscalation', null),
    [...ofOne('privileged', true), ...ofOne('allowPrivilegeEscalation', false)],
  ],
  capabilities: [
    ...['SYS_ADMIN', 'CAP_SYS_ADMIN', 'NET_BIND_SERVICE', 'ALL', 'sys_admin', 'cap_sys_admin'].map((name) =>
      ofOne('capabilities add', [name]),
    ),
    [...ofOne('capabilities add', ['CAP_SYS_ADMIN']), ...ofOne('allowPrivilegeEscalation', false)],
    ofOne('capabilities', null),
    ofOne('capabilities', {}),
    ofOne('capabilities drop', []),
    ofOne('capabilities drop', ['NET_RAW']),
    ofOne('capabilities drop', ['ALL']),
  ],
  users: [
    ofPod('runAsNonRoot', false),
    ofPod('runAsUser', 0),
    ofPod('fsGroup', 1000),
    ofOne('runAsNonRoot', true),
    ofOne('runAsUser', 1000),
    ofOne('readOnlyRootFilesystem', false),
    ofOne('readOnlyRootFilesystem', true),
    one('securityContext', null),
    pod('spec securityContext', null),
    pod('spec securityContext', {}),
  ],
  procMount: [
    ofOne('procMount', 'Default'),
    ofOne('procMount', 'Unmasked'),
    [...ofOne('procMount', 'Unmasked'), ...pod('spec hostUsers', false)],
  ],
  operatingSystem: [
    pod('spec os', { name: 'linux' }),
    pod('spec os', { name: 'windows' }),
    pod('spec os', { name: 'windows' }),
    pod('spec os', {}),
    pod('spec os', { name: 'Windows' }),
    [...pod('spec os', { name: 'windows' }), ...ofPod('windowsOptions', { runAsUserName: 'ContainerUser' })],
    [
      ...pod('spec os', { name: 'windows' }),
      ...pod('spec hostNetwork', true),
      ...ofPod('windowsOptions', { hostProcess: true }),
    ],
    [...pod('spec hostNetwork', true), ...every('securityContext windowsOptions', { hostProcess: true })],
    [
      ...pod('spec os', { name: 'windows' }),
      ...pod('spec volumes -', { name: 'data', emptyDir: {} }),
      ...one('volumeMounts -', { name: 'data', mountPath: 'C:\\data' }),
    ],
  ],
  host: [
    pod('spec hostUsers', false),
    pod('spec hostUsers', true),
    pod('spec hostNetwork', true),
    pod('spec hostPID', true),
    [...pod('spec hostNetwork', true), ...one('ports -', { containerPort: 8080 })],
    [...pod('spec hostPID', true), ...pod('spec shareProcessNamespace', true)],
  ],
  ports: [
    one('ports -', { containerPort: 8080 }),
    one('ports -', { containerPort: 80, hostPort: 80 }),
    one('ports -', { name: 'http', containerPort: 80 }),
    one('ports', null),
    one('ports -', { containerPort: 0 }),
  ],
  probes: [
    one('readinessProbe', { httpGet: { port: 80 } }),
    one('livenessProbe', { tcpSocket: { port: 'http' } }),
    one('livenessProbe', { exec: { command: ['cat', '/tmp/healthy'] }, terminationGracePeriodSeconds: 5 }),
    one('readinessProbe', { grpc: { port: 80 } }),
    one('lifecycle', { preStop: { sleep: { seconds: 1 } } }),
    one('readinessProbe', {}),
  ],
  serviceAccount: [
    pod('spec serviceAccountName', 'backend'),
    pod('spec serviceAccountName', 'default'),
    pod('spec automountServiceAccountToken', true),
    pod('spec automountServiceAccountToken', null),
    mounted(
      'token',
      { projected: { sources: [{ serviceAccountToken: { path: 'token', audience: 'vault' } }] } },
      { mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true },
    ),
  ],
};

const EDITS = Object.entries(GROUPS).map(([group, values]) =>
  values.map((changes): Edit => ({ group, changes })),
);
export const GROUP_NAMES = Object.keys(GROUPS);
/** Every value of every group. */
export const ALL_EDITS = EDITS.flat();

/** What a namespace may set for its pods. The first of each is the smallest for shrinking. */
const BESIDE: readonly YamlObject[] = [
  {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'limits' },
    spec: {
      limits: [
        { type: 'Container', default: { cpu: '200m', memory: '64Mi' }, defaultRequest: { cpu: '10m' } },
        { type: 'Pod', max: { cpu: '1' } },
      ],
    },
  },
  {
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'bounds' },
    spec: { limits: [{ type: 'Container', max: { cpu: '250m' }, min: { memory: '1Gi' } }] },
  },
  {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'quota' },
    spec: { hard: { 'requests.cpu': '1', 'limits.memory': '1Gi', pods: '4' } },
  },
];

/** A generated workload, and what the stream has beside it. */
export interface Case {
  readonly kind: Kind;
  /** How many there are. */
  readonly containers: number;
  readonly ephemeralContainers: number;
  readonly initContainers: readonly ('once' | 'sidecar')[];
  readonly beside: readonly YamlObject[];
  /** `target`: which container is the `one`. */
  readonly edits: readonly { readonly edit: Edit; readonly target: number }[];
}

/** A Pod with one container. */
export const SIMPLEST: Case = {
  kind: 'Pod',
  containers: 1,
  ephemeralContainers: 0,
  initContainers: [],
  beside: [],
  edits: [],
};

/** Most with one to three values. The API server refuses ephemeralContainers in what is created, so they are rare. */
export function generatedCase(): fc.Arbitrary<Case> {
  const edit = fc.constantFrom(...EDITS).chain((values) => fc.constantFrom(...values));
  const edits = (minLength: number, maxLength: number) =>
    fc.array(fc.record({ edit, target: fc.nat({ max: 3 }) }), { minLength, maxLength });
  return fc.record({
    kind: fc.constantFrom(...KINDS),
    containers: fc.constantFrom(1, 1, 1, 2),
    ephemeralContainers: fc.constantFrom(...Array.from({ length: 11 }, () => 0), 1),
    initContainers: fc.array(fc.constantFrom('once' as const, 'sidecar' as const), { maxLength: 2 }),
    beside: fc.oneof(fc.constant([]), fc.subarray([...BESIDE])),
    edits: fc.oneof(
      { weight: 4, arbitrary: edits(1, 1) },
      { weight: 5, arbitrary: edits(2, 2) },
      { weight: 2, arbitrary: edits(0, 5) },
    ),
  });
}

/** The workload of a case. */
export function workloadOf(one: Case): YamlObject {
  const container = (name: string): YamlObject => ({ name, image: 'example.com/app:1.0' });
  const list = (length: number, name: string) => Array.from({ length }, (_, i) => container(`${name}${i}`));
  const lists = {
    containers: list(one.containers, 'app'),
    initContainers: one.initContainers.map((sort, i) => ({
      ...container(`init${i}`),
      ...(sort === 'sidecar' && { restartPolicy: 'Always' }),
    })),
    ephemeralContainers: list(one.ephemeralContainers, 'debug'),
  };
  const spec = Object.fromEntries(Object.entries(lists).filter(([, { length }]) => length > 0));
  const root: YamlObject = { metadata: {}, spec };
  const all = Object.values(lists).flat();
  for (const { edit, target } of one.edits)
    for (const [scope, path, value] of edit.changes)
      for (const object of scope === 'pod' ? [root] : scope === 'every' ? all : [all[target % all.length]])
        if (object !== undefined) setAt(object, path, value);
  return wrapped(root, one.kind);
}

/** The workload that runs a pod. Annotations are also on the workload itself, where the function reads its own. */
function wrapped(pod: YamlObject, kind: Kind): YamlObject {
  const metadata = isObject(pod.metadata) ? pod.metadata : {};
  const spec = isObject(pod.spec) ? pod.spec : {};
  const named = { ...metadata, name: 'generated' };
  if (kind === 'Pod') return { apiVersion: 'v1', kind, metadata: named, spec };
  const labels = { app: 'generated' };
  const template = { metadata: { ...metadata, labels }, spec };
  if (kind === 'PodTemplate') return { apiVersion: 'v1', kind, metadata: named, template };
  if (kind === 'ReplicationController')
    return { apiVersion: 'v1', kind, metadata: named, spec: { selector: labels, template } };
  const job = { template: { ...template, spec: { ...spec, restartPolicy: 'Never' } } };
  if (kind === 'Job') return { apiVersion: 'batch/v1', kind, metadata: named, spec: job };
  if (kind === 'CronJob')
    return {
      apiVersion: 'batch/v1',
      kind,
      metadata: named,
      spec: { schedule: '0 0 * * *', jobTemplate: { spec: job } },
    };
  const claims = [
    {
      // The claim takes the place of a volume of the pod with its name.
      metadata: { name: 'guardrails-tmp' },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  ];
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: named,
    spec: {
      selector: { matchLabels: labels },
      ...(kind === 'StatefulSet' && { serviceName: 'generated', volumeClaimTemplates: claims }),
      template,
    },
  };
}

/** An entry that the list has already is not appended. */
function setAt(root: YamlObject, path: readonly string[], value: YamlValue): void {
  const { object, field, before, isAppended } = targetAt(root, path);
  const entries = Array.isArray(before) ? before : [];
  const isThere = entries.some((entry) => JSON.stringify(entry) === JSON.stringify(value));
  if (!isAppended) object[field] = structuredClone(value);
  else if (!isThere) object[field] = [...entries, structuredClone(value)];
}
