import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Outcome, run } from '../../functions/guardrails/run';
import type { Result } from '../../functions/guardrails/krm/result';
import { RULES } from '../../functions/guardrails/rules';

const FIXTURES = __dirname;
const FUNCTION = join(__dirname, '../../functions/guardrails');

/** The rules that check a complete build. In a stream they only warn; those warnings are left out here. */
const BUILD_RULES = RULES.filter(({ checkBuild }) => checkBuild !== undefined).map(({ id }) => id);

async function runText(text: string): Promise<Outcome> {
  const outcome = await run(Buffer.from(text), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  return {
    ...outcome,
    stderr: outcome.stderr.replace(
      /^\[warning\] .* (?:no NetworkPolicy isolates|is not isolated for|is not in the build)[; ].*\n/gm,
      '',
    ),
  };
}

async function resultsOf(items: readonly string[], spec: string): Promise<Result[]> {
  const entries = items.map((text) => `- ${text.replace(/^#.*\n/gm, '').replace(/\n(?=.)/g, '\n  ')}\n`);
  const config = `functionConfig: { apiVersion: todo.example.com/v1alpha1, kind: Guardrails, spec: ${spec} }\n`;
  const list = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${entries.join('')}${config}`;
  const { stdout } = await runText(list);
  return (parse(stdout) as { results?: Result[] }).results ?? [];
}

/** The results for a resource: only a ResourceList has a place for them. */
async function resultsFor(text: string): Promise<Result[]> {
  const results = await resultsOf([text], specOf(text) ?? '{}');
  // What the changes do as a whole is no finding of a field.
  return results.filter(({ tags, field }) => field !== undefined && !BUILD_RULES.includes(tags?.rule ?? ''));
}

/** The configuration that a fixture has in its first lines, in flow style; undefined: none. */
function specOf(text: string): string | undefined {
  return /^# spec: (.*)$/m.exec(text)?.[1];
}

/** The errors and infos for a build, of which a fixture holds all documents. */
function resultsForBuild(text: string): Promise<Result[]> {
  const [, more = ''] = /^\{(.*)\}$/.exec(specOf(text) ?? '') ?? [];
  return resultsOf(text.split(/^---\n/m), `{ complete: true, ${more} }`);
}

/** `<rule> <field>` of results, as fixtures write it. */
function reported(results: readonly Result[]): string[] {
  return results.map(({ tags, field }) => `${tags?.rule ?? ''} ${field?.path ?? ''}`).sort();
}

/** The errors of a resource; with errors, no fix is reported. */
async function errorsFor(text: string): Promise<string[]> {
  const results = await resultsFor(text);
  return reported(results.filter(({ severity }) => severity === 'error'));
}

/** The fixtures of a rule, without the `.fixed.yaml` of those that are fixed. */
function fixturesOf(rule: string): string[] {
  return readdirSync(join(FIXTURES, rule))
    .filter((file) => !file.endsWith('.fixed.yaml'))
    .map((file) => `${rule}/${file}`);
}

function readFixture(file: string): { text: string; expected: string[]; warned: string[] } {
  const text = readFileSync(join(FIXTURES, file), 'utf8');
  const linesAfter = (mark: RegExp) => [...text.matchAll(mark)].map(([, line = '']) => line).sort();
  return { text, expected: linesAfter(/^# expect: (.*)$/gm), warned: linesAfter(/^# warning: (.*)$/gm) };
}

const FOLDERS = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const ALL = FOLDERS.flatMap(fixturesOf);
const isOfBuild = (file: string) => BUILD_RULES.some((rule) => file.startsWith(`${rule}/`));
const ofType = (type: string) => ALL.filter((file) => file.includes(`/${type}.`));
const cases = (type: string) => ofType(type).filter((file) => !isOfBuild(file));
const buildCases = (type: string) => ofType(type).filter(isOfBuild);

it('every fixture is a pass, a fail or a fix', () => {
  expect(ALL).toEqual([...ofType('fail'), ...ofType('fix'), ...ofType('pass')].sort());
});

describe('a build passes', () => {
  it.each(buildCases('pass'))('%s', async (file) => {
    const { text, expected } = readFixture(file);
    expect(expected).toEqual([]);
    expect(await resultsForBuild(text)).toEqual([]);
  });
});

describe('a build fails with exactly these findings', () => {
  it.each(buildCases('fail'))('%s', async (file) => {
    const { text, expected, warned } = readFixture(file);
    expect([...expected, ...warned]).not.toEqual([]);
    const results = await resultsForBuild(text);
    expect(reported(results.filter(({ severity }) => severity === 'error'))).toEqual(expected);
    expect(reported(results.filter(({ severity }) => severity === 'warning'))).toEqual(warned);
    expect(results).toHaveLength(expected.length + warned.length);
  });
});

describe('passes, byte for byte', () => {
  it.each(cases('pass'))('%s', async (file) => {
    const { text, expected } = readFixture(file);
    expect(expected).toEqual([]);
    expect(await resultsFor(text)).toEqual([]);
    if (specOf(text) !== undefined) return;
    expect(await runText(text)).toEqual({ exitCode: 0, stdout: text, stderr: '' });
  });
});

describe('fails with exactly these findings', () => {
  it.each(cases('fail'))('%s', async (file) => {
    const { text, expected } = readFixture(file);
    expect(expected).not.toEqual([]);
    const results = await resultsFor(text);
    expect(reported(results)).toEqual(expected);
    if (specOf(text) !== undefined) expect(results.some(({ severity }) => severity === 'error')).toBe(true);
    else expect(await runText(text)).toMatchObject({ exitCode: 1, stdout: '' });
  });
});

describe('is fixed', () => {
  it.each(cases('fix'))('%s', async (file) => {
    const { text, expected } = readFixture(file);
    const golden = readFixture(file.replace(/yaml$/, 'fixed.yaml')).text;
    expect(expected).not.toEqual([]);
    const changes = await resultsFor(text);
    expect(changes.map(({ severity }) => severity)).toEqual(expected.map(() => 'info'));
    expect(reported(changes)).toEqual(expected);
    expect(await runText(text)).toEqual({ exitCode: 0, stdout: golden, stderr: '' });
    expect(await runText(golden)).toEqual({ exitCode: 0, stdout: golden, stderr: '' });
    expect(await resultsFor(golden)).toEqual([]);
  });
});

/** A container without any settings, and the same container after hardening. */
const BARE = { name: 'web', image: 'web:v1' };
const HARDENED = {
  name: 'web',
  image: 'web:v1',
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    readOnlyRootFilesystem: true,
  },
  volumeMounts: [{ name: 'guardrails-tmp', mountPath: '/tmp' }],
  resources: { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
};
const HARDENED_POD = {
  securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
  automountServiceAccountToken: false,
};
const TMP = { name: 'guardrails-tmp', emptyDir: { sizeLimit: '64Mi' } };

type Resource = Record<string, unknown>;

/** The resource that the function makes of one. */
async function hardened(resource: Resource): Promise<Resource> {
  const { exitCode, stdout, stderr } = await runText(JSON.stringify(resource));
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  return parse(stdout) as Resource;
}

const pod = (spec: Resource): Resource => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pod' },
  spec,
});
const podWith = (container: Resource): Resource => pod({ containers: [{ ...BARE, ...container }] });

describe('every kind that runs pods is hardened where its pod spec is', () => {
  const bare = { containers: [BARE] };
  const complete = { containers: [HARDENED], ...HARDENED_POD, volumes: [TMP] };
  const metadata = { name: 'web' };
  const workload = (apiVersion: string, kind: string, spec: Resource): Resource => ({
    apiVersion,
    kind,
    metadata,
    spec: { selector: {}, template: { spec } },
  });
  const cronJob = (spec: Resource): Resource => ({
    apiVersion: 'batch/v1',
    kind: 'CronJob',
    metadata,
    spec: { schedule: '@daily', jobTemplate: { spec: { template: { spec } } } },
  });
  const scaledJob = (spec: Resource) => ({
    apiVersion: 'keda.sh/v1alpha1',
    kind: 'ScaledJob',
    metadata,
    spec: { jobTargetRef: { template: { spec } } },
  });
  const podTemplate = (spec: Resource) => ({
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata,
    template: { spec },
  });
  const rollout = (spec: Resource) => ({
    apiVersion: 'argoproj.io/v1alpha1',
    kind: 'Rollout',
    metadata,
    spec,
  });
  const list = (spec: Resource) => ({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      { apiVersion: 'v1', kind: 'ConfigMap', metadata },
      workload('apps/v1', 'Deployment', spec),
      cronJob(spec),
    ],
  });
  const deploymentList = (spec: Resource) => ({
    apiVersion: 'apps/v1',
    kind: 'DeploymentList',
    items: [
      { metadata, spec: { selector: {}, template: { spec } } },
      workload('apps/v1', 'Deployment', spec),
    ],
  });

  it.each<[string, (spec: Resource) => Resource]>([
    ['Pod', pod],
    ['PodTemplate', podTemplate],
    ['Deployment', (spec) => workload('apps/v1', 'Deployment', spec)],
    ['StatefulSet', (spec) => workload('apps/v1', 'StatefulSet', spec)],
    ['DaemonSet', (spec) => workload('apps/v1', 'DaemonSet', spec)],
    ['ReplicaSet', (spec) => workload('apps/v1', 'ReplicaSet', spec)],
    ['ReplicationController', (spec) => workload('v1', 'ReplicationController', spec)],
    ['Job', (spec) => workload('batch/v1', 'Job', spec)],
    ['CronJob', cronJob],
    ['Rollout of Argo', (spec) => workload('argoproj.io/v1alpha1', 'Rollout', spec)],
    ['CloneSet of OpenKruise', (spec) => workload('apps.kruise.io/v1alpha1', 'CloneSet', spec)],
    ['StatefulSet of OpenKruise', (spec) => workload('apps.kruise.io/v1beta1', 'StatefulSet', spec)],
    ['DeploymentConfig', (spec) => workload('apps.openshift.io/v1', 'DeploymentConfig', spec)],
    ['ScaledJob of KEDA', scaledJob],
    ['List', list],
    ['items in an object of another kind', (spec) => ({ ...list(spec), kind: 'ConfigMap' })],
    ['DeploymentList, its items with and without a kind', deploymentList],
  ])('%s', async (_, resource) => {
    expect(await hardened(resource(bare))).toEqual(resource(complete));
  });

  it('StatefulSet whose claim template is mounted at /tmp', async () => {
    const claims = { volumeClaimTemplates: [{ metadata: { name: 'scratch' } }] };
    const mounts = { volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }] };
    const set = (spec: Resource) => ({
      apiVersion: 'apps/v1',
      kind: 'StatefulSet',
      metadata,
      spec: { ...claims, selector: {}, template: { spec } },
    });
    expect(await hardened(set({ containers: [{ ...BARE, ...mounts }] }))).toEqual(
      set({ containers: [{ ...HARDENED, ...mounts }], ...HARDENED_POD }),
    );
  });

  it.each<[string, Resource]>([
    ['a template without labels of an unknown API group', workload('example.com/v1', 'Deployment', bare)],
    ['a Job of Volcano', { apiVersion: 'batch.volcano.sh/v1alpha1', kind: 'Job', metadata, spec: {} }],
    ['a Rollout that refers to a Deployment', rollout({ workloadRef: { name: 'web' } })],
    ['a pod template that is missing', { apiVersion: 'v1', kind: 'ReplicationController', metadata }],
  ])('not %s', async (_, resource) => {
    expect(await hardened(resource)).toEqual(resource);
  });

  it('Knative: every field but the securityContext of the pod', async () => {
    const knative = (spec: Resource) => workload('serving.knative.dev/v1', 'Service', spec);
    const own = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } };
    expect(await hardened(knative(bare))).toEqual(
      knative({
        containers: [{ ...HARDENED, securityContext: { ...own, ...HARDENED.securityContext } }],
        automountServiceAccountToken: false,
        volumes: [TMP],
      }),
    );
  });

  it('a kind that nobody knows is judged, and not changed', async () => {
    const spec = { template: { metadata: { labels: { app: 'web' } }, spec: bare } };
    const resource = { apiVersion: 'example.com/v1', kind: 'Fleet', metadata, spec };
    const { exitCode, stdout, stderr } = await runText(JSON.stringify(resource));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('[error] Fleet/web container "web" does not drop all capabilities;');
    expect(stderr).toContain('[error] Fleet/web pod may run as root: runAsNonRoot is missing;');
  });

  it('containers of every type; an ephemeral container has no field resources', async () => {
    const { image, securityContext, volumeMounts } = HARDENED;
    expect(
      await hardened(
        pod({
          initContainers: [{ ...BARE, name: 'first' }],
          containers: [BARE, { ...BARE, name: 'beside' }],
          ephemeralContainers: [{ ...BARE, name: 'debugger' }],
        }),
      ),
    ).toEqual(
      pod({
        initContainers: [{ ...HARDENED, name: 'first' }],
        containers: [HARDENED, { ...HARDENED, name: 'beside' }],
        ephemeralContainers: [{ name: 'debugger', image, securityContext, volumeMounts }],
        ...HARDENED_POD,
        volumes: [TMP],
      }),
    );
  });

  it('a Windows pod gets no field of Linux', async () => {
    const os = { os: { name: 'windows' } };
    const { name, image, resources } = HARDENED;
    expect(await hardened(pod({ ...os, containers: [BARE] }))).toEqual(
      pod({
        ...os,
        containers: [{ name, image, resources }],
        securityContext: { runAsNonRoot: true },
        automountServiceAccountToken: false,
      }),
    );
  });

  it('a pod with an empty list of containers gets the fields of a pod', async () => {
    expect(await hardened(pod({ containers: [] }))).toEqual(pod({ containers: [], ...HARDENED_POD }));
  });

  it.each<[string, Resource]>([
    ['no containers', {}],
    ['null', { containers: null }],
  ])('a pod with %s is refused', async (_, spec) => {
    expect(await errorsFor(JSON.stringify(pod(spec)))).toEqual(['api-schema spec']);
  });
});

describe('an explicit value is kept', () => {
  const VALID: [string, Resource, Resource][] = [
    [
      'runAsNonRoot: true in every container',
      podWith({ securityContext: { runAsNonRoot: true } }),
      pod({
        containers: [{ ...HARDENED, securityContext: { runAsNonRoot: true, ...HARDENED.securityContext } }],
        securityContext: { seccompProfile: { type: 'RuntimeDefault' } },
        automountServiceAccountToken: false,
        volumes: [TMP],
      }),
    ],
    [
      'runAsUser',
      pod({ containers: [BARE], securityContext: { runAsUser: 10001 } }),
      pod({
        containers: [HARDENED],
        ...HARDENED_POD,
        securityContext: { runAsUser: 10001, ...HARDENED_POD.securityContext },
        volumes: [TMP],
      }),
    ],
    [
      'seccompProfile Localhost',
      pod({
        containers: [BARE],
        securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a' } },
      }),
      pod({
        containers: [HARDENED],
        securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'a' }, runAsNonRoot: true },
        automountServiceAccountToken: false,
        volumes: [TMP],
      }),
    ],
    [
      'drop [NET_RAW], with ALL after it',
      podWith({ securityContext: { capabilities: { drop: ['NET_RAW'] } } }),
      pod({
        containers: [
          {
            ...HARDENED,
            securityContext: { ...HARDENED.securityContext, capabilities: { drop: ['NET_RAW', 'ALL'] } },
          },
        ],
        ...HARDENED_POD,
        volumes: [TMP],
      }),
    ],
    [
      'add [NET_BIND_SERVICE]',
      podWith({ securityContext: { capabilities: { add: ['NET_BIND_SERVICE'] } } }),
      pod({
        containers: [
          {
            ...HARDENED,
            securityContext: {
              ...HARDENED.securityContext,
              capabilities: { add: ['NET_BIND_SERVICE'], drop: ['ALL'] },
            },
          },
        ],
        ...HARDENED_POD,
        volumes: [TMP],
      }),
    ],
    [
      'automountServiceAccountToken: true of an account of its own',
      pod({ containers: [BARE], automountServiceAccountToken: true, serviceAccountName: 'web' }),
      pod({
        containers: [HARDENED],
        ...HARDENED_POD,
        automountServiceAccountToken: true,
        serviceAccountName: 'web',
        volumes: [TMP],
      }),
    ],
    [
      'a mount of its own at /tmp',
      pod({
        containers: [{ ...BARE, volumeMounts: [{ name: 'own', mountPath: '/tmp' }] }],
        volumes: [{ name: 'own', emptyDir: { medium: 'Memory' } }],
      }),
      pod({
        containers: [{ ...HARDENED, volumeMounts: [{ name: 'own', mountPath: '/tmp' }] }],
        ...HARDENED_POD,
        volumes: [{ name: 'own', emptyDir: { medium: 'Memory' } }],
      }),
    ],
    ...(
      [
        ['requests.cpu', { requests: { cpu: '1m' } }, { requests: { cpu: '1m', memory: '128Mi' } }],
        ['requests.memory', { requests: { memory: '1Mi' } }, { requests: { cpu: '100m', memory: '1Mi' } }],
        ['limits.cpu', { limits: { cpu: '9' } }, { limits: { cpu: '9', memory: '512Mi' } }],
        ['limits.memory', { limits: { memory: '9Gi' } }, { limits: { cpu: '500m', memory: '9Gi' } }],
      ] as const
    ).map(
      ([field, own, filled]) =>
        [
          field,
          podWith({ resources: own }),
          pod({
            containers: [{ ...HARDENED, resources: { ...HARDENED.resources, ...filled } }],
            ...HARDENED_POD,
            volumes: [TMP],
          }),
        ] satisfies [string, Resource, Resource],
    ),
  ];

  it.each(VALID)('%s', async (_, own, expected) => {
    expect(await hardened(own)).toEqual(expected);
  });

  it('two containers, of which one has limits: only the other gets defaults', async () => {
    const resources = { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } };
    const own = { ...BARE, name: 'own', resources };
    const { spec } = await hardened(pod({ containers: [own, BARE] }));
    const { containers } = spec as { containers: { resources: unknown }[] };
    expect(containers.map((one) => one.resources)).toEqual([
      { requests: { cpu: '1', memory: '1Gi' }, limits: { cpu: '2', memory: '1Gi' } },
      { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
    ]);
  });

  it('two containers, of which one has only limits: they are kept, and its requests do not exceed them', async () => {
    const own = { ...BARE, name: 'own', resources: { limits: { cpu: '50m', memory: '1Gi' } } };
    const { spec } = await hardened(pod({ containers: [BARE, own] }));
    const { containers } = spec as { containers: { resources: unknown }[] };
    expect(containers.map((one) => one.resources)).toEqual([
      { requests: { cpu: '100m', memory: '128Mi' }, limits: { cpu: '500m', memory: '512Mi' } },
      { limits: { cpu: '50m', memory: '1Gi' }, requests: { cpu: '50m', memory: '128Mi' } },
    ]);
  });

  it.each<[string, Resource, string]>([
    [
      'runAsNonRoot: false',
      pod({ containers: [BARE], securityContext: { runAsNonRoot: false } }),
      'run-as-non-root spec.securityContext.runAsNonRoot',
    ],
    [
      'runAsUser: 0',
      podWith({ securityContext: { runAsUser: 0 } }),
      'run-as-non-root spec.containers[0].securityContext.runAsUser',
    ],
    [
      'seccompProfile Unconfined',
      pod({ containers: [BARE], securityContext: { seccompProfile: { type: 'Unconfined' } } }),
      'seccomp-profile spec.securityContext.seccompProfile.type',
    ],
    [
      'allowPrivilegeEscalation: true',
      podWith({ securityContext: { allowPrivilegeEscalation: true } }),
      'privilege-escalation spec.containers[0].securityContext.allowPrivilegeEscalation',
    ],
    [
      'privileged: true',
      podWith({ securityContext: { privileged: true } }),
      'privilege-escalation spec.containers[0].securityContext.privileged',
    ],
    [
      'add [SYS_TIME]',
      podWith({ securityContext: { capabilities: { add: ['SYS_TIME'] } } }),
      'capabilities spec.containers[0].securityContext.capabilities.add',
    ],
    [
      'readOnlyRootFilesystem: false',
      podWith({ securityContext: { readOnlyRootFilesystem: false } }),
      'read-only-root-filesystem spec.containers[0].securityContext.readOnlyRootFilesystem',
    ],
    [
      'a request above its limit',
      podWith({ resources: { requests: { cpu: 2 }, limits: { cpu: 1 } } }),
      'resources spec.containers[0].resources.requests.cpu',
    ],
  ])('and refused: %s', async (_, resource, error) => {
    expect(await errorsFor(JSON.stringify(resource))).toEqual([error]);
    expect(await runText(JSON.stringify(resource))).toMatchObject({ exitCode: 1, stdout: '' });
  });
});

describe('a value of the wrong type is an error', () => {
  const deployment = (spec: unknown) => ({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web' },
    spec,
  });
  const ROOT = 'run-as-non-root spec.template.spec.securityContext.runAsNonRoot';
  const ESCALATION = 'privilege-escalation spec.containers[0].securityContext.allowPrivilegeEscalation';
  it.each<[string, unknown, string]>([
    ['spec', deployment('x'), ROOT],
    ['template', deployment({ template: ['x'] }), ROOT],
    ['pod spec', deployment({ template: { spec: 'x' } }), ROOT],
    [
      'pod securityContext',
      pod({ containers: [BARE], securityContext: 'x' }),
      'run-as-non-root spec.securityContext.runAsNonRoot',
    ],
    ['containers, a string', pod({ containers: 'x' }), ESCALATION],
    ['containers, a mapping', pod({ containers: BARE }), ESCALATION],
    ['a container', pod({ containers: ['x'] }), ESCALATION],
    [
      'initContainers',
      pod({ containers: [BARE], initContainers: 'x' }),
      'privilege-escalation spec.initContainers[0].securityContext.allowPrivilegeEscalation',
    ],
    ['securityContext', podWith({ securityContext: 'x' }), ESCALATION],
    [
      'capabilities',
      podWith({ securityContext: { capabilities: ['ALL'] } }),
      'capabilities spec.containers[0].securityContext.capabilities.drop',
    ],
    [
      'drop',
      podWith({ securityContext: { capabilities: { drop: 'ALL' } } }),
      'capabilities spec.containers[0].securityContext.capabilities.drop',
    ],
    [
      'seccompProfile',
      pod({ containers: [BARE], securityContext: { seccompProfile: 'RuntimeDefault' } }),
      'seccomp-profile spec.securityContext.seccompProfile.type',
    ],
    ['resources', podWith({ resources: 'x' }), 'resources spec.containers[0].resources'],
    ['requests', podWith({ resources: { requests: [] } }), 'resources spec.containers[0].resources'],
    [
      'volumeMounts',
      podWith({ volumeMounts: { mountPath: '/tmp' } }),
      'read-only-root-filesystem spec.containers[0].volumeMounts',
    ],
    ['a mount', podWith({ volumeMounts: ['x'] }), 'volumes spec.containers[0].volumeMounts'],
    ['volumes', pod({ containers: [BARE], volumes: 'x' }), 'volumes spec.volumes[0]'],
    ['a volume', pod({ containers: [BARE], volumes: ['x'] }), 'volumes spec.volumes[0]'],
  ])('%s', async (_, resource, error) => {
    const { exitCode, stdout } = await runText(JSON.stringify(resource));
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(await errorsFor(JSON.stringify(resource))).toContain(error);
  });
});

describe('every place that lists the rules has all of them', () => {
  const files = readdirSync(join(FUNCTION, 'rules'))
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.replace(/\.ts$/, ''))
    .filter((name) => readFileSync(join(FUNCTION, 'rules', `${name}.ts`), 'utf8').includes(': Rule = {'));

  it('the registry has each rule that has a file, once', () => {
    expect(RULES.map(({ id }) => id).sort()).toEqual(files.sort());
  });

  it.each(files)('%s has a row in the README of the function', (rule) => {
    expect(readFileSync(join(FUNCTION, 'README.md'), 'utf8')).toMatch(
      new RegExp(`^\\| \\[\`${rule}\`\\]\\(https://\\S+\\) +\\|`, 'm'),
    );
  });

  /** A rule of a package has its tests in `test/kustomize/dead-entries.test.ts`: a fixture here is a stream. */
  const ofResources = RULES.filter((rule) => rule.check ?? rule.checkBuild).map(({ id }) => id);

  it.each(ofResources)('%s has a fixture that passes, and one that does not', (rule) => {
    const names = fixturesOf(rule).map((file) => file.slice(rule.length + 1));
    expect(names.some((name) => name.startsWith('pass.'))).toBe(true);
    expect(names.some((name) => /^(fail|fix)\./.test(name))).toBe(true);
  });

  it('every folder of fixtures is of a rule', () => {
    expect(FOLDERS.sort()).toEqual(ofResources.sort());
  });
});
