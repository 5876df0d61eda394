import { parse } from 'yaml';
import type { Result } from '../../functions/guardrails/krm/result';
import { RULES } from '../../functions/guardrails/rules';
import { run } from '../../functions/guardrails/run';
import { useFixedDay } from '../support/fixed-day';
import { findKustomizeForTests } from '../support/tools';

const RULE_IDS = RULES.map(({ id }) => id).join(', ');

useFixedDay('2026-07-15');

interface Judged {
  readonly exitCode: number;
  /** `<severity> <rule> <message>` of findings; not of fixes. */
  readonly reported: string[];
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
  const reported = (output.results ?? [])
    .filter(
      ({ message, tags }) =>
        !/^(judged: |\S+ gets (an entry in )?\S+: )/.test(message) && tags?.rule !== 'network-policy',
    )
    .map(({ severity, tags, message }) => `${severity} ${tags?.rule ?? ''} ${message}`);
  return { exitCode, reported, items: output.items };
}

type Annotations = Record<string, unknown>;

const exempt = (rule: string, reason: unknown): Annotations => ({
  [`exempt.todo.example.com/${rule}`]: reason,
});

/** A Pod of two containers, without findings. */
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
const WEB_WRITES = `${ROOT} Pod/pod container "web" sets readOnlyRootFilesystem to a value other than true`;
const OTHER_WRITES = `${ROOT} Pod/pod container "other" sets readOnlyRootFilesystem to a value other than true`;
const REMEDY =
  'set it to true, and list the folders that the container writes to in the annotation todo.example.com/writable-paths';

describe('an exemption', () => {
  it('turns a finding into an info with its reason', async () => {
    const { exitCode, reported } = await judge([pod(exempt(ROOT, 'ticket 42'), WRITABLE)]);
    expect({ exitCode, reported }).toEqual({
      exitCode: 0,
      reported: [`info ${WEB_WRITES}; exempt: ticket 42`],
    });
  });

  it('stops the fix', async () => {
    const resource = pod(exempt(ROOT, 'ticket 42'), UNSET);
    const { exitCode, reported, items } = await judge([resource]);
    expect(items).toEqual([resource]);
    expect({ exitCode, reported }).toEqual({
      exitCode: 0,
      reported: [
        `info ${ROOT} Pod/pod container "web" can write to its root file system: readOnlyRootFilesystem is missing; exempt: ticket 42`,
      ],
    });
  });

  it('applies to its rule only', async () => {
    const { exitCode, reported } = await judge([pod(exempt('capabilities', 'ticket 42'), WRITABLE)]);
    expect({ exitCode, reported }).toEqual({ exitCode: 1, reported: [`error ${WEB_WRITES}; ${REMEDY}`] });
  });

  it('applies to its resource only', async () => {
    const { reported } = await judge([pod(exempt(ROOT, 'ticket 42'), WRITABLE), pod({}, WRITABLE)]);
    expect(reported).toEqual([`error ${WEB_WRITES}; ${REMEDY}`, `info ${WEB_WRITES}; exempt: ticket 42`]);
  });

  it('of the complete resource applies to every container', async () => {
    const { reported } = await judge([pod(exempt(ROOT, 'ticket 42'), WRITABLE, WRITABLE)]);
    expect(reported).toEqual([
      `info ${WEB_WRITES}; exempt: ticket 42`,
      `info ${OTHER_WRITES}; exempt: ticket 42`,
    ]);
  });

  it('of one container applies to that one', async () => {
    const { reported } = await judge([pod(exempt(ROOT, 'other: ticket 42'), WRITABLE, WRITABLE)]);
    expect(reported).toEqual([`error ${WEB_WRITES}; ${REMEDY}`, `info ${OTHER_WRITES}; exempt: ticket 42`]);
  });

  it('of one container stops the fix of that one', async () => {
    const { exitCode, items } = await judge([pod(exempt(ROOT, 'other: ticket 42'), UNSET, UNSET)]);
    expect(exitCode).toBe(0);
    expect(items).toEqual([pod(exempt(ROOT, 'other: ticket 42'), { readOnlyRootFilesystem: true }, UNSET)]);
  });

  it('of one container does not apply to the pod', async () => {
    const resource = pod(exempt('run-as-non-root', 'web: ticket 42'), { runAsUser: 0 });
    resource.spec.securityContext.runAsNonRoot = false;
    const { exitCode, reported } = await judge([resource]);
    expect(exitCode).toBe(1);
    expect(reported).toEqual([
      'error run-as-non-root Pod/pod pod sets runAsNonRoot to a value other than true; set it to true',
      'info run-as-non-root Pod/pod container "web" runs as user 0, which is root; exempt: ticket 42',
    ]);
  });

  it('may have a colon in its reason', async () => {
    const { reported } = await judge([pod(exempt(ROOT, 'https://tickets.example/42: later'), WRITABLE)]);
    expect(reported).toEqual([`info ${WEB_WRITES}; exempt: https://tickets.example/42: later`]);
  });

  it('of an item of a List applies to that item only', async () => {
    const list = {
      apiVersion: 'v1',
      kind: 'List',
      items: [pod({}, WRITABLE), pod(exempt(ROOT, 'ticket 42'), WRITABLE)],
    };
    const { reported } = await judge([list]);
    expect(reported).toEqual([`error ${WEB_WRITES}; ${REMEDY}`, `info ${WEB_WRITES}; exempt: ticket 42`]);
  });
});

