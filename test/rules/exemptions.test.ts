import { parse } from 'yaml';
import type { Result } from '../../functions/guardrails/krm/result';
import { run } from '../../functions/guardrails/run';
import { findKustomizeForTests } from '../support/tools';

const RULE_IDS =
  'pinned-image, plain-secret, run-as-non-root, seccomp-profile, privilege-escalation, capabilities, read-only-root-filesystem, volumes, service-account-token, resources, network-policy';

beforeAll(() => {
  // The clock alone: kustomize is waited for with real timers.
  jest.useFakeTimers({
    now: new Date('2026-07-15T12:00:00Z'),
    doNotFake: [
      'hrtime',
      'nextTick',
      'performance',
      'queueMicrotask',
      'setImmediate',
      'setInterval',
      'setTimeout',
      'clearImmediate',
      'clearInterval',
      'clearTimeout',
    ],
  });
});

afterAll(() => {
  jest.useRealTimers();
});

interface Judged {
  readonly exitCode: number;
  /** `<severity> <rule> <message>`, of errors and infos about exemptions; not what was put in. */
  readonly told: string[];
  readonly items: Record<string, unknown>[];
}

interface Options {
  /** Lines of a Guardrails' spec. */
  readonly spec?: string;
}

async function judge(items: readonly object[], { spec = '' }: Options = {}): Promise<Judged> {
  const list = {
    apiVersion: 'config.kubernetes.io/v1',
    kind: 'ResourceList',
    items,
    functionConfig: {
      apiVersion: 'todo.example.com/v1alpha1',
      kind: 'Guardrails',
      ...(spec === '' ? {} : { spec: parse(spec) as unknown }),
    },
  };
  const { stdout, exitCode } = await run(Buffer.from(JSON.stringify(list)), () =>
    Promise.resolve(findKustomizeForTests()),
  );
  const output = parse(stdout) as { items: Record<string, unknown>[]; results?: Result[] };
  const told = (output.results ?? [])
    .filter(({ message, tags }) => !/ is set to | gets /.test(message) && tags?.rule !== 'network-policy')
    .map(({ severity, tags, message }) => `${severity} ${tags?.rule ?? ''} ${message}`);
  return { exitCode, told, items: output.items };
}

type Annotations = Record<string, unknown>;

const exempt = (rule: string, reason: unknown): Annotations => ({
  [`exempt.todo.example.com/${rule}`]: reason,
});

/** A Pod that lacks nothing, of two containers. */
function pod(annotations: Annotations, web: object = {}, other: object = {}) {
  const container = (name: string, more: object) => ({
    name,
    image: `${name}:v1`,
    securityContext: {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      readOnlyRootFilesystem: true,
      ...more,
    },
    resources: { requests: { cpu: 1, memory: '1Gi' }, limits: { cpu: 1, memory: '1Gi' } },
    volumeMounts: [{ name: 'scratch', mountPath: '/tmp' }],
  });
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'pod', annotations },
    spec: {
      automountServiceAccountToken: false,
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [container('web', web), container('other', other)],
      volumes: [{ name: 'scratch', emptyDir: {} }],
    },
  };
}

const WRITABLE = { readOnlyRootFilesystem: false };
const UNSET = { readOnlyRootFilesystem: null };
const ROOT = 'read-only-root-filesystem';
const WEB_WRITES = `${ROOT} Pod/pod container "web" sets readOnlyRootFilesystem to other than true`;
const OTHER_WRITES = `${ROOT} Pod/pod container "other" sets readOnlyRootFilesystem to other than true`;
const REFUSED = `set it to true; name the folders that it writes to in the annotation todo.example.com/writable-paths`;

