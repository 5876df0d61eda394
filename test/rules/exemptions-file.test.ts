import { symlinkSync, unlinkSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { parse } from 'yaml';
import { DEFAULTS } from '../../functions/guardrails/config/config';
import { readPackage } from '../../functions/guardrails/cli/read-package';
import {
  fileOfGuardrails,
  functionConfigIn,
  readFunctionConfig,
} from '../../functions/guardrails/config/function-config';
import { readConfig } from '../../functions/guardrails/config/read-config';
import { describeError, messageOf, printMessage } from '../../functions/guardrails/findings/print';
import { hasError } from '../../functions/guardrails/findings/finding';
import type { Result } from '../../functions/guardrails/krm/result';
import { judge } from '../../functions/guardrails/pipeline';
import { RULES } from '../../functions/guardrails/rules';
import { ListedExemptions, NamedResources } from '../../functions/guardrails/rules/listed-exemptions';
import { findingsOf, run } from '../../functions/guardrails/run';
import { useFixedDay } from '../support/fixed-day';
import { resourceList } from '../support/package-files';
import { findKustomizeForTests } from '../support/tools';
import { type Tree, useFolder, writeTree } from '../support/tree';

const RULE_IDS = RULES.map(({ id }) => id).join(', ');

useFixedDay('2026-07-15');

const folder = useFolder('exemptions-file-');
const findKustomize = () => Promise.resolve(findKustomizeForTests());
const ROOT = 'read-only-root-filesystem';

const container = (name: string, field = '') => `      - name: ${name}
        image: registry.example.com/${name}:v1
        securityContext:
          allowPrivilegeEscalation: false
          capabilities:
            drop:
            - ALL
${field}        resources:
          requests:
            cpu: 1m
            memory: 1Mi
          limits:
            cpu: 1m
            memory: 1Mi
        volumeMounts:
        - name: scratch
          mountPath: /tmp
`;
/** A Deployment without findings but those about the root file systems of its two containers. */
const deployment = (name: string, containers: string, annotation = '') => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
${annotation}spec:
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      containers:
${containers}      volumes:
      - name: scratch
        emptyDir: {}
`;
const OPEN = '          readOnlyRootFilesystem: false\n';
const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const GUARDRAILS = (spec = '{}') =>
  `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\nspec: ${spec}\n`;
const FILE = 'base/guardrails-exemptions.yaml';
const HEAD =
  'apiVersion: todo.example.com/v1alpha1\nkind: GuardrailsExemptions\nmetadata:\n  name: exemptions\n  annotations:\n    config.kubernetes.io/local-config: "true"\nspec:\n  exemptions:\n';
/** The first entry starts in line 9. */
const list = (...entries: readonly string[]) =>
  HEAD + entries.map((entry) => `  - ${entry.trim().replaceAll('\n', '\n    ')}\n`).join('');
const entry = (fields: Readonly<Record<string, string>> = {}) =>
  Object.entries({ rule: ROOT, resource: 'Deployment/web', reason: 'ticket 42', ...fields })
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n');

/** `web` has two containers, whose root file systems are writable as the author says, or by default. */
function packageOf(exemptions: string | undefined, field = OPEN, more: Tree = {}): Tree {
  return {
    'base/deployment.yaml': deployment('web', container('app', field) + container('side', field)),
    'base/guardrails.yaml': GUARDRAILS(),
    'base/kustomization.yaml': `${KUSTOMIZATION}resources:\n- deployment.yaml\n`,
    'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources:\n- ../../base\nnamespace: shop\n`,
    ...(exemptions === undefined ? {} : { [FILE]: exemptions }),
    ...more,
  };
}

interface Judged {
  readonly exitCode: number;
  /** `<severity> <message>` of the findings of the rule, and of exemptions; or the error that ends the run. */
  readonly reported: readonly string[];
  /** The text of the Deployment after the run; undefined: it was refused. */
  readonly fixed: string | undefined;
}

function isReported(rule: string | undefined, message: string): boolean {
  return (rule === ROOT || rule === 'exemption') && !/ gets (an entry in )?spec/.test(message);
}