describe('with an end date, in UTC', () => {
  it.each(['2026-07-30', '2027-02-28', '2027-07-15'])('%s: it still applies', async (day) => {
    const { exitCode, reported } = await judge([pod(exempt(ROOT, `ticket 42 until ${day}`), WRITABLE)]);
    expect({ exitCode, reported }).toEqual({
      exitCode: 0,
      reported: [`info ${WEB_WRITES}; exempt: ticket 42, until ${day}`],
    });
  });

  it('for one container', async () => {
    const { reported } = await judge([pod(exempt(ROOT, 'web: ticket 42 until 2026-08-15'), WRITABLE)]);
    expect(reported).toEqual([`info ${WEB_WRITES}; exempt: ticket 42, until 2026-08-15`]);
  });

  it.each(['2026-07-15', '2026-07-16', '2026-07-29'])('%s: a warning, 14 days before', async (day) => {
    const { exitCode, reported } = await judge([pod(exempt(ROOT, `ticket 42 until ${day}`), WRITABLE)]);
    expect({ exitCode, reported }).toEqual({
      exitCode: 0,
      reported: [
        `warning exemption Pod/pod annotation exempt.todo.example.com/${ROOT}: the exemption ends on ${day}; fix what the rule reports, or set a later date`,
        `info ${WEB_WRITES}; exempt: ticket 42, until ${day}`,
      ],
    });
  });

  it('spec.exemptions.maxDays limits it', async () => {
    const resource = pod(exempt(ROOT, 'ticket 42 until 2026-08-15'), WRITABLE);
    expect(await judge([resource], { spec: '{ exemptions: { maxDays: 31 } }' })).toMatchObject({
      exitCode: 0,
    });
    expect(await judge([resource], { spec: '{ exemptions: { maxDays: 30 } }' })).toMatchObject({
      exitCode: 1,
    });
    for (const maxDays of ['0', '1.5', '36501', '"30"'])
      expect(await judge([resource], { spec: `{ exemptions: { maxDays: ${maxDays} } }` })).toMatchObject({
        exitCode: 3,
      });
  });

  it('ends after its date', async () => {
    const resource = pod(exempt(ROOT, 'ticket 42 until 2026-07-15'), WRITABLE);
    jest.setSystemTime(new Date('2026-07-15T23:59:59Z'));
    expect(await judge([resource])).toMatchObject({ exitCode: 0 });
    jest.setSystemTime(new Date('2026-07-16T00:00:00Z'));
    expect(await judge([resource])).toMatchObject({ exitCode: 1 });
    jest.setSystemTime(new Date('2026-07-15T12:00:00Z'));
  });
});

