import { parseAllDocuments } from 'yaml';
import { run } from '../../functions/guardrails/run';

type Resource = Record<string, unknown>;

/** Judges resources as a stream; `made` are the pod specs that come out, by name. */
async function judge(resources: readonly Resource[], spec: Resource = {}) {
  const config = { apiVersion: 'todo.example.com/v1alpha1', kind: 'Guardrails', spec };
  const list = {
    apiVersion: 'config.kubernetes.io/v1',
    kind: 'ResourceList',
    items: resources,
    functionConfig: config,
  };
  const { exitCode, stdout, stderr } = await run(Buffer.from(JSON.stringify(list)), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  const [document] = parseAllDocuments(stdout);
  const { items = [], results = [] } = (document?.toJS() ?? {}) as { items?: Resource[]; results?: Result[] };
  return {
    exitCode,
    stderr,
    items,
    messages: results.map(({ severity, message }) => `[${severity}] ${message}`),
  };
}

interface Result {
  readonly severity: string;
  readonly message: string;
}

const deployment = (pod: Resource, metadata: Resource = {}): Resource => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', ...metadata },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: { metadata: { labels: { app: 'web' } }, spec: pod },
  },
});
const WEB = { name: 'web', image: 'example.com/web:1' };
const container = (more: Resource = {}) => deployment({ containers: [{ ...WEB, ...more }] });
const podOf = ({ items }: { items: Resource[] }, i = items.length - 1) =>
  (items[i] as { spec: { template: { spec: Pod } } }).spec.template.spec;

interface Pod {
  readonly containers: { readonly resources?: Resource; readonly volumeMounts?: Resource[] }[];
  readonly automountServiceAccountToken?: boolean;
}

const limitRange = (limit: Resource, metadata: Resource = {}): Resource => ({
  apiVersion: 'v1',
  kind: 'LimitRange',
  metadata: { name: 'small', ...metadata },
  spec: { limits: [{ type: 'Container', ...limit }] },
});

