import fc from 'fast-check';
import { type YamlObject, type YamlValue, isObject } from '../../functions/guardrails/yaml/yaml';
import { targetAt } from './target-at';

/** Pods for Pod Security: what each admits, changed in a few places. Each is a Pod that strict decoding takes. */

export type Level = 'baseline' | 'restricted';
/** v1.25 to v1.37. */
export const VERSIONS = Array.from({ length: 13 }, (_, i) => `v1.${25 + i}`);

/** What runs the pod. */
export const KINDS = ['Pod', 'Deployment', 'CronJob'] as const;
export type Kind = (typeof KINDS)[number];

/** The pod, one of its containers, each of the others, or each of all. */
type Scope = 'pod' | 'one' | 'others' | 'every';
/** A value for a field: its names, with `-` for a new entry of a list. Without a value the field is removed. */
type Change = readonly [scope: Scope, path: readonly string[], value: YamlValue | undefined];

/** Changes that together are one value of a control. */
export interface Edit {
  readonly control: string;
  /** Unusual, but allowed in a level and a version. */
  readonly isEdge: boolean;
  readonly changes: readonly Change[];
}

interface Control {
  /** How the library names it, by level; without a level where it does not hold. */
  readonly reason: Partial<Record<Level, string>>;
  readonly edges: readonly (readonly Change[])[];
  readonly others: readonly (readonly Change[])[];
}

const at = (scope: Scope) => (path: string, value?: YamlValue) =>
  [[scope, path.split(' '), value]] as Change[];
const [pod, one, others, every] = [at('pod'), at('one'), at('others'), at('every')];
const securityContext = (of: typeof pod) => (path: string, value?: YamlValue) =>
  of(`${of === pod ? 'spec ' : ''}securityContext ${path}`, value);
const [ofPod, ofOne, ofOthers, ofEvery] = [pod, one, others, every].map(securityContext) as [
  typeof pod,
  typeof pod,
  typeof pod,
  typeof pod,
];
const windows = pod('spec os', { name: 'windows' });
const userNamespace = pod('spec hostUsers', false);

const volume = (source: string, body: YamlValue = {}) =>
  pod('spec volumes -', { name: source.toLowerCase(), [source]: body });
const port = (hostPort: YamlValue) => one('ports -', { containerPort: 8080, hostPort });
const annotation = (value: YamlValue, name = 'container.apparmor.security.beta.kubernetes.io/app0') =>
  pod(`metadata annotations ${name}`, value);

const HANDLERS = ['httpGet', 'tcpSocket'].flatMap((handler) =>
  ['livenessProbe', 'readinessProbe', 'startupProbe', 'lifecycle postStart', 'lifecycle preStop'].map(
    (field) => `${field} ${handler}`,
  ),
);
const DEFAULT_CAPABILITIES = [
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
];
const SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  // Since v1.27
  'net.ipv4.ip_local_reserved_ports',
  // Since v1.29
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  // Since v1.32
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
  // Since v1.37
  'net.ipv4.tcp_slow_start_after_idle',
  'net.ipv4.tcp_notsent_lowat',
];
const sysctl = (name: string) => ofPod('sysctls -', { name, value: '1' });