describe('an exemption', () => {
  it('turns a finding into an info with its reason', async () => {
    const { exitCode, told } = await judge([pod(exempt(ROOT, 'ticket 42'), WRITABLE)]);
    expect({ exitCode, told }).toEqual({ exitCode: 0, told: [`info ${WEB_WRITES}; exempt: ticket 42`] });
  });

  it('stops the fix', async () => {
    const resource = pod(exempt(ROOT, 'ticket 42'), UNSET);
    const { exitCode, told, items } = await judge([resource]);
    expect(items).toEqual([resource]);
    expect({ exitCode, told }).toEqual({
      exitCode: 0,
      told: [
        `info ${ROOT} Pod/pod container "web" can write to its root file system: no readOnlyRootFilesystem; exempt: ticket 42`,
      ],
    });
  });

  it('holds for its rule alone', async () => {
    const { exitCode, told } = await judge([pod(exempt('capabilities', 'ticket 42'), WRITABLE)]);
    expect({ exitCode, told }).toEqual({ exitCode: 1, told: [`error ${WEB_WRITES}; ${REFUSED}`] });
  });

  it('holds for its resource alone', async () => {
    const { told } = await judge([pod(exempt(ROOT, 'ticket 42'), WRITABLE), pod({}, WRITABLE)]);
    expect(told).toEqual([`error ${WEB_WRITES}; ${REFUSED}`, `info ${WEB_WRITES}; exempt: ticket 42`]);
  });

  it('of the whole resource holds for every container', async () => {
    const { told } = await judge([pod(exempt(ROOT, 'ticket 42'), WRITABLE, WRITABLE)]);
    expect(told).toEqual([
      `info ${WEB_WRITES}; exempt: ticket 42`,
      `info ${OTHER_WRITES}; exempt: ticket 42`,
    ]);
  });

  it('of one container holds for that one', async () => {
    const { told } = await judge([pod(exempt(ROOT, 'other: ticket 42'), WRITABLE, WRITABLE)]);
    expect(told).toEqual([`error ${WEB_WRITES}; ${REFUSED}`, `info ${OTHER_WRITES}; exempt: ticket 42`]);
  });

  it('of one container stops the fix of that one', async () => {
    const { exitCode, items } = await judge([pod(exempt(ROOT, 'other: ticket 42'), UNSET, UNSET)]);
    expect(exitCode).toBe(0);
    expect(items).toEqual([pod(exempt(ROOT, 'other: ticket 42'), { readOnlyRootFilesystem: true }, UNSET)]);
  });

  it('of one container does not hold for the pod', async () => {
    const resource = pod(exempt('run-as-non-root', 'web: ticket 42'), { runAsUser: 0 });
    resource.spec.securityContext.runAsNonRoot = false;
    const { exitCode, told } = await judge([resource]);
    expect(exitCode).toBe(1);
    expect(told).toEqual([
      'error run-as-non-root Pod/pod the pod sets runAsNonRoot to other than true; set it to true, or remove the line',
      'info run-as-non-root Pod/pod container "web" runs as user 0, root; exempt: ticket 42',
    ]);
  });

  it('may hold a colon in its reason', async () => {
    const { told } = await judge([pod(exempt(ROOT, 'https://tickets.example/42: later'), WRITABLE)]);
    expect(told).toEqual([`info ${WEB_WRITES}; exempt: https://tickets.example/42: later`]);
  });

  it('stands on the item of a List that it is for', async () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [pod({}, WRITABLE), pod(exempt(ROOT, 'ticket 42'), WRITABLE)],
    };
    const { told } = await judge([list]);
    expect(told).toEqual([`error ${WEB_WRITES}; ${REFUSED}`, `info ${WEB_WRITES}; exempt: ticket 42`]);
  });
});