/** What `kpt fn render` does. */
async function byResourceList(files: Tree): Promise<Judged> {
  const { stdout, stderr, exitCode } = await run(Buffer.from(resourceList(files)), findKustomize);
  if (exitCode > 1) return { exitCode, reported: [stderr.trimEnd()], fixed: undefined };
  const { results = [], items } = parse(stdout) as { results?: Result[]; items: object[] };
  const reported = results
    .filter(({ tags, message }) => isReported(tags?.rule, message))
    .map(({ severity, message }) => `${severity} ${message}`);
  const fixed = items.filter((item) => 'kind' in item && item.kind === 'Deployment');
  return { exitCode, reported, fixed: exitCode === 0 ? JSON.stringify(fixed) : undefined };
}

/** What `guardrails check` does. */
async function byDirectory(files: Tree): Promise<Judged> {
  writeTree(folder(), files);
  return judgeFolder();
}

async function judgeFolder(): Promise<Judged> {
  try {
    const { items, directory } = await readPackage(folder());
    const config = readFunctionConfig(items, readConfig);
    const configFile = fileOfGuardrails(items, functionConfigIn(items)?.value);
    const judged = await judge(items, config, { findKustomize, directory, configFile });
    const all = findingsOf(judged, config.warnings).map(
      (one) => [one, printMessage(messageOf(one), (text) => text)] as const,
    );
    const reported = all
      .filter(([{ rule }, message]) => isReported(rule, message))
      .map(([{ severity }, message]) => `${severity} ${message}`);
    const isRefused = hasError(all.map(([one]) => one));
    const values = judged.revision.items.filter(({ value }) => value.kind === 'Deployment');
    const fixed = JSON.stringify(values.map(({ value }) => value));
    return { exitCode: isRefused ? 1 : 0, reported, fixed: isRefused ? undefined : fixed };
  } catch (error) {
    const { text, exitCode } = describeError(error);
    return { exitCode, reported: [printMessage(text, (one) => one)], fixed: undefined };
  }
}

const WAYS = [
  ['a directory', byDirectory],
  ['a ResourceList', byResourceList],
] as const;

const REMEDY =
  'set it to true, and list the folders that the container writes to in the annotation todo.example.com/writable-paths';
const LINES = { app: 27, side: 45 };
const writes = (name: 'app' | 'side', end: string) =>
  `overlays/prod: Deployment/web container "${name}" sets readOnlyRootFilesystem to a value other than true (base/deployment.yaml:${LINES[name]}); ${end}`;
const isOpen = (name: 'app' | 'side') => `error ${writes(name, REMEDY)}`;
const isExempt = (name: 'app' | 'side', reason = 'ticket 42') => `info ${writes(name, `exempt: ${reason}`)}`;
const of = (problem: string, line: number, remedy: string, rule = ROOT, resource = 'Deployment/web') =>
  `GuardrailsExemptions/exemptions exemption of ${resource} from ${rule}: ${problem} (${FILE}:${line}); ${remedy}`;