describe('an invalid exemption is an error and has no effect', () => {
  const NO_REASON = 'the reason is missing; write the reason as the value';
  const past = (date: string) =>
    `the exemption ended on ${date}; fix what the rule reports, or set a later date`;
  const tooFar = (date: string) =>
    `the exemption ends more than 365 days from today, on ${date}; set an earlier date; spec.exemptions.maxDays allows no later one`;
  const invalidDate = (text: string) => `the date ${text} is invalid; write the date as YYYY-MM-DD`;
  const unknownContainer = (name: string) =>
    `the container "${name}" does not exist; use one of web, other, or remove the colon if the text before it is part of the reason`;

  it.each<[string, unknown, string]>([
    ['an empty reason', '', NO_REASON],
    ['blanks', '  ', NO_REASON],
    ['null', null, NO_REASON],
    ['a number', 42, NO_REASON],
    ['a container and no reason', 'web:', NO_REASON],
    ['a container, a blank and no reason', 'web: ', NO_REASON],
    ['a day and no reason', 'until 2026-12-31', NO_REASON],
    ['a container, a day and no reason', 'web: until 2026-12-31', NO_REASON],
    ['an unknown container', 'db: ticket 42', unknownContainer('db')],
    ['an unknown container, and no reason', 'db:', NO_REASON],
    ['yesterday', 'ticket 42 until 2026-07-14', past('2026-07-14')],
    ['last year', 'ticket 42 until 2025-12-31', past('2025-12-31')],
    ['yesterday, with a capital', 'Ticket 42, Until 2026-07-14', past('2026-07-14')],
    ['a day that does not exist', 'ticket 42 until 2026-02-30', invalidDate('2026-02-30')],
    ['a leap day of another year', 'ticket 42 until 2027-02-29', invalidDate('2027-02-29')],
    ['a day without zeros', 'ticket 42 until 2026-8-1', invalidDate('2026-8-1')],
    ['a word as the date', 'ticket 42 until further', invalidDate('further')],
    ['zero-width spaces', '\u200b\u200b', NO_REASON],
    ['a Hangul filler', '\u3164', NO_REASON],
    ['a Braille pattern without dots', 'web: \u2800', NO_REASON],
    ['a joiner and a soft hyphen', '\u200d\u00ad until 2026-12-31', NO_REASON],
    ['a date in many years', 'ticket 42 until 2099-12-31', tooFar('2099-12-31')],
    ['a date one day too far', 'ticket 42 until 2027-07-16', tooFar('2027-07-16')],
  ])('%s', async (_, reason, problem) => {
    const { exitCode, reported } = await judge([pod(exempt(ROOT, reason), WRITABLE)]);
    expect(exitCode).toBe(1);
    expect(reported).toEqual([
      `error exemption Pod/pod annotation exempt.todo.example.com/${ROOT}: ${problem}`,
      `error ${WEB_WRITES}; ${REMEDY}`,
    ]);
  });

  it('an unknown rule, also where nothing else is wrong', async () => {
    const { exitCode, reported } = await judge([pod(exempt('read-only-rootfs', 'ticket 42'))]);
    expect({ exitCode, reported }).toEqual({
      exitCode: 1,
      reported: [
        `error exemption Pod/pod annotation exempt.todo.example.com/read-only-rootfs: the rule "read-only-rootfs" does not exist; use one of ${RULE_IDS}`,
      ],
    });
  });

  it('nothing is written', async () => {
    const resource = pod(exempt(ROOT, ''), UNSET);
    const { exitCode, items } = await judge([resource]);
    expect({ exitCode, items }).toEqual({ exitCode: 1, items: [resource] });
  });

  it('an environment that turns the rule off does not change that', async () => {
    const spec = `{ environment: dev, environments: { dev: { rules: { ${ROOT}: off } } } }`;
    const { exitCode, reported } = await judge([pod(exempt(ROOT, ''), WRITABLE)], { spec });
    expect(exitCode).toBe(1);
    expect(reported).toEqual([
      `error exemption Pod/pod annotation exempt.todo.example.com/${ROOT}: ${NO_REASON}`,
      `info ${WEB_WRITES}; the configuration turns this rule off here`,
    ]);
  });
});

