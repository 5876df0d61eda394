import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { useBundle } from '../support/bundle';
import { type Tree, readTree, useFolder, writeTree } from '../support/tree';

const bundle = useBundle();
const folder = useFolder('floor-');
let top: string;
beforeEach(() => {
  top = folder();
});

/** Clean by itself: nothing is missing, and nothing is relaxed. */
const PACKAGE: Tree = {
  'base/pod.yaml': `apiVersion: v1
kind: Pod
metadata:
  name: web
  labels:
    app: web
  annotations:
    example.com/owner: shop
spec:
  automountServiceAccountToken: false
  securityContext:
    runAsNonRoot: true
    runAsUser: 1000
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: web
      image: registry.example.com/web:v1
      securityContext:
        allowPrivilegeEscalation: false
        capabilities:
          drop:
            - ALL
        readOnlyRootFilesystem: true
      resources:
        requests:
          cpu: 100m
          memory: 128Mi
        limits:
          cpu: 500m
          memory: 512Mi
      volumeMounts:
        - name: tmp
          mountPath: /tmp
  volumes:
    - name: tmp
      emptyDir: {}
`,
  'base/kustomization.yaml': 'resources:\n  - pod.yaml\n',
  'overlays/dev/kustomization.yaml': 'namespace: dev\nresources:\n  - ../../base\n',
  'overlays/prod/kustomization.yaml': 'namespace: prod\nresources:\n  - ../../base\n',
};
const HEAD = 'apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\n';

/** `own` and `floor` start at line 5 of their files. Without `own`, the package has no configuration. */
function writeFiles(own: string | undefined, floor: string, more: Tree = {}) {
  writeTree(top, { 'floor.yaml': HEAD + floor });
  writeTree(path.join(top, 'package'), {
    ...fixed,
    ...(own === undefined ? {} : { 'base/guardrails.yaml': HEAD + own }),
    ...more,
  });
}

function check(own: string | undefined, floor: string, more: Tree = {}) {
  writeFiles(own, floor, more);
  return guardrails(['check', 'package', '--floor', 'floor.yaml']);
}

function guardrails(args: readonly string[]) {
  const options = { cwd: top, encoding: 'utf8' as const };
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle().cli, ...args], options);
  return { status, stdout, stderr };
}

/** Each once, without the overlay that it is of. */
function errorsOf(stdout: string): string[] {
  const errors = [...stdout.matchAll(/^ *\[error\] (?:overlays\/\w+: )?(.*)$/gm)].map(
    ([, text = '']) => text,
  );
  return [...new Set(errors)];
}

/** PACKAGE, with its network policies. */
let fixed: Tree;
beforeAll(() => {
  const dir = mkdtempSync(path.join(tmpdir(), 'floor-package-'));
  writeTree(dir, PACKAGE);
  const { status } = spawnSync(process.execPath, [bundle().cli, 'fix', dir]);
  fixed = readTree(dir);
  rmSync(dir, { recursive: true });
  expect(status).toBe(0);
});

const podWith = (from: string, to: string): Tree => {
  const text = PACKAGE['base/pod.yaml'] ?? '';
  expect(text).toContain(from);
  return { 'base/pod.yaml': text.replace(from, to) };
};

test('a package that says nothing is held to the defaults, and a floor below them changes nothing', () => {
  const floor =
    'spec:\n  rules:\n    read-only-root-filesystem: warning\n  podSecurity:\n    level: baseline\n';
  expect(check(undefined, floor)).toMatchObject({ status: 0, stderr: '' });
  const { status, stdout } = check(
    undefined,
    floor,
    podWith('readOnlyRootFilesystem: true', 'readOnlyRootFilesystem: false'),
  );
  expect(status).toBe(1);
  expect(errorsOf(stdout)).toEqual([
    expect.stringMatching(
      /^Pod\/web container "web" sets readOnlyRootFilesystem to a value other than true /,
    ),
  ]);
});

test.each(['check', 'fix', 'build', 'render'])(
  '%s: a loosening is exit 1, and nothing is written',
  (command) => {
    const own = 'spec:\n  environments:\n    overlays/dev:\n      rules:\n        pinned-image: off\n';
    writeFiles(own, 'spec:\n  rules: {pinned-image: error}\n');
    const before = readTree(top);
    const { status, stdout } = guardrails([command, 'package', '--floor', 'floor.yaml']);
    expect({ status, errors: errorsOf(stdout) }).toEqual({
      status: 1,
      errors: [
        'spec.environments.overlays/dev.rules.pinned-image is off, but floor.yaml:6 requires error (base/guardrails.yaml:9); set it to error, or remove it',
      ],
    });
    expect(readTree(top)).toEqual(before);
  },
);

describe('where the package says nothing, the floor holds', () => {
  test('its limits are what containers get', () => {
    const floor = 'spec:\n  resources:\n    limits:\n      cpu: 250m\n      memory: 256Mi\n';
    writeFiles(
      undefined,
      floor,
      podWith('        limits:\n          cpu: 500m\n          memory: 512Mi\n', ''),
    );
    const { status, stdout } = guardrails(['check', 'package', '--diff', '--floor', 'floor.yaml']);
    expect(status).toBe(1);
    expect(stdout).toMatch(/\n\+ {10}cpu: 250m\n\+ {10}memory: 256Mi\n/);
  });

  test('an overlay that it lists is judged, whatever the package calls a base', () => {
    const own = 'spec:\n  bases: [overlays/prod]\n';
    const all = { 'overlays/all/kustomization.yaml': 'resources:\n  - ../prod\n' };
    expect(check(own, 'spec:\n  rules: {}\n', all).stdout).toContain(
      'taken for a base: base, overlays/prod;',
    );
    expect(check(own, 'spec:\n  overlays: [overlays/*]\n', all).stdout).toContain(
      'judged: overlays/all, overlays/dev, overlays/prod; taken for a base: base;',
    );
  });
});