describe.each(WAYS)('in the package of %s, an entry', (_, judged) => {
  const reportedFor = async (...entries: string[]) => {
    const { exitCode, reported } = await judged(packageOf(list(...entries)));
    return { exitCode, reported };
  };

  test('turns findings into infos with its reason', async () => {
    expect(await reportedFor(entry())).toEqual({
      exitCode: 0,
      reported: [isExempt('app'), isExempt('side')],
    });
  });

  test('that is not there: errors', async () => {
    const { exitCode, reported } = await judged(packageOf(undefined));
    expect({ exitCode, reported }).toEqual({ exitCode: 1, reported: [isOpen('app'), isOpen('side')] });
  });

  test('with a container covers that one alone', async () => {
    expect(await reportedFor(entry({ container: 'app' }))).toEqual({
      exitCode: 1,
      reported: [isOpen('side'), isExempt('app')],
    });
  });

  test.each(['2026-12-31', '"2026-12-31"', "'2026-12-31'"])('until %s', async (until) => {
    expect(await reportedFor(entry({ until }))).toEqual({
      exitCode: 0,
      reported: [
        isExempt('app', 'ticket 42, until 2026-12-31'),
        isExempt('side', 'ticket 42, until 2026-12-31'),
      ],
    });
  });

  test('written twice is as good as once', async () => {
    const both = [entry(), entry({ reason: 'another' })];
    expect(await reportedFor(...both)).toEqual({
      exitCode: 0,
      reported: [isExempt('app'), isExempt('side')],
    });
  });

  test('stops the fix at the source, and only there', async () => {
    const { exitCode, fixed = '' } = await judged(packageOf(list(entry({ container: 'side' })), ''));
    expect(exitCode).toBe(0);
    const [first, second, ...more] = fixed.split('"name":"side"');
    expect(more).toEqual([]);
    expect(first).toContain('"readOnlyRootFilesystem":true');
    expect(second).not.toContain('readOnlyRootFilesystem');
  });

  test('of another rule has no effect on this one', async () => {
    expect(await reportedFor(entry({ rule: 'volumes' }))).toEqual({
      exitCode: 1,
      reported: [isOpen('app'), isOpen('side')],
    });
  });

  test('matches no resource: a warning', async () => {
    const none = 'the package has no such resource, neither at the source nor in a build';
    const remedy = 'correct the field resource or namespace, or remove the entry';
    const entries = [
      entry(),
      entry({ resource: 'Deployment/we' }),
      entry({ resource: 'StatefulSet/web' }),
      entry({ namespace: 'other' }),
    ];
    expect(await reportedFor(...entries)).toEqual({
      exitCode: 0,
      reported: [
        `warning ${of(none, 12, remedy, ROOT, 'Deployment/we')}`,
        `warning ${of(none, 15, remedy, ROOT, 'StatefulSet/web')}`,
        `warning ${of(none, 18, remedy, ROOT, 'Deployment/web in the namespace other')}`,
        isExempt('app'),
        isExempt('side'),
      ],
    });
  });

  test('with the namespace of the build covers the build', async () => {
    expect(await reportedFor(entry({ namespace: 'shop' }))).toEqual({
      exitCode: 0,
      reported: [isExempt('app'), isExempt('side')],
    });
  });

  test('that ends within 14 days: a warning; within 15: none', async () => {
    const reason = 'ticket 42, until 2026-07-29';
    expect(await reportedFor(entry({ until: '2026-07-29' }))).toEqual({
      exitCode: 0,
      reported: [
        `warning ${of('the exemption ends on 2026-07-29', 9, 'fix what the rule reports, or set a later date')}`,
        isExempt('app', reason),
        isExempt('side', reason),
      ],
    });
    const later = 'ticket 42, until 2026-07-30';
    expect((await reportedFor(entry({ until: '2026-07-30' }))).reported).toEqual([
      isExempt('app', later),
      isExempt('side', later),
    ]);
  });

  test.each<[string, Readonly<Record<string, string>>, string, string]>([
    [
      'no visible text',
      { reason: '"\\u200b\\u2060"' },
      'the reason is missing',
      'write it in the field reason',
    ],
    ['an empty reason', { reason: '""' }, 'the reason is missing', 'write it in the field reason'],
    [
      'an unknown container',
      { container: 'nope' },
      'the container "nope" does not exist',
      'use one of app, side',
    ],
    [
      'a day that does not exist',
      { until: '2026-02-30' },
      'the date 2026-02-30 is invalid',
      'write the date as YYYY-MM-DD',
    ],
    [
      'a time',
      { until: '2026-08-15T00:00:00Z' },
      'the date 2026-08-15T00:00:00Z is invalid',
      'write the date as YYYY-MM-DD',
    ],
    [
      'a past day',
      { until: '2026-07-14' },
      'the exemption ended on 2026-07-14',
      'fix what the rule reports, or set a later date',
    ],
    [
      'a day too far ahead',
      { until: '2027-07-16' },
      'the exemption ends more than 365 days from today, on 2027-07-16',
      'set an earlier date; spec.exemptions.maxDays allows no later one',
    ],
    [
      'the day in the reason, as in an annotation',
      { reason: 'ticket 42 until 2026-12-31' },
      'the reason ends in a date, which has no effect there',
      'move the date to the field until',
    ],
  ])('with %s is an error and has no effect', async (_case, fields, problem, remedy) => {
    expect(await reportedFor(entry(fields))).toEqual({
      exitCode: 1,
      reported: [`error ${of(problem, 9, remedy)}`, isOpen('app'), isOpen('side')],
    });
  });

  test.each(['read-only-rootfs', 'rеsources', '__proto__', 'constructor'])(
    'with the unknown rule %s is an error',
    async (rule) => {
      expect(await reportedFor(entry({ rule }))).toEqual({
        exitCode: 1,
        reported: [
          `error ${of(`the rule "${rule}" does not exist`, 9, `use one of ${RULE_IDS}`, rule)}`,
          isOpen('app'),
          isOpen('side'),
        ],
      });
    },
  );

  test('from a rule of neverExempt is an error, from another rule it is not', async () => {
    const never = of(
      'the configuration lists this rule under neverExempt',
      9,
      'remove the entry, and fix what the rule reports',
      'pinned-image',
    );
    expect(await reportedFor(entry({ rule: 'pinned-image' }), entry())).toEqual({
      exitCode: 1,
      reported: [`error ${never}`, isExempt('app'), isExempt('side')],
    });
    const allowed = packageOf(list(entry({ rule: 'pinned-image' }), entry()), OPEN, {
      'base/guardrails.yaml': GUARDRAILS('{neverExempt: []}'),
    });
    expect(await judged(allowed)).toMatchObject({
      exitCode: 0,
      reported: [isExempt('app'), isExempt('side')],
    });
  });

  test.each<[string, string, string]>([
    [
      'an unknown key',
      list(`${entry()}\nwho: me`),
      `:12: spec.exemptions[0].who is an unknown key; allowed: rule, resource, namespace, container, reason, until`,
    ],
    [
      '__proto__',
      list(`${entry()}\n__proto__: {rule: volumes}`),
      ':12: spec.exemptions[0].__proto__ is an unknown key; allowed: rule, resource, namespace, container, reason, until',
    ],
    [
      'no rule',
      list(entry(), 'resource: Deployment/web\nreason: x'),
      ':12: spec.exemptions[1].rule is missing',
    ],
    ['no resource', list(`rule: ${ROOT}\nreason: x`), ':9: spec.exemptions[0].resource is missing'],
    [
      'no reason',
      list(`rule: ${ROOT}\nresource: Deployment/web`),
      ':9: spec.exemptions[0].reason is missing',
    ],
    [
      'a number as the reason',
      list(entry({ reason: '42' })),
      ':11: spec.exemptions[0].reason must be a string, found the number 42; quote it',
    ],
    [
      'a name without a kind',
      list(entry({ resource: 'web' })),
      ':10: spec.exemptions[0].resource must be a kind and a name, such as Deployment/web, found "web"',
    ],
    [
      'a resource of three parts',
      list(entry({ resource: 'apps/Deployment/web' })),
      ':10: spec.exemptions[0].resource must be a kind and a name, such as Deployment/web, found "apps/Deployment/web"',
    ],
    ['a repeated key', list(`${entry()}\nreason: another`), ':12: the key reason is repeated; keep one'],
    [
      'a repeated list',
      `${list(entry())}  exemptions: []\n`,
      ':12: the key exemptions is repeated; keep one',
    ],
    ['an entry that is a text', list('volumes'), ':9: spec.exemptions[0] must be a mapping, found "volumes"'],
    [
      'another kind',
      list(entry()).replace('GuardrailsE', 'GuardrailE'),
      ':2: kind must be "GuardrailsExemptions", found "GuardrailExemptions"',
    ],
    [
      'another version',
      list(entry()).replace('v1alpha1', 'v1'),
      ':1: apiVersion must be "todo.example.com/v1alpha1", found "todo.example.com/v1"',
    ],
  ])('the file with %s is a configuration error', async (_case, text, problem) => {
    const { exitCode, reported } = await judged(packageOf(text));
    expect({ exitCode, reported }).toEqual({ exitCode: 3, reported: [`${FILE}${problem}`] });
  });

  test('written in the JSON form of YAML, with a merge key', async () => {
    const text = `apiVersion: todo.example.com/v1alpha1\nkind: GuardrailsExemptions\nmetadata:\n  name: exemptions\nspec:\n  exemptions:\n  - &first {rule: ${ROOT}, resource: Deployment/web, container: app, reason: ticket 42}\n  - {<<: *first, container: side}\n`;
    const { exitCode, reported } = await judged(packageOf(text));
    expect({ exitCode, reported }).toEqual({ exitCode: 0, reported: [isExempt('app'), isExempt('side')] });
  });

  test('for a container that only one overlay adds', async () => {
    const patch = `- target:\n    kind: Deployment\n  patch: |\n    - op: add\n      path: /spec/template/spec/containers/-\n      value: {name: extra, image: "extra:v1", resources: {requests: {cpu: 1m, memory: 1Mi}, limits: {cpu: 1m, memory: 1Mi}}, securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}, readOnlyRootFilesystem: false}}\n`;
    const files = packageOf(list(entry({ container: 'extra' }), entry()), OPEN, {
      'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources:\n- ../../base\npatches:\n${patch}`,
    });
    const { exitCode, reported } = await judged(files);
    expect(exitCode).toBe(0);
    expect(reported.filter((line) => !line.startsWith('info '))).toEqual([]);
    expect(reported.filter((line) => line.includes('"extra" sets '))).toHaveLength(1);
  });

  test('names the resource as a build has it, where namePrefix changes the name', async () => {
    const prefixed = (...entries: string[]) =>
      judged(
        packageOf(list(...entries), '', {
          'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources:\n- ../../base\nnamePrefix: eu-\n`,
        }),
      );
    // At the source alone: the fix does not happen, and the build is refused.
    expect(await prefixed(entry())).toMatchObject({ exitCode: 1 });
    // In the build alone: the fix happens.
    const { exitCode, reported, fixed } = await prefixed(entry({ resource: 'Deployment/eu-web' }));
    expect({ exitCode, reported }).toEqual({ exitCode: 0, reported: [] });
    expect(fixed).toContain('"readOnlyRootFilesystem":true');
    const both = await prefixed(entry(), entry({ resource: 'Deployment/eu-web' }));
    expect(both.exitCode).toBe(0);
    expect(both.fixed).not.toContain('readOnlyRootFilesystem');
  });

  test('beside an annotation: both have an effect', async () => {
    const annotation = `  annotations:\n    exempt.todo.example.com/${ROOT}: 'app: by annotation'\n`;
    const files = packageOf(list(entry({ container: 'side' })), OPEN, {
      'base/deployment.yaml': deployment('web', container('app', OPEN) + container('side', OPEN), annotation),
    });
    const { exitCode, reported } = await judged(files);
    expect(exitCode).toBe(0);
    expect(reported.map((line) => line.split('; ').at(-1))).toEqual([
      'exempt: by annotation',
      'exempt: ticket 42',
    ]);
  });

  test('where an overlay is not built, resources may be unknown: no warning that there is none', async () => {
    const files = packageOf(
      list(entry({ resource: 'Deployment/gone' }), entry({ container: 'nope' })),
      OPEN,
      {
        'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources:\n- https://example.com/base.yaml\n`,
      },
    );
    const { exitCode, reported } = await judged(files);
    expect({ exitCode, reported }).toEqual({ exitCode: 1, reported: [isOpen('app'), isOpen('side')] });
  });
});