describe('neverExempt refuses exemptions', () => {
  const latest = (annotations: Annotations) => {
    const resource = pod(annotations);
    for (const container of resource.spec.containers) container.image = `${container.name}:latest`;
    return resource;
  };
  const runs = (name: string) => `Pod/pod container "${name}" runs ${name}:latest, which has the tag latest`;
  const never = (rule: string) =>
    `error exemption Pod/pod annotation exempt.todo.example.com/${rule}: the configuration lists this rule under neverExempt; remove the annotation, and fix what the rule reports`;

  it('by default from pinned-image', async () => {
    const { exitCode, reported } = await judge([latest(exempt('pinned-image', 'ticket 42'))]);
    expect(exitCode).toBe(1);
    expect(reported).toEqual([
      never('pinned-image'),
      `error pinned-image ${runs('web')}; use a tag other than latest, or a digest`,
      `error pinned-image ${runs('other')}; use a tag other than latest, or a digest`,
    ]);
  });

  it('from the rules that the configuration lists', async () => {
    const spec = `{ neverExempt: [${ROOT}, volumes] }`;
    const { exitCode, reported } = await judge([pod(exempt(ROOT, 'ticket 42'), WRITABLE)], { spec });
    expect({ exitCode, reported }).toEqual({
      exitCode: 1,
      reported: [never(ROOT), `error ${WEB_WRITES}; ${REMEDY}`],
    });
  });

  it('from no other rule: pinned-image can then be exempted', async () => {
    const { exitCode, reported } = await judge([latest(exempt('pinned-image', 'ticket 42'))], {
      spec: '{ neverExempt: [] }',
    });
    expect({ exitCode, reported }).toEqual({
      exitCode: 0,
      reported: [
        `info pinned-image ${runs('web')}; exempt: ticket 42`,
        `info pinned-image ${runs('other')}; exempt: ticket 42`,
      ],
    });
  });
});

describe("in a package, from an overlay's patch", () => {
  const KUSTOMIZATION = { apiVersion: 'kustomize.config.k8s.io/v1beta1', kind: 'Kustomization' };
  type Resource = Record<string, unknown> & {
    metadata?: { name?: string; labels?: object; annotations?: Annotations };
  };
  const at = (file: string, resource: Resource) => ({
    ...resource,
    metadata: {
      ...resource.metadata,
      annotations: { ...resource.metadata?.annotations, 'internal.config.kubernetes.io/path': file },
    },
  });
  const files = (annotations: Annotations) => [
    at('base/pod.yaml', { ...pod({}), metadata: { name: 'pod', labels: { app: 'pod' } } }),
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
  const SOURCE = '(overlays/prod/write.patch.yaml:1)';
  const [RULE = '', ...FINDING] = WEB_WRITES.split(' ');

  it('it applies there', async () => {
    const { exitCode, reported } = await judge(files(exempt(ROOT, 'web: ticket 42')));
    expect(exitCode).toBe(0);
    expect(reported).toEqual([
      `info ${RULE} overlays/prod: ${FINDING.join(' ')} ${SOURCE}; exempt: ticket 42`,
    ]);
  });

  it('without it the patch is refused', async () => {
    const { exitCode, reported } = await judge(files({}));
    expect(exitCode).toBe(1);
    expect(reported).toEqual([`error ${RULE} overlays/prod: ${FINDING.join(' ')} ${SOURCE}; ${REMEDY}`]);
  });

  it('an expired one is reported with its overlay and its place', async () => {
    const { exitCode, reported } = await judge(files(exempt(ROOT, 'ticket 42 until 2026-07-14')));
    expect(exitCode).toBe(1);
    expect(reported).toContain(
      `error exemption overlays/prod: Pod/pod annotation exempt.todo.example.com/read-only-root-filesystem: the exemption ended on 2026-07-14 ${SOURCE}; fix what the rule reports, or set a later date`,
    );
  });
});