describe('until a day, in UTC', () => {
  it.each(['2026-07-15', '2026-07-16', '2028-02-29'])('%s: it still holds', async (day) => {
    const { exitCode, told } = await judge([pod(exempt(ROOT, `ticket 42 until ${day}`), WRITABLE)]);
    expect({ exitCode, told }).toEqual({
      exitCode: 0,
      told: [`info ${WEB_WRITES}; exempt: ticket 42, until ${day}`],
    });
  });

  it('for one container', async () => {
    const { told } = await judge([pod(exempt(ROOT, 'web: ticket 42 until 2026-07-15'), WRITABLE)]);
    expect(told).toEqual([`info ${WEB_WRITES}; exempt: ticket 42, until 2026-07-15`]);
  });

  it('ends with its day', async () => {
    const resource = pod(exempt(ROOT, 'ticket 42 until 2026-07-15'), WRITABLE);
    jest.setSystemTime(new Date('2026-07-15T23:59:59Z'));
    expect(await judge([resource])).toMatchObject({ exitCode: 0 });
    jest.setSystemTime(new Date('2026-07-16T00:00:00Z'));
    expect(await judge([resource])).toMatchObject({ exitCode: 1 });
    jest.setSystemTime(new Date('2026-07-15T12:00:00Z'));
  });
});

describe('an exemption with a fault is an error and exempts from nothing', () => {
  const NO_REASON = `is exempted from ${ROOT} without a reason; write the reason as its value`;
  const past = (day: string) => `was exempted from ${ROOT} until ${day}; mend it, or set a later day`;
  const noDay = (day: string) => `is exempted from ${ROOT} until ${day}, which is no day; write YYYY-MM-DD`;
  const noContainer = (name: string) =>
    `is exempted from ${ROOT} for the container "${name}", which it does not have; name one of web, other, or leave the colon out of the reason`;

  it.each<[string, unknown, string]>([
    ['an empty reason', '', NO_REASON],
    ['blanks', '  ', NO_REASON],
    ['null', null, NO_REASON],
    ['a number', 42, NO_REASON],
    ['a container and no reason', 'web:', NO_REASON],
    ['a container, a blank and no reason', 'web: ', NO_REASON],
    ['a day and no reason', 'until 2026-12-31', NO_REASON],
    ['a container, a day and no reason', 'web: until 2026-12-31', NO_REASON],
    ['a container that is not there', 'db: ticket 42', noContainer('db')],
    ['a container that is not there, and no reason', 'db:', NO_REASON],
    ['yesterday', 'ticket 42 until 2026-07-14', past('2026-07-14')],
    ['last year', 'ticket 42 until 2025-12-31', past('2025-12-31')],
    ['yesterday, with a capital', 'Ticket 42, Until 2026-07-14', past('2026-07-14')],
    ['a day that no year has', 'ticket 42 until 2026-02-30', noDay('2026-02-30')],
    ['a leap day of another year', 'ticket 42 until 2027-02-29', noDay('2027-02-29')],
    ['a day without zeros', 'ticket 42 until 2026-8-1', noDay('2026-8-1')],
    ['a word for a day', 'ticket 42 until further', noDay('further')],
  ])('%s', async (_, reason, problem) => {
    const { exitCode, told } = await judge([pod(exempt(ROOT, reason), WRITABLE)]);
    expect(exitCode).toBe(1);
    expect(told).toEqual([`error exemption Pod/pod ${problem}`, `error ${WEB_WRITES}; ${REFUSED}`]);
  });

  it('an unknown rule, also where nothing else is wrong', async () => {
    const { exitCode, told } = await judge([pod(exempt('read-only-rootfs', 'ticket 42'))]);
    expect({ exitCode, told }).toEqual({
      exitCode: 1,
      told: [
        expect.stringMatching(
          /^error exemption Pod\/pod is exempted from read-only-rootfs, which is no rule; name one of /,
        ),
      ],
    });
    for (const rule of RULE_IDS.split(', ')) expect(told[0]).toContain(rule);
  });

  it('nothing is written', async () => {
    const resource = pod(exempt(ROOT, ''), UNSET);
    const { exitCode, items } = await judge([resource]);
    expect({ exitCode, items }).toEqual({ exitCode: 1, items: [resource] });
  });

  it('it is not let pass by what an environment allows', async () => {
    const spec = `{ environment: dev, environments: { dev: { allow: [${ROOT}] } } }`;
    const { exitCode, told } = await judge([pod(exempt(ROOT, ''), WRITABLE)], { spec });
    expect(exitCode).toBe(1);
    expect(told).toEqual([
      `error exemption Pod/pod ${NO_REASON}`,
      `info ${WEB_WRITES}; the configuration allows it here`,
    ]);
  });
});