describe.each(WAYS)('in the package of %s, a document has no effect', (_, judged) => {
  const noEffect = async (files: Tree) => {
    const { exitCode, reported } = await judged(files);
    expect(exitCode).toBe(1);
    expect(reported).toContain(isOpen('app'));
    return reported.filter((line) => line.startsWith('warning'));
  };
  const ELSEWHERE = (file: string) =>
    `warning GuardrailsExemptions/exemptions has no effect in this file (${file}); move its entries to ${FILE}`;

  test.each([
    'guardrails-exemptions.yaml',
    'overlays/prod/guardrails-exemptions.yaml',
    'base/exemptions.yaml',
  ])('in %s', async (file) => {
    expect(await noEffect(packageOf(undefined, OPEN, { [file]: list(entry()) }))).toEqual([ELSEWHERE(file)]);
  });

  test('as the second in its file', async () => {
    const first = list(entry({ rule: 'volumes' }));
    expect(await noEffect(packageOf(`${first}---\n${list(entry())}`))).toEqual([
      `warning GuardrailsExemptions/exemptions has no effect, because it is not the first one in its file (${FILE}); move its entries to the first one in ${FILE}`,
    ]);
  });

  test('without a Guardrails configuration', async () => {
    const { 'base/guardrails.yaml': configuration, ...files } = packageOf(list(entry()));
    expect(configuration).toContain('Guardrails');
    expect(await noEffect(files)).toEqual([
      `warning GuardrailsExemptions/exemptions has no effect, because there is no Guardrails configuration of the package beside it (${FILE}); add one to the package as guardrails.yaml, and move the exemptions to guardrails-exemptions.yaml in its folder`,
    ]);
  });
});