describe('a LimitRange or ResourceQuota of the build bounds what is added', () => {
  const DEFAULTS = { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } };

  it.each<[string, Resource[], Resource, Resource]>([
    [
      'its defaults are taken',
      [
        limitRange({
          defaultRequest: { cpu: '50m', memory: '64Mi' },
          default: { cpu: '200m', memory: '256Mi' },
        }),
      ],
      {},
      { requests: { cpu: '50m', memory: '64Mi' }, limits: { cpu: '200m', memory: '256Mi' } },
    ],
    [
      'a maximum below the defaults',
      [limitRange({ max: { cpu: '200m', memory: '100Mi' } })],
      {},
      { requests: { cpu: '100m', memory: '100Mi' }, limits: { cpu: '200m', memory: '100Mi' } },
    ],
    [
      'a minimum above the defaults',
      [limitRange({ min: { cpu: '1', memory: '1Gi' } })],
      {},
      { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '1', memory: '1Gi' } },
    ],
    [
      'a ratio below that of the defaults',
      [limitRange({ maxLimitRequestRatio: { cpu: '2', memory: '4' } })],
      {},
      { requests: { cpu: '500m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
    ],
    [
      'a request of the author, and the default limit',
      [limitRange({ default: { memory: '64Mi' } })],
      { requests: { memory: '32Mi' } },
      { requests: { memory: '32Mi', cpu: '100m' }, limits: { cpu: '500m', memory: '64Mi' } },
    ],
    [
      'a quota',
      [
        {
          apiVersion: 'v1',
          kind: 'ResourceQuota',
          metadata: { name: 'q' },
          spec: { hard: { 'limits.memory': '96Mi' } },
        },
      ],
      {},
      { requests: { cpu: '100m', memory: '96Mi' }, limits: { cpu: '500m', memory: '96Mi' } },
    ],
    ['for pods, not containers', [limitRange({ type: 'Pod', max: { memory: '1Mi' } })], {}, DEFAULTS],
    ['of another namespace', [limitRange({ max: { memory: '1Mi' } }, { namespace: 'other' })], {}, DEFAULTS],
  ])('%s', async (_, others, own, expected) => {
    const judged = await judge([...others, withNamespace(container({ resources: own }))]);
    expect(judged.exitCode).toBe(0);
    expect(podOf(judged).containers[0]?.resources).toEqual(expected);
    const again = await judge(judged.items);
    expect(again.items).toEqual(judged.items);
  });

  it.each<[string, Resource, Resource, string]>([
    [
      'a limit above the maximum',
      { max: { memory: '256Mi' } },
      { limits: { memory: '1Gi' } },
      'container "web" has a memory limit of 1Gi that exceeds the maximum 256Mi of LimitRange/small; lower the limit',
    ],
    [
      'a request below the minimum',
      { min: { cpu: '50m' } },
      { requests: { cpu: '10m' } },
      'container "web" has a cpu request of 10m below the minimum 50m of LimitRange/small; raise the request',
    ],
    [
      'a ratio',
      { maxLimitRequestRatio: { cpu: '2' } },
      { requests: { cpu: '1' }, limits: { cpu: '3' } },
      'container "web" has a cpu limit of more than 2 times its request; LimitRange/small sets maxLimitRequestRatio: 2; raise the request, or lower the limit',
    ],
  ])('the author is beyond it: %s', async (_, limit, resources, expected) => {
    const { exitCode, stderr } = await judge([limitRange(limit), container({ resources })]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(`[error] Deployment/web ${expected}\n`);
  });
});

function withNamespace(resource: Resource): Resource {
  return { ...resource, metadata: { ...(resource.metadata as Resource), namespace: 'shop' } };
}

describe('spec.resources', () => {
  it.each<[string, Resource, Resource, Resource | undefined]>([
    ['add: requests', { add: 'requests' }, {}, { requests: { cpu: '100m', memory: '128Mi' } }],
    ['add: none', { add: 'none' }, {}, undefined],
    [
      'limits.cpu: null',
      { limits: { cpu: null } },
      {},
      { requests: { cpu: '100m', memory: '128Mi' }, limits: { memory: '512Mi' } },
    ],
    [
      'limits.cpu: null, and a request of the author',
      { limits: { cpu: null } },
      { requests: { cpu: '2' } },
      { requests: { cpu: '2', memory: '128Mi' }, limits: { memory: '512Mi' } },
    ],
  ])('%s', async (_, settings, own, expected) => {
    const judged = await judge([container(Object.keys(own).length > 0 ? { resources: own } : {})], {
      resources: settings,
    });
    expect(judged.exitCode).toBe(0);
    expect(podOf(judged).containers[0]?.resources).toEqual(expected);
  });

  it('an environment has its own', async () => {
    const environments = { prod: { resources: { limits: { memory: '1Gi' } } } };
    const judged = await judge([container()], {
      environment: 'prod',
      environments,
      resources: { add: 'all' },
    });
    expect(podOf(judged).containers[0]?.resources).toMatchObject({ limits: { memory: '1Gi', cpu: '500m' } });
  });

  it.each(['nvidia.com/gpu', 'hugepages-2Mi', 'example.com/device'])(
    'no limit is invented beside %s',
    async (name) => {
      const resources = { limits: { [name]: name.startsWith('huge') ? '4Mi' : 1 } };
      const { exitCode, stderr, items } = await judge([container({ resources })]);
      expect(exitCode).toBe(1);
      expect(stderr).toContain(
        `[error] Deployment/web container "web" has no limits.cpu or limits.memory, and uses ${name}, so no default limit is added; set each missing value under resources of the container or of the pod\n`,
      );
      expect(podOf({ items }).containers[0]?.resources).toEqual(resources);
      const withRequests = await judge([container({ resources })], { resources: { add: 'requests' } });
      expect(withRequests.exitCode).toBe(0);
      expect(podOf(withRequests).containers[0]?.resources).toEqual({
        ...resources,
        requests: { cpu: '100m', memory: '128Mi' },
      });
    },
  );
});

describe('the token of the default ServiceAccount', () => {
  const ACCOUNT = {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: { name: 'default' },
    automountServiceAccountToken: true,
  };
  const binding = (kind: string, subject: Resource): Resource => ({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind,
    metadata: { name: 'view' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'view' },
    subjects: [{ kind: 'ServiceAccount', ...subject }],
  });

  it.each<[string, Resource, string]>([
    ['the account says true', ACCOUNT, 'ServiceAccount/default sets automountServiceAccountToken: true'],
    [
      'a RoleBinding binds it',
      binding('RoleBinding', { name: 'default' }),
      'RoleBinding/view binds ServiceAccount/default',
    ],
    [
      'a ClusterRoleBinding binds it',
      binding('ClusterRoleBinding', { name: 'default', namespace: 'shop' }),
      'ClusterRoleBinding/view binds ServiceAccount/default',
    ],
  ])('is kept where %s', async (_, other, reason) => {
    const judged = await judge([other, withNamespace(container())]);
    expect(judged.exitCode).toBe(0);
    expect(podOf(judged).automountServiceAccountToken).toBeUndefined();
    expect(judged.messages).toContainEqual(
      expect.stringContaining(
        `[info] Deployment/web pod mounts the token of the default ServiceAccount, and ${reason};`,
      ),
    );
  });

  it.each<[string, Resource]>([
    ['of another account', binding('RoleBinding', { name: 'other' })],
    ['of another namespace', binding('ClusterRoleBinding', { name: 'default', namespace: 'other' })],
    ['an account that says false', { ...ACCOUNT, automountServiceAccountToken: false }],
    ['an account of another name', { ...ACCOUNT, metadata: { name: 'web' } }],
  ])('is taken beside a binding or account %s', async (_, other) => {
    const judged = await judge([other, withNamespace(container())]);
    expect(judged.exitCode).toBe(0);
    expect(podOf(judged).automountServiceAccountToken).toBe(false);
  });

  it('mounted explicitly: an error', async () => {
    const { exitCode, stderr } = await judge([
      deployment({ containers: [WEB], automountServiceAccountToken: true }),
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      '[error] Deployment/web pod mounts the token of the default ServiceAccount; set ',
    );
  });
});

describe('a container that is exempt and runs as root', () => {
  const ROOT = { name: 'sysctl', image: 'example.com/sysctl:1', securityContext: { runAsUser: 0 } };
  const EXEMPT = {
    annotations: { 'exempt.todo.example.com/run-as-non-root': 'sysctl: sets a kernel value' },
  };
  const FOUND =
    '[error] Deployment/web initContainer "sysctl" is exempt and runs as root, but inherits runAsNonRoot from the pod, so the kubelet does not start it; set runAsNonRoot: false in the securityContext of the container\n';

  it('inherits what is added to the pod: an error', async () => {
    const { exitCode, stderr } = await judge([
      deployment({ initContainers: [ROOT], containers: [WEB] }, EXEMPT),
    ]);
    expect({ exitCode, stderr }).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(FOUND) as string,
    });
  });

  it('sets runAsNonRoot: false: passes', async () => {
    const root = { ...ROOT, securityContext: { runAsUser: 0, runAsNonRoot: false } };
    const { exitCode } = await judge([deployment({ initContainers: [root], containers: [WEB] }, EXEMPT)]);
    expect(exitCode).toBe(0);
  });

  it('in a pod that is exempt as a whole: nothing is added, and it passes', async () => {
    const whole = { annotations: { 'exempt.todo.example.com/run-as-non-root': 'sets a kernel value' } };
    const judged = await judge([deployment({ initContainers: [ROOT], containers: [WEB] }, whole)]);
    expect(judged.exitCode).toBe(0);
    expect(JSON.stringify(judged.items)).not.toContain('runAsNonRoot');
  });

  it('is not exempt: one error', async () => {
    const { stderr } = await judge([deployment({ initContainers: [ROOT], containers: [WEB] })]);
    expect(stderr.match(/^\[error\]/gm)).toHaveLength(1);
    expect(stderr).toContain('initContainer "sysctl" runs as user 0, which is root');
  });
});