describe('from some rules nobody is exempted', () => {
  const latest = (annotations: Annotations) => {
    const resource = pod(annotations);
    for (const container of resource.spec.containers) container.image = `${container.name}:latest`;
    return resource;
  };
  const runs = (name: string) => `Pod/pod container "${name}" runs ${name}:latest (tag latest)`;
  const never = (rule: string) =>
    `error exemption Pod/pod is exempted from ${rule}, from which the configuration lets nobody be exempted; remove the annotation`;

  it('by default from pinned-image', async () => {
    const { exitCode, told } = await judge([latest(exempt('pinned-image', 'ticket 42'))]);
    expect(exitCode).toBe(1);
    expect(told).toEqual([
      never('pinned-image'),
      `error pinned-image ${runs('web')}; give it a version or a digest`,
      `error pinned-image ${runs('other')}; give it a version or a digest`,
    ]);
  });

  it('from what the configuration names', async () => {
    const spec = `{ neverExempt: [${ROOT}, volumes] }`;
    const { exitCode, told } = await judge([pod(exempt(ROOT, 'ticket 42'), WRITABLE)], { spec });
    expect({ exitCode, told }).toEqual({
      exitCode: 1,
      told: [never(ROOT), `error ${WEB_WRITES}; ${REFUSED}`],
    });
  });

  it('and from no other: then pinned-image may be', async () => {
    const { exitCode, told } = await judge([latest(exempt('pinned-image', 'ticket 42'))], {
      spec: '{ neverExempt: [] }',
    });
    expect({ exitCode, told }).toEqual({
      exitCode: 0,
      told: [
        `info pinned-image ${runs('web')}; exempt: ticket 42`,
        `info pinned-image ${runs('other')}; exempt: ticket 42`,
      ],
    });
  });
});

describe("in a package, from an overlay's patch", () => {
  const KUSTOMIZATION = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
  type Resource = Record<string, unknown> & { metadata?: { name?: string; annotations?: Annotations } };
  const at = (file: string, resource: Resource) => ({
    ...resource,
    metadata: {
      ...resource.metadata,
      annotations: { ...resource.metadata?.annotations, 'internal.config.kubernetes.io/path': file },
    },
  });
  const files = (annotations: Annotations) => [
    at('base/pod.yaml', pod({})),
    at('base/kustomization.yaml', { ...KUSTOMIZATION, resources: ['pod.yaml'] }),
    at('overlays/prod/write.patch.yaml', {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'pod', annotations },
      spec: { containers: [{ name: 'web', securityContext: WRITABLE }] },
    }),
    at('overlays/prod/kustomization.yaml', {
      ...KUSTOMIZATION,
      resources: ['../../base'],
      patches: [{ path: 'write.patch.yaml' }],
    }),
  ];
  const SOURCE = '(overlays/prod/write.patch.yaml)';
  const [RULE = '', ...FINDING] = WEB_WRITES.split(' ');

  it('it holds there', async () => {
    const { exitCode, told } = await judge(files(exempt(ROOT, 'web: ticket 42')));
    expect(exitCode).toBe(0);
    expect(told).toEqual([`info ${RULE} overlays/prod: ${FINDING.join(' ')} ${SOURCE}; exempt: ticket 42`]);
  });

  it('without it the patch is refused', async () => {
    const { exitCode, told } = await judge(files({}));
    expect(exitCode).toBe(1);
    expect(told).toEqual([`error ${RULE} overlays/prod: ${FINDING.join(' ')} ${SOURCE}; ${REFUSED}`]);
  });

  it('an expired one is told with its overlay', async () => {
    const { exitCode, told } = await judge(files(exempt(ROOT, 'ticket 42 until 2026-07-14')));
    expect(exitCode).toBe(1);
    expect(told).toContainEqual(
      expect.stringMatching(
        /^error exemption overlays\/prod: Pod\/pod was exempted from read-only-root-filesystem until 2026-07-14/,
      ),
    );
  });
});