describe('in a stream, a document has no effect', () => {
  const STREAM =
    'GuardrailsExemptions/exemptions has no effect, because the input is a stream, without kustomizations';
  const WAY_OUT =
    'write the annotation exempt.todo.example.com/<rule>, or set spec.rules in the functionConfig';
  const OPEN_WEB = deployment('web', container('app', OPEN));

  test('of plain documents', async () => {
    const input = `${OPEN_WEB}---\n${list(entry())}`;
    const { exitCode, stderr, stdout } = await run(Buffer.from(input), findKustomize);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain(`[warning] ${STREAM}; ${WAY_OUT}\n`);
    expect(stderr).toContain('[error] Deployment/web container "app" sets readOnlyRootFilesystem');
  });

  test('of items without a kustomization, even beside a configuration', async () => {
    const { 'base/guardrails.yaml': configuration = '', [FILE]: exemptions = '' } = packageOf(list(entry()));
    const files = { 'base/deployment.yaml': OPEN_WEB, 'base/guardrails.yaml': configuration };
    const { exitCode, reported } = await byResourceList({ ...files, [FILE]: exemptions });
    expect(exitCode).toBe(1);
    expect(reported).toContain(`warning ${STREAM} (${FILE}); ${WAY_OUT}`);
    expect(await byDirectory({ ...files, [FILE]: exemptions })).toMatchObject({ exitCode: 1, reported });
  });

  test('of items without a file, beside a package whose file exempts the same name', async () => {
    const input = resourceList(packageOf(list(entry()))).replace(
      'items:\n',
      `items:\n- ${OPEN_WEB.trimEnd().replaceAll('\n', '\n  ')}\n`,
    );
    const { exitCode, stderr } = await run(Buffer.from(input), findKustomize);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('[error] Deployment/web container "app" sets readOnlyRootFilesystem');
    expect(stderr).not.toContain('overlays/prod: Deployment/web container "app"');
  });
});