describe('a writable path', () => {
  const withPath = (path: string, mounts: Resource[], volumes: Resource[] = []) =>
    deployment(
      { containers: [{ ...WEB, volumeMounts: mounts }], volumes },
      { annotations: { 'todo.example.com/writable-paths': `${path}=1Mi` } },
    );
  const CONFIG = { name: 'cfg', configMap: { name: 'cfg' } };

  it.each<[string, string, string]>([
    ['below a read-only mount', '/var/run', '/var'],
    ['at a read-only mount', '/var', '/var'],
    ['below a read-only mount in a writable one', '/data/cfg/x', '/data/cfg'],
  ])('%s is an error', async (_, path, mount) => {
    const mounts = [
      { name: 'data', mountPath: '/data' },
      { name: 'cfg', mountPath: mount, readOnly: true },
    ];
    const { exitCode, stderr } = await judge([
      withPath(path, mounts, [CONFIG, { name: 'data', emptyDir: {} }]),
    ]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `[error] Deployment/web container "web" cannot write to ${path}, because it lies in the read-only mount ${mount}; mount a writable volume at ${path}, or remove it from the annotation todo.example.com/writable-paths\n`,
    );
  });

  it('in a writable mount below a read-only one passes', async () => {
    const mounts = [
      { name: 'cfg', mountPath: '/var', readOnly: true },
      { name: 'data', mountPath: '/var/run' },
    ];
    const { exitCode } = await judge([
      withPath('/var/run/x', mounts, [CONFIG, { name: 'data', emptyDir: {} }]),
    ]);
    expect(exitCode).toBe(0);
  });

  it.each([
    ['/dev', '/dev'],
    ['/dev/shm', '/dev'],
    ['/proc/x', '/proc'],
    ['/sys', '/sys'],
    ['/etc/hosts', '/etc/hosts'],
    ['/etc/resolv.conf', '/etc/resolv.conf'],
  ])('%s is an error', async (path, taken) => {
    const { exitCode, stderr } = await judge([withPath(path, [])]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `annotation todo.example.com/writable-paths: ${path} cannot be a writable folder, because the container runtime or the kubelet mounts ${taken}; remove the entry\n`,
    );
  });

  it.each(['/devices', '/etc', '/system'])('%s is mounted', async (path) => {
    const judged = await judge([withPath(path, [])]);
    expect(judged.exitCode).toBe(0);
    expect(podOf(judged).containers[0]?.volumeMounts).toContainEqual(
      expect.objectContaining({ mountPath: path }),
    );
  });
});