/** The values of each control. */
export const CONTROLS: Readonly<Record<string, Control>> = {
  hostNamespaces: {
    reason: { baseline: 'host namespaces', restricted: 'host namespaces' },
    edges: ['hostNetwork', 'hostPID', 'hostIPC'].flatMap((field) => [
      pod(`spec ${field}`, false),
      pod(`spec ${field}`, null),
    ]),
    others: ['hostNetwork', 'hostPID', 'hostIPC'].map((field) => pod(`spec ${field}`, true)),
  },
  hostPorts: {
    reason: { baseline: 'hostPort', restricted: 'hostPort' },
    edges: [
      port(0),
      port(null),
      one('ports', null),
      one('ports', []),
      one('ports -', null),
      [...port(0), ...port(0)],
    ],
    others: [port(80), port(8080), port(65535), port(-1), [...port(0), ...port(1)]],
  },
  hostProbes: {
    reason: { baseline: 'probe or lifecycle host', restricted: 'probe or lifecycle host' },
    edges: [
      ...HANDLERS.flatMap((handler) => [
        one(handler, { port: 80, host: '' }),
        one(handler, { port: 80, host: null }),
        one(handler, { port: 'http' }),
      ]),
      one('livenessProbe', null),
      one('lifecycle', {}),
      one('livenessProbe grpc', { port: 80, service: '10.0.0.1' }),
      one('readinessProbe httpGet', { port: 80, httpHeaders: [{ name: 'Host', value: 'example.com' }] }),
      one('startupProbe exec command', ['curl', 'http://10.0.0.1/']),
    ],
    others: HANDLERS.flatMap((handler) => [
      one(handler, { port: 80, host: '127.0.0.1' }),
      one(handler, { port: 80, host: ' ' }),
    ]),
  },
  privileged: {
    reason: { baseline: 'privileged', restricted: 'privileged' },
    edges: [ofOne('privileged', false), ofOne('privileged', null), ofEvery('privileged', false)],
    others: [
      ofOne('privileged', true),
      ofEvery('privileged', true),
      [...windows, ...ofOne('privileged', true)],
    ],
  },
  allowPrivilegeEscalation: {
    reason: { restricted: 'allowPrivilegeEscalation != false' },
    edges: [
      ofEvery('allowPrivilegeEscalation', false),
      [...windows, ...ofEvery('allowPrivilegeEscalation')],
      [...windows, ...ofOne('allowPrivilegeEscalation', null)],
      [...windows, ...ofOne('allowPrivilegeEscalation', true)],
    ],
    others: [
      ofOne('allowPrivilegeEscalation'),
      ofOne('allowPrivilegeEscalation', null),
      ofOne('allowPrivilegeEscalation', true),
      ofEvery('allowPrivilegeEscalation'),
      pod('spec initContainers -', null),
    ],
  },
  capabilities: {
    reason: { baseline: 'non-default capabilities', restricted: 'unrestricted capabilities' },
    edges: [
      ...DEFAULT_CAPABILITIES.map((name) => ofOne('capabilities add', [name])),
      ofOne('capabilities add', DEFAULT_CAPABILITIES),
      ofOne('capabilities add', ['NET_BIND_SERVICE', 'NET_BIND_SERVICE']),
      ofOne('capabilities add', []),
      ofOne('capabilities add', null),
      ofOne('capabilities drop', ['NET_RAW', 'ALL']),
      ofOne('capabilities drop', ['ALL', 'ALL']),
      ofOne('capabilities drop', ['']),
      [...windows, ...ofEvery('capabilities')],
      [...windows, ...ofOne('capabilities drop', ['NET_RAW'])],
    ],
    others: [
      ofOne('capabilities'),
      ofOne('capabilities', null),
      ofOne('capabilities', {}),
      ofOne('capabilities drop', []),
      ofOne('capabilities drop', null),
      ofOne('capabilities drop', ['all']),
      ofOne('capabilities drop', ['CAP_ALL']),
      ofOne('capabilities drop', ['NET_RAW']),
      ...['SYS_ADMIN', 'NET_RAW', 'ALL', 'chown', 'CAP_CHOWN', 'net_bind_service', ' KILL', ''].map((name) =>
        ofOne('capabilities add', [name]),
      ),
      ofOne('capabilities add', ['NET_BIND_SERVICE', 'NET_RAW']),
      ofOne('capabilities add', [null]),
      [...windows, ...ofOne('capabilities add', ['SYS_ADMIN'])],
    ],
  },
  seccompProfile: {
    reason: { baseline: 'seccompProfile', restricted: 'seccompProfile' },
    edges: [
      ofPod('seccompProfile', { type: 'Localhost', localhostProfile: 'profiles/app.json' }),
      ofOne('seccompProfile', { type: 'Localhost', localhostProfile: 'profiles/app.json' }),
      ofOne('seccompProfile', null),
      [...ofPod('seccompProfile'), ...ofEvery('seccompProfile', { type: 'RuntimeDefault' })],
      [...ofPod('seccompProfile', null), ...ofEvery('seccompProfile', { type: 'RuntimeDefault' })],
      [...ofPod('seccompProfile', { type: 'RuntimeDefault' }), ...ofEvery('seccompProfile')],
      [...windows, ...ofPod('seccompProfile'), ...ofEvery('seccompProfile')],
    ],
    others: [
      ...['Unconfined', 'runtimeDefault', 'runtime/default', 'Localhost ', ''].flatMap((type) => [
        ofPod('seccompProfile', { type }),
        ofOne('seccompProfile', { type }),
      ]),
      ofPod('seccompProfile', {}),
      ofOne('seccompProfile', {}),
      ofPod('seccompProfile', { type: null }),
      [...ofPod('seccompProfile'), ...ofEvery('seccompProfile')],
      [
        ...ofPod('seccompProfile'),
        ...ofOne('seccompProfile'),
        ...ofOthers('seccompProfile', { type: 'RuntimeDefault' }),
      ],
      [...ofPod('seccompProfile', {}), ...ofEvery('seccompProfile', { type: 'RuntimeDefault' })],
      [...windows, ...ofOne('seccompProfile', { type: 'Unconfined' })],
    ],
  },
  appArmorProfile: {
    reason: { baseline: 'forbidden AppArmor profile', restricted: 'forbidden AppArmor profile' },
    edges: [
      ofPod('appArmorProfile', { type: 'RuntimeDefault' }),
      ofPod('appArmorProfile', null),
      ofOne('appArmorProfile', { type: 'Localhost', localhostProfile: 'app' }),
      ofOne('appArmorProfile', { type: 'RuntimeDefault' }),
      ofOne('appArmorProfile', null),
      ...['', 'runtime/default', 'localhost/x', 'localhost/', null].map((value) => annotation(value)),
      annotation('localhost/x', 'container.apparmor.security.beta.kubernetes.io/another'),
      annotation('unconfined', 'container.apparmor.security.beta.kubernetes.io'),
      annotation('unconfined', 'apparmor.security.beta.kubernetes.io/app0'),
      pod('metadata annotations', null),
    ],
    others: [
      ...['Unconfined', 'runtime/default', 'localhost', ''].flatMap((type) => [
        ofPod('appArmorProfile', { type }),
        ofOne('appArmorProfile', { type }),
      ]),
      ofPod('appArmorProfile', {}),
      ofOne('appArmorProfile', { type: null }),
      ...['unconfined', 'localhost', 'Runtime/Default', ' runtime/default', 'runtime/default/'].map((value) =>
        annotation(value),
      ),
      annotation('unconfined', 'container.apparmor.security.beta.kubernetes.io/another'),
      annotation('unconfined', 'container.apparmor.security.beta.kubernetes.io/'),
    ],
  },
  seLinuxOptions: {
    reason: { baseline: 'seLinuxOptions', restricted: 'seLinuxOptions' },
    edges: [
      ...['', 'container_t', 'container_init_t', 'container_kvm_t', 'container_engine_t', null].flatMap(
        (type) => [
          ofPod('seLinuxOptions', { type }),
          ofOne('seLinuxOptions', { type, level: 's0:c123,c456' }),
        ],
      ),
      ofPod('seLinuxOptions type', 'container_engine_t'),
      ofOne('seLinuxOptions type', 'container_engine_t'),
      ofPod('seLinuxOptions', { user: '', role: '' }),
      ofOne('seLinuxOptions', { user: null, role: null }),
      ofPod('seLinuxOptions', {}),
      ofOne('seLinuxOptions', null),
    ],
    others: [
      ...['spc_t', 'container_T', ' container_t', 'container_device_t'].flatMap((type) => [
        ofPod('seLinuxOptions', { type }),
        ofOne('seLinuxOptions', { type }),
      ]),
      ofPod('seLinuxOptions', { user: 'system_u' }),
      ofOne('seLinuxOptions', { type: 'container_t', role: 'system_r' }),
      ofOne('seLinuxOptions', { user: ' ' }),
    ],
  },
  sysctls: {
    reason: { baseline: 'forbidden sysctls', restricted: 'forbidden sysctls' },
    edges: [
      ...SYSCTLS.map(sysctl),
      ofPod(
        'sysctls',
        SYSCTLS.map((name) => ({ name, value: '1' })),
      ),
      ofPod('sysctls', null),
      ofPod('sysctls', []),
    ],
    others: [
      ...['kernel.msgmax', 'net.core.somaxconn', 'net.ipv4.tcp_mem', 'net/ipv4/tcp_syncookies'].map(sysctl),
      ...['NET.IPV4.TCP_SYNCOOKIES', 'net.ipv4.tcp_syncookies ', 'net.ipv4.*', ''].map(sysctl),
      [...sysctl('net.ipv4.tcp_syncookies'), ...sysctl('kernel.sem')],
      ofPod('sysctls -', null),
    ],
  },
  runAsNonRoot: {
    reason: { restricted: 'runAsNonRoot != true' },
    edges: [
      [...ofPod('runAsNonRoot'), ...ofEvery('runAsNonRoot', true)],
      [...ofPod('runAsNonRoot', null), ...ofEvery('runAsNonRoot', true)],
      [...ofPod('runAsNonRoot', true), ...ofEvery('runAsNonRoot')],
      [...ofPod('runAsNonRoot', true), ...ofOne('runAsNonRoot', null)],
      [...userNamespace, ...ofPod('runAsNonRoot'), ...ofEvery('runAsNonRoot')],
      [...userNamespace, ...ofPod('runAsNonRoot', false)],
      [...userNamespace, ...ofOne('runAsNonRoot', false)],
    ],
    others: [
      ofPod('runAsNonRoot', false),
      ofOne('runAsNonRoot', false),
      [...ofPod('runAsNonRoot', false), ...ofEvery('runAsNonRoot', true)],
      [...ofPod('runAsNonRoot', true), ...ofOne('runAsNonRoot', false)],
      [...ofPod('runAsNonRoot'), ...ofEvery('runAsNonRoot')],
      [...ofPod('runAsNonRoot'), ...ofOne('runAsNonRoot'), ...ofOthers('runAsNonRoot', true)],
      [...pod('spec hostUsers', true), ...ofPod('runAsNonRoot', false)],
    ],
  },
  runAsUser: {
    reason: { restricted: 'runAsUser=0' },
    edges: [
      ...[1, 65534, 2147483647, null].flatMap((user) => [ofPod('runAsUser', user), ofOne('runAsUser', user)]),
      [...userNamespace, ...ofPod('runAsUser', 0)],
      [...userNamespace, ...ofOne('runAsUser', 0)],
    ],
    others: [
      ofPod('runAsUser', 0),
      ofOne('runAsUser', 0),
      [...ofPod('runAsUser', 0), ...ofEvery('runAsUser', 1000)],
      [...ofPod('runAsUser', 1000), ...ofOne('runAsUser', 0)],
      [...pod('spec hostUsers', true), ...ofPod('runAsUser', 0)],
    ],
  },
  procMount: {
    reason: { baseline: 'procMount', restricted: 'procMount' },
    edges: [
      ofOne('procMount', 'Default'),
      ofEvery('procMount', 'Default'),
      ofOne('procMount', null),
      [...userNamespace, ...ofOne('procMount', 'Unmasked')],
      [...userNamespace, ...ofEvery('procMount', 'Unmasked')],
    ],
    others: [
      ...['Unmasked', 'default', ''].map((type) => ofOne('procMount', type)),
      [...pod('spec hostUsers', true), ...ofOne('procMount', 'Unmasked')],
    ],
  },
  hostPathVolumes: {
    reason: { baseline: 'hostPath volumes' },
    edges: [
      pod('spec volumes -', { name: 'data', emptyDir: {}, hostPath: null }),
      pod('spec volumes -', { name: 'data', hostPath: null }),
      pod('spec volumes -', { name: 'data' }),
      pod('spec volumes -', null),
    ],
    others: [
      ...[{ path: '/var/log' }, { path: '/dev/null', type: 'File' }, {}, { path: '' }].map((body) =>
        volume('hostPath', body),
      ),
      [...volume('emptyDir'), ...volume('hostPath', { path: '/' })],
    ],
  },
  volumes: {
    reason: { restricted: 'restricted volume types' },
    edges: [
      volume('configMap', { name: 'settings' }),
      volume('csi', { driver: 'inline.csi.example.com' }),
      volume('downwardAPI'),
      volume('emptyDir'),
      volume('emptyDir', { medium: 'Memory', sizeLimit: '64Mi' }),
      volume('ephemeral', { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'] } } }),
      volume('image', { reference: 'example.com/data:1.0' }),
      volume('persistentVolumeClaim', { claimName: 'data' }),
      volume('projected', { sources: [] }),
      volume('secret', { secretName: 'backend' }),
      pod('spec volumes', null),
      pod('spec volumes', []),
      pod('spec volumes -', { name: 'data', configMap: { name: 'settings' }, nfs: null }),
    ],
    others: [
      volume('awsElasticBlockStore', { volumeID: 'disk' }),
      volume('azureDisk', { diskName: 'disk', diskURI: 'https://disks.example.com/disk' }),
      volume('azureFile', { secretName: 'azure', shareName: 'share' }),
      volume('cephfs', { monitors: ['10.0.0.1:6789'] }),
      volume('cinder', { volumeID: 'disk' }),
      volume('fc', { wwids: ['wwid'] }),
      volume('flexVolume', { driver: 'example.com/driver' }),
      volume('flocker', { datasetName: 'data' }),
      volume('gcePersistentDisk', { pdName: 'disk' }),
      volume('gitRepo', { repository: 'https://example.com/repository.git' }),
      volume('glusterfs', { endpoints: 'gluster', path: 'data' }),
      volume('iscsi', { targetPortal: '10.0.0.1:3260', iqn: 'iqn.2001-04.com.example:disk', lun: 0 }),
      volume('nfs', { server: '10.0.0.1', path: '/' }),
      volume('photonPersistentDisk', { pdID: 'disk' }),
      volume('portworxVolume', { volumeID: 'disk' }),
      volume('quobyte', { registry: '10.0.0.1:7861', volume: 'data' }),
      volume('rbd', { monitors: ['10.0.0.1:6789'], image: 'disk' }),
      volume('scaleIO', { gateway: 'https://scaleio.example.com/api', system: 'system' }),
      volume('storageos', { volumeName: 'data' }),
      volume('vsphereVolume', { volumePath: '[datastore] disk.vmdk' }),
      volume('nfs'),
    ],
  },
  windowsHostProcess: {
    reason: { baseline: 'hostProcess', restricted: 'hostProcess' },
    edges: [
      ...[
        { hostProcess: false },
        { hostProcess: null },
        { runAsUserName: 'ContainerUser' },
        {},
        null,
      ].flatMap((options) => [
        ofPod('windowsOptions', options),
        ofOne('windowsOptions', options),
        [...windows, ...ofOne('windowsOptions', options)],
      ]),
    ],
    others: [
      ofPod('windowsOptions', { hostProcess: true }),
      ofOne('windowsOptions', { hostProcess: true }),
      ofOne('windowsOptions', { hostProcess: true, runAsUserName: 'ContainerUser' }),
      [...windows, ...ofPod('windowsOptions', { hostProcess: true })],
      [...windows, ...ofEvery('windowsOptions', { hostProcess: true })],
    ],
  },
};

const EDITS = Object.entries(CONTROLS).map(([control, { edges, others }]) => ({
  edges: edges.map((changes): Edit => ({ control, isEdge: true, changes })),
  others: others.map((changes): Edit => ({ control, isEdge: false, changes })),
}));
/** Every value of every control. */
export const ALL_EDITS = EDITS.flatMap(({ edges, others }) => [...edges, ...others]);

/** A generated pod, and where it is judged. */
export interface Case {
  readonly level: Level;
  /** `v1.30` or `latest`. */
  readonly version: string;
  readonly kind: Kind;
  /** How many there are of each sort. */
  readonly containers: number;
  readonly initContainers: number;
  readonly ephemeralContainers: number;
  /** Where the pod says what restricted wants of a pod or of each of its containers; `bare`: nowhere, for baseline alone. */
  readonly style: 'pod' | 'containers' | 'both' | 'bare';
  /** Absent: the pod does not have the field. */
  readonly os?: YamlValue;
  readonly hostUsers?: boolean | null;
  /** `target`: which container is the `one`. */
  readonly edits: readonly { readonly edit: Edit; readonly target: number }[];
}

/** A compliant pod with a container of each sort. */
export const SIMPLEST: Case = {
  level: 'restricted',
  version: 'latest',
  kind: 'Pod',
  containers: 1,
  initContainers: 1,
  ephemeralContainers: 1,
  style: 'pod',
  edits: [],
};

/** Most with one or two values that a compliant pod does not have. */
export function generatedCase(): fc.Arbitrary<Case> {
  const edit = fc
    .constantFrom(...EDITS)
    .chain(({ edges, others }) => fc.oneof(fc.constantFrom(...edges), fc.constantFrom(...others)));
  const edits = (length: number) =>
    fc.array(fc.record({ edit, target: fc.nat({ max: 3 }) }), { minLength: 0, maxLength: length });
  const exactly = (length: number) =>
    fc.array(fc.record({ edit, target: fc.nat({ max: 3 }) }), { minLength: length, maxLength: length });
  return fc.record(
    {
      level: fc.constantFrom<Level>('baseline', 'restricted', 'restricted'),
      version: fc.constantFrom(...VERSIONS, 'latest', 'v1.34', 'v1.35', 'v1.37'),
      kind: fc.constantFrom<Kind>('Pod', 'Pod', 'Deployment', 'CronJob'),
      containers: fc.constantFrom(1, 1, 2),
      initContainers: fc.constantFrom(0, 1),
      ephemeralContainers: fc.constantFrom(0, 0, 1),
      style: fc.constantFrom<Case['style']>('pod', 'pod', 'containers', 'both', 'bare'),
      os: fc.constantFrom<YamlValue>(
        ...[{ name: 'linux' }, { name: 'linux' }, { name: 'windows' }, { name: 'windows' }],
        ...[{ name: 'Windows' }, { name: '' }, {}, null],
      ),
      hostUsers: fc.constantFrom(true, true, false, false, false, null),
      edits: fc.oneof(
        { weight: 1, arbitrary: edits(4) },
        { weight: 6, arbitrary: exactly(1) },
        { weight: 3, arbitrary: exactly(2) },
      ),
    },
    {
      requiredKeys: [
        ...(['level', 'version', 'kind', 'containers', 'initContainers', 'ephemeralContainers'] as const),
        ...(['style', 'edits'] as const),
      ],
    },
  );
}

/** The Pod of a case. */
export function podOf(one: Case): YamlObject {
  const isWindows = isObject(one.os) && one.os.name === 'windows';
  const style = one.level === 'restricted' && one.style === 'bare' ? 'pod' : one.style;
  const common: YamlObject = {
    runAsNonRoot: true,
    ...(isWindows ? {} : { seccompProfile: { type: 'RuntimeDefault' } }),
  };
  const own: YamlObject = isWindows
    ? {}
    : { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } };
  const container = (name: string): YamlObject => ({
    name,
    image: 'example.com/app:1.0',
    ...(style !== 'bare' && {
      securityContext: structuredClone(style === 'pod' ? own : { ...common, ...own }),
    }),
  });
  const list = (length: number, name: string) => Array.from({ length }, (_, i) => container(`${name}${i}`));
  const lists = {
    containers: list(one.containers, 'app'),
    initContainers: list(one.initContainers, 'init'),
    ephemeralContainers: list(one.ephemeralContainers, 'debug'),
  };
  const result: YamlObject = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pod' },
    spec: {
      ...('os' in one && { os: structuredClone(one.os ?? null) }),
      ...('hostUsers' in one && { hostUsers: one.hostUsers ?? null }),
      ...((style === 'pod' || style === 'both') && { securityContext: structuredClone(common) }),
      ...Object.fromEntries(Object.entries(lists).filter(([, { length }]) => length > 0)),
    },
  };
  const all = Object.values(lists).flat();
  for (const { edit, target } of one.edits)
    for (const [scope, path, value] of edit.changes)
      for (const object of objectsOf(scope, result, all, target % all.length)) setAt(object, path, value);
  return result;
}