describe('the configuration that the file belongs to', () => {
  const KPTFILE = (configPath: string) =>
    `apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: shop\npipeline:\n  mutators:\n  - image: guardrails\n    configPath: ${configPath}\n`;

  test.each(WAYS)('is the one that the Kptfile names: %s', async (_, judged) => {
    const files = packageOf(undefined, OPEN, {
      'other/guardrails.yaml': GUARDRAILS(),
      'other/guardrails-exemptions.yaml': list(entry({ rule: 'volumes' })),
      [FILE]: list(entry()),
      Kptfile: KPTFILE('base/guardrails.yaml'),
    });
    const { exitCode, reported } = await judged(files);
    expect({ exitCode, reported }).toEqual({
      exitCode: 0,
      reported: [
        `warning GuardrailsExemptions/exemptions has no effect in this file (other/guardrails-exemptions.yaml); move its entries to ${FILE}`,
        isExempt('app'),
        isExempt('side'),
      ],
    });
  });

  test('is the one that the functionConfig names, where there are several and no Kptfile', async () => {
    const files = packageOf(list(entry()), OPEN, { 'other/guardrails.yaml': GUARDRAILS() });
    expect(await byResourceList(files)).toMatchObject({ exitCode: 1 });
    const input = resourceList(files).replace(
      /(functionConfig:\n(?: .*\n)*? {4}name: guardrails\n)/,
      '$1    annotations:\n      internal.config.kubernetes.io/path: base/guardrails.yaml\n',
    );
    expect(await run(Buffer.from(input), findKustomize)).toMatchObject({ exitCode: 0 });
  });

  test('is not a ConfigMap', async () => {
    const input = resourceList(packageOf(list(entry()))).replace(
      /functionConfig:\n[^]*$/,
      'functionConfig:\n  apiVersion: v1\n  kind: ConfigMap\n  data: {}\n',
    );
    const { exitCode, stderr } = await run(Buffer.from(input), findKustomize);
    expect(exitCode).toBe(1);
    expect(stderr).toContain(
      'has no effect, because there is no Guardrails configuration of the package beside it',
    );
  });
});