describe('exemptions', () => {
  const exempt = (value: string) =>
    podWith(
      'example.com/owner: shop\n',
      `example.com/owner: shop\n    exempt.todo.example.com/capabilities: ${value}\n`,
    );
  const verdict = (own: string, floor: string, value: string) => {
    const { status, stdout } = check(own, floor, exempt(value));
    return { status, errors: errorsOf(stdout) };
  };
  const inTwoYears = `${new Date().getUTCFullYear() + 2}-01-01`;

  test('neverExempt of the floor binds, whatever the package lists', () => {
    const floor = 'spec:\n  neverExempt:\n    - capabilities\n';
    expect(verdict('spec:\n  neverExempt: []\n', floor, 'ticket 42')).toEqual({
      status: 1,
      errors: [
        'Pod/web annotation exempt.todo.example.com/capabilities: the floor at floor.yaml:6 lists this rule under neverExempt (base/pod.yaml:9); remove the annotation, and fix what the rule reports',
      ],
    });
  });

  test('neverExempt of the package binds beside it', () => {
    const own = 'spec:\n  neverExempt: [capabilities]\n';
    expect(verdict(own, 'spec:\n  neverExempt: [pinned-image]\n', 'ticket 42')).toEqual({
      status: 1,
      errors: [expect.stringContaining('the configuration lists this rule under neverExempt')],
    });
  });

  test('maxDays of the floor binds', () => {
    const floor = 'spec:\n  exemptions:\n    maxDays: 90\n';
    expect(verdict('spec:\n  rules: {}\n', floor, `ticket 42 until ${inTwoYears}`)).toEqual({
      status: 1,
      errors: [
        `Pod/web annotation exempt.todo.example.com/capabilities: the exemption ends more than 90 days from today, on ${inTwoYears} (base/pod.yaml:9); set an earlier date; the floor at floor.yaml:7 allows no later one`,
      ],
    });
  });

  test('fewer days of the package hold', () => {
    const own = 'spec:\n  exemptions:\n    maxDays: 30\n';
    const { errors } = verdict(
      own,
      'spec:\n  exemptions:\n    maxDays: 90\n',
      `ticket 42 until ${inTwoYears}`,
    );
    expect(errors).toEqual([expect.stringContaining('; spec.exemptions.maxDays allows no later one')]);
  });

  test('one that the floor allows holds', () => {
    expect(
      verdict('spec:\n  neverExempt: []\n', 'spec:\n  neverExempt: [pinned-image]\n', 'ticket 42'),
    ).toEqual({ status: 0, errors: [] });
  });
});

describe('a floor that is refused', () => {
  beforeEach(() => {
    writeFiles('spec: {}\n', 'spec: {}\n');
  });

  test.each<[string, string, number, string]>([
    [
      'another kind',
      'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n',
      3,
      'floor.yaml:2: a floor must be of kind Guardrails\n',
    ],
    [
      'an unknown key',
      `${HEAD}spec:\n  rule: {}\n`,
      3,
      'floor.yaml:6: spec.rule is an unknown key; allowed: ',
    ],
    [
      'a setting of one package',
      `${HEAD}spec:\n  bases: [overlays/prod]\n`,
      3,
      'floor.yaml:6: spec.bases cannot be set by a floor; use rules.*, podSecurity.level, ',
    ],
    [
      'a setting that an environment of a floor cannot have',
      `${HEAD}spec:\n  environments:\n    overlays/dev:\n      resources:\n        limits:\n          cpu: null\n`,
      3,
      'floor.yaml:10: spec.environments.overlays/dev.resources.limits.cpu cannot be set by a floor; use rules.*, podSecurity.level, resources.add, harden, network.unresolved\n',
    ],
    ['two documents', `${HEAD}---\n${HEAD}`, 2, '--floor floor.yaml must contain one Guardrails document\n'],
    ['no document', '# nothing\n', 2, '--floor floor.yaml must contain one Guardrails document\n'],
  ])('%s', (_, text, status, stderr) => {
    writeTree(top, { 'floor.yaml': text });
    const result = guardrails(['check', 'package', '--floor', 'floor.yaml']);
    expect(result.status).toBe(status);
    expect(result.stderr.startsWith(stderr)).toBe(true);
  });

  test('a file that is missing', () => {
    expect(guardrails(['check', 'package', '--floor', 'missing/floor.yaml'])).toMatchObject({
      status: 2,
      stdout: '',
    });
  });

  test('a file in the package, which the repository could change', () => {
    writeTree(top, { 'package/floor.yaml': `${HEAD}spec: {}\n` });
    expect(guardrails(['check', 'package', '--floor', 'package/floor.yaml'])).toEqual({
      status: 2,
      stdout: '',
      stderr:
        '--floor package/floor.yaml is in the package, where the repository could change it; pass a file outside of it\n',
    });
  });

  test('a symbolic link, which may lead into the package', () => {
    mkdirSync(path.join(top, 'organisation'));
    symlinkSync('../package/base/guardrails.yaml', path.join(top, 'organisation/floor.yaml'));
    expect(guardrails(['check', 'package', '--floor', 'organisation/floor.yaml'])).toMatchObject({
      status: 2,
      stdout: '',
    });
  });

  test('two floors', () => {
    writeTree(top, { 'floor.yaml': `${HEAD}spec: {}\n` });
    const twice = ['--floor', 'floor.yaml', '--floor', 'floor.yaml'];
    expect(guardrails(['check', 'package', ...twice])).toEqual({
      status: 2,
      stdout: '',
      stderr: '--floor may be given once\n',
    });
  });
});