describe('a seccomp profile in an annotation', () => {
  const KEY = 'seccomp.security.alpha.kubernetes.io/pod';
  const annotated = (value: string): Resource => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', annotations: { [KEY]: value } },
    spec: { containers: [WEB] },
  });

  it.each(['unconfined', 'localhost/web'])('%s: the field is not added beside it', async (value) => {
    const { exitCode, stderr, items } = await judge([annotated(value)]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      `[error] Pod/web pod sets its seccomp profile only in the annotation ${KEY}; remove the annotation, and set seccompProfile in the securityContext of the pod\n`,
    );
    expect(items).toEqual([annotated(value)]);
  });

  it.each(['runtime/default', 'docker/default'])('%s says the same', async (value) => {
    const judged = await judge([annotated(value)]);
    expect(judged.exitCode).toBe(0);
    expect(JSON.stringify(judged.items)).toContain('"seccompProfile":{"type":"RuntimeDefault"}');
  });
});

describe('what the image must be like is said where runAsNonRoot is added', () => {
  const needsOf = async (resource: Resource, spec: Resource = {}) => {
    const { messages, exitCode } = await judge([resource], spec);
    const found = messages.filter((one) => one.includes('gets runAsNonRoot: true and may not start:'));
    expect(found.length).toBeLessThan(2);
    return {
      exitCode,
      needs: found[0]?.replace(/^.*may not start: /, '').replace(/; check the image.*/, ''),
    };
  };
  const POSTGRES = { name: 'db', image: 'postgres:16' };

  it.each<[string, Resource, string | undefined]>([
    ['an unknown image', container(), 'the image of container "web" must set a numeric USER other than 0'],
    [
      'two of them, one an init container',
      deployment({ initContainers: [{ ...WEB, name: 'init' }], containers: [WEB] }),
      'the image of initContainer "init" and of container "web" must set a numeric USER other than 0',
    ],
    [
      'a numeric user of the pod',
      deployment({ containers: [WEB], securityContext: { runAsUser: 1000 } }),
      undefined,
    ],
    ['a numeric user of the container', container({ securityContext: { runAsUser: 1000 } }), undefined],
    [
      'an image that is known to set one',
      container({ image: 'nginxinc/nginx-unprivileged:1.29' }),
      undefined,
    ],
    [
      'postgres',
      deployment({ containers: [POSTGRES] }),
      'container "db" needs runAsUser: 999, runAsGroup: 999, a volume at /var/lib/postgresql/data, a volume at /var/run/postgresql',
    ],
    [
      'nginx, and its port',
      deployment({ containers: [{ name: 'web', image: 'nginx:1.29', ports: [{ containerPort: 80 }] }] }),
      'the image nginx:1.29 of container "web" does not run as a non-root user with its own configuration, but docker.io/nginxinc/nginx-unprivileged does; container "web" may fail to bind port 80 without the capability NET_BIND_SERVICE',
    ],
    [
      'a port with its capability',
      container({
        securityContext: { runAsUser: 1000, capabilities: { add: ['NET_BIND_SERVICE'] } },
        ports: [{ containerPort: 443 }],
      }),
      undefined,
    ],
    [
      'a claim without fsGroup',
      deployment({
        containers: [{ ...WEB, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
        securityContext: { runAsUser: 1000 },
      }),
      'the pod may need fsGroup to write to volume "data"',
    ],
    [
      'a claim with fsGroup',
      deployment({
        containers: [{ ...WEB, volumeMounts: [{ name: 'data', mountPath: '/data' }] }],
        volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }],
        securityContext: { runAsUser: 1000, fsGroup: 1000 },
      }),
      undefined,
    ],
  ])('%s', async (_, resource, expected) => {
    expect(await needsOf(resource)).toEqual({ exitCode: 0, needs: expected });
  });

  it('knownImages: apply writes the user and the folders', async () => {
    const judged = await judge([deployment({ containers: [POSTGRES, WEB] })], { knownImages: 'apply' });
    expect(judged.exitCode).toBe(0);
    const { containers } = podOf(judged);
    expect(containers[0]).toMatchObject({
      securityContext: { runAsUser: 999, runAsGroup: 999 },
      volumeMounts: [
        { name: 'guardrails-tmp', mountPath: '/tmp' },
        { name: 'guardrails-var-run-postgresql', mountPath: '/var/run/postgresql' },
      ],
    });
    expect(containers[1]?.volumeMounts).toEqual([{ name: 'guardrails-tmp', mountPath: '/tmp' }]);
    expect(JSON.stringify(containers[1])).not.toContain('runAsUser');
    const again = await judge(judged.items, { knownImages: 'apply' });
    expect(again.items).toEqual(judged.items);
  });
});