describe('a file of a hostile package', () => {
  test('is a symbolic link: refused, not followed and not passed over', async () => {
    writeTree(folder(), { ...packageOf(undefined), 'elsewhere.txt': list(entry()) });
    symlinkSync('../elsewhere.txt', path.join(folder(), FILE));
    expect(await judgeFolder()).toMatchObject({
      exitCode: 2,
      reported: [`${FILE} is or passes a symbolic link (${FILE}); replace the link with a copy`],
    });
    unlinkSync(path.join(folder(), FILE));
    expect(await judgeFolder()).toMatchObject({ exitCode: 1, reported: [isOpen('app'), isOpen('side')] });
  });

  test('is a FIFO: refused without waiting', async () => {
    writeTree(folder(), packageOf(undefined));
    execFileSync('mkfifo', [path.join(folder(), FILE)]);
    expect(await judgeFolder()).toMatchObject({
      exitCode: 2,
      reported: [`${FILE} is not a regular file; remove it, or list it in .krmignore`],
    });
  });

  test('is not valid YAML: refused', async () => {
    const { exitCode, reported } = await byDirectory(packageOf(`${list(entry())}  - [\n`));
    expect(exitCode).toBe(2);
    expect(reported[0]).toMatch(/^base\/guardrails-exemptions\.yaml:\d+: invalid YAML: /);
  });

  test('is hidden by .krmignore: a warning', async () => {
    const { exitCode, reported } = await byDirectory(
      packageOf(list(entry()), OPEN, { '.krmignore': 'guardrails-exemptions.yaml\n' }),
    );
    expect(exitCode).toBe(1);
    expect(reported).toContain(
      `warning GuardrailsExemptions/exemptions has no effect, because .krmignore excludes it (${FILE}); remove the pattern that matches it from .krmignore`,
    );
  });

  test('has comments alone: no exemptions', async () => {
    expect(await byDirectory(packageOf('# later\n'))).toMatchObject({
      exitCode: 1,
      reported: [isOpen('app'), isOpen('side')],
    });
  });

  test('has 10,000 invalid entries: each is reported, in less than 20 s with the builds', async () => {
    const entries = Array.from({ length: 10_000 }, (_, i) =>
      entry({ container: `c${i}`, resource: i % 2 === 0 ? 'Deployment/web' : `Deployment/web-${i}` }),
    );
    const start = performance.now();
    const { exitCode, reported } = await byDirectory(packageOf(list(...entries, entry())));
    expect(performance.now() - start).toBeLessThan(20_000);
    expect(exitCode).toBe(1);
    expect(reported).toHaveLength(10_002);
    expect(reported[4_999]).toBe(
      `error ${of('the container "c9998" does not exist', 9 + 4 * 9_998, 'use one of app, side')}`,
    );
    expect(reported.slice(-2)).toEqual([isExempt('app'), isExempt('side')]);
  });

  test('has 10,000 entries for 10,000 resources: each is found without a look at the others', () => {
    const names = Array.from({ length: 10_000 }, (_, i) => `web-${i}`);
    const resources = names.map((name) => ({
      resource: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } },
      path: [],
    }));
    const limits = DEFAULTS.exemptions;
    const start = performance.now();
    const listed = new ListedExemptions(
      { apiVersion: 'todo.example.com/v1alpha1', kind: 'GuardrailsExemptions', name: 'exemptions' },
      names.map((name, i) => ({
        rule: 'volumes',
        kind: 'ConfigMap',
        name,
        namespace: undefined,
        container: undefined,
        reason: 'ticket 42',
        end: undefined,
        field: ['spec', 'exemptions', i],
        source: { file: FILE },
      })),
      { ruleIds: ['volumes'], limits, today: '2026-07-15' },
    );
    const found = names.map((name) =>
      listed.find({ apiVersion: 'v1', kind: 'ConfigMap', name }, 'volumes', 'c'),
    );
    const checked = listed.check(new NamedResources(resources));
    // Compared in pairs, 100,000,000 times, it takes some seconds.
    expect(performance.now() - start).toBeLessThan(1000);
    expect(found.map((one) => one === undefined)).toEqual(names.map(() => false));
    expect(checked.filter(({ finding }) => finding !== undefined)).toEqual([]);
    expect(listed.find({ apiVersion: 'v1', kind: 'ConfigMap', name: 'web' }, 'volumes', 'c')).toBeUndefined();
  });
});