/** The workload that runs a pod. */
export function wrapped(pod: YamlObject, kind: Kind): YamlObject {
  if (kind === 'Pod') return pod;
  const labels = { app: 'wrapped' };
  const template = {
    metadata: { ...(isObject(pod.metadata) ? pod.metadata : {}), labels },
    spec: pod.spec ?? null,
  };
  const metadata = { name: 'wrapped' };
  if (kind === 'Deployment')
    return { apiVersion: 'apps/v1', kind, metadata, spec: { selector: { matchLabels: labels }, template } };
  const spec = { schedule: '0 0 * * *', jobTemplate: { spec: { template } } };
  return { apiVersion: 'batch/v1', kind, metadata, spec };
}

function objectsOf(
  scope: Scope,
  pod: YamlObject,
  containers: readonly YamlObject[],
  target: number,
): YamlObject[] {
  if (scope === 'pod') return [pod];
  return containers.filter((_, i) => scope === 'every' || (i === target) === (scope === 'one'));
}

function setAt(root: YamlObject, path: readonly string[], value: YamlValue | undefined): void {
  const { object, field, before, isAppended } = targetAt(root, path);
  if (value === undefined) Reflect.deleteProperty(object, field);
  else if (isAppended) object[field] = [...(Array.isArray(before) ? before : []), structuredClone(value)];
  else object[field] = structuredClone(value);
}