describe('harden: safe', () => {
  const ADDED = [
    '"allowPrivilegeEscalation":false',
    '"seccompProfile":{"type":"RuntimeDefault"}',
    '"automountServiceAccountToken":false',
  ];
  const OTHERS = ['runAsNonRoot', 'readOnlyRootFilesystem', '"drop"', '"requests"'];
  const OFF = Object.fromEntries(
    ['run-as-non-root', 'read-only-root-filesystem', 'capabilities', 'resources'].map((id) => [
      id,
      'warning',
    ]),
  );

  it.each<[string, Resource, Resource]>([
    ['of the configuration', { harden: 'safe' }, {}],
    ['of the workload', {}, { annotations: { 'todo.example.com/harden': 'safe' } }],
    ['of an environment', { environment: 'x', environments: { x: { harden: 'safe' } } }, {}],
  ])('%s adds what keeps every workload running', async (_, spec, metadata) => {
    const { exitCode, items } = await judge([deployment({ containers: [WEB] }, metadata)], {
      ...spec,
      rules: OFF,
    });
    expect(exitCode).toBe(0);
    const text = JSON.stringify(items);
    for (const added of ADDED) expect(text).toContain(added);
    for (const other of OTHERS) expect(text).not.toContain(other);
  });

  it('a workload consents to all', async () => {
    const metadata = { annotations: { 'todo.example.com/harden': 'all' } };
    const { items } = await judge([deployment({ containers: [WEB] }, metadata)], { harden: 'safe' });
    for (const added of [...ADDED, ...OTHERS]) expect(JSON.stringify(items)).toContain(added);
  });

  it('what is left is reported', async () => {
    const { exitCode, stderr } = await judge([deployment({ containers: [WEB] })], { harden: 'safe' });
    expect(exitCode).toBe(1);
    expect(stderr).toContain('Deployment/web pod may run as root: runAsNonRoot is missing;');
  });

  it('another value of the annotation is an error', async () => {
    const metadata = { annotations: { 'todo.example.com/harden': 'none' } };
    const { exitCode, stderr } = await judge([deployment({ containers: [WEB] }, metadata)]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      '[error] Deployment/web annotation todo.example.com/harden must be all or safe, found none; correct the value, or remove the annotation\n',
    );
  });
});

it('the workloads that restart, and the pods that cannot be changed, are named', async () => {
  const job = { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'migrate' } };
  const template = { spec: { containers: [WEB], restartPolicy: 'Never' } };
  const { messages } = await judge([
    container(),
    { ...job, spec: { template } },
    { ...job, kind: 'CronJob', spec: { schedule: '0 0 * * *', jobTemplate: { spec: { template } } } },
  ]);
  expect(messages).toContain(
    '[info] applying the changes replaces the pods of Deployment/web; choose when to apply them',
  );
  expect(messages).toContain(
    '[info] the API server rejects the changes of existing Jobs and Pods: Job/migrate; delete them before the changes are applied',
  );
});
