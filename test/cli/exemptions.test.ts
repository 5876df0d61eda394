import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { useBundle } from '../support/bundle';
import { describeWithTool } from '../support/tools';
import { type Tree, editFile, readTree, useFolder, writeTree } from '../support/tree';

const bundle = useBundle();
const folder = useFolder('exemptions-');
let dir: string;
beforeEach(() => {
  dir = folder();
});

function guardrails(command: string, cwd = dir) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle().cli, command], {
    cwd,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

/** `YYYY-MM-DD`, so many days from today, in UTC. */
const day = (days: number) => new Date(Date.now() + days * 24 * 60 * 60 * 1000).toISOString().slice(0, 10);

const ROOT = 'read-only-root-filesystem';
const deployment = (name: string, ...annotations: readonly string[]) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
${annotations.length === 0 ? '' : '  annotations:\n'}${annotations.map((one) => `    exempt.todo.example.com/${one}\n`).join('')}spec:
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: app
          image: registry.example.com/${name}:v1
        - name: side
          image: registry.example.com/${name}:v1
`;
const GUARDRAILS = 'apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\n';
/** The first entry starts in line 9. */
const list = (...entries: readonly string[]) =>
  `apiVersion: todo.example.com/v1alpha1\nkind: GuardrailsExemptions\nmetadata:\n  name: exemptions\n  annotations:\n    config.kubernetes.io/local-config: 'true'\nspec:\n  exemptions:\n${entries.map((entry) => `    - {${entry}}\n`).join('')}`;
const on = (...entries: readonly string[]) => `resources: [${entries.join(', ')}]\n`;
const PACKAGE: Tree = {
  'base/web.yaml': deployment('web'),
  'base/kustomization.yaml': on('web.yaml'),
  'guardrails.yaml': GUARDRAILS,
  'overlays/dev/kustomization.yaml': on('../../base'),
  'overlays/prod/kustomization.yaml': on('../../base'),
};

/** The output, with the cells of the table separated by `|`. */
const cells = (text: string) => text.replace(/ {3,}/g, ' | ');

test('a package without exemptions', () => {
  writeTree(dir, PACKAGE);
  const before = readTree(dir);
  expect(guardrails('exemptions')).toEqual({ status: 0, stdout: 'no exemptions\n', stderr: '' });
  expect(readTree(dir)).toEqual(before);
});

test('exemptions of annotations and of the file, the soonest end first', () => {
  writeTree(dir, {
    ...PACKAGE,
    // There is no finding of the rules volumes and seccomp-profile.
    'base/web.yaml': deployment(
      'web',
      `${ROOT}: 'app: by annotation'`,
      `volumes: not needed until ${day(40)}`,
    ),
    'overlays/prod/kustomization.yaml': on('../../base', 'api.yaml'),
    'overlays/prod/api.yaml': deployment('api', `resources: no limits`),
    'guardrails-exemptions.yaml': list(
      `rule: volumes, resource: Deployment/web, reason: later, until: ${day(90)}`,
      `rule: seccomp-profile, resource: Deployment/api, container: side, reason: "a, b", until: ${day(30)}`,
      `rule: capabilities, resource: Deployment/web, reason: forever`,
    ),
  });
  const before = readTree(dir);
  const { status, stdout, stderr } = guardrails('exemptions');
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(cells(stdout).split('\n')).toEqual([
    'RULE | RESOURCE | OVERLAYS | REASON | UNTIL | WRITTEN IN',
    `seccomp-profile | Deployment/api container "side" | overlays/prod | a, b | ${day(30)} | guardrails-exemptions.yaml:10`,
    `volumes | Deployment/web | overlays/dev, overlays/prod | not needed | ${day(40)} | base/web.yaml`,
    `volumes | Deployment/web | overlays/dev, overlays/prod | later | ${day(90)} | guardrails-exemptions.yaml:9`,
    'capabilities | Deployment/web | overlays/dev, overlays/prod | forever | - | guardrails-exemptions.yaml:11',
    `${ROOT} | Deployment/web container "app" | overlays/dev, overlays/prod | by annotation | - | base/web.yaml`,
    'resources | Deployment/api | overlays/prod | no limits | - | overlays/prod/api.yaml',
    '',
  ]);
  expect(readTree(dir)).toEqual(before);
});

test('columns are aligned, by characters and not by bytes, and lines have no blanks at the end', () => {
  writeTree(dir, {
    ...PACKAGE,
    'guardrails-exemptions.yaml': list(
      'rule: volumes, resource: Deployment/web, reason: für später 👩‍💻',
      'rule: resources, resource: Deployment/web, reason: ascii letters',
    ),
  });
  const { stdout } = guardrails('exemptions');
  const [header = '', resources = '', volumes = '', ...more] = stdout.split('\n');
  expect(more).toEqual(['']);
  expect(resources.indexOf('Deployment')).toBe(header.indexOf('RESOURCE'));
  expect(resources.indexOf('guardrails-')).toBe(header.indexOf('WRITTEN IN'));
  const before = volumes.slice(0, volumes.indexOf('guardrails-'));
  expect(Array.from(before)).toHaveLength(header.indexOf('WRITTEN IN'));
  expect(volumes).toContain('für später 👩\\u{200d}💻');
  expect([header, resources, volumes].filter((line) => line.endsWith(' '))).toEqual([]);
});

test('an annotation that a patch adds is that of its overlay, one that no overlay builds has none', () => {
  writeTree(dir, {
    ...PACKAGE,
    'base/unused.yaml': deployment('unused', 'volumes: unused'),
    'base/kustomization.yaml': on('web.yaml'),
    'overlays/dev/kustomization.yaml': `namePrefix: dev-\n${on('../../base')}patches:\n- path: exempt.patch.yaml\n`,
    'overlays/dev/exempt.patch.yaml':
      'apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n  annotations:\n    exempt.todo.example.com/volumes: by a patch\n',
    Kptfile: 'apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: shop\n',
  });
  const { status, stdout } = guardrails('exemptions');
  expect(status).toBe(0);
  expect(cells(stdout).split('\n').slice(1)).toEqual([
    'volumes | Deployment/dev-web | overlays/dev | by a patch | - | base/web.yaml',
    'volumes | Deployment/unused | - | unused | - | base/unused.yaml',
    '',
  ]);
});

test('a name with a prefix is listed once, by the name of the build', () => {
  writeTree(dir, {
    ...PACKAGE,
    'base/web.yaml': deployment('web', 'volumes: x'),
    'overlays/dev/kustomization.yaml': `namePrefix: dev-\n${on('../../base')}`,
  });
  const { stdout } = guardrails('exemptions');
  expect(cells(stdout).split('\n').slice(1)).toEqual([
    'volumes | Deployment/dev-web | overlays/dev | x | - | base/web.yaml',
    'volumes | Deployment/web | overlays/prod | x | - | base/web.yaml',
    '',
  ]);
});

test('invalid exemptions are findings, and the valid ones are listed', () => {
  writeTree(dir, {
    ...PACKAGE,
    'base/web.yaml': deployment('web', `${ROOT}: '  '`, `volumes: short until ${day(3)}`),
    'guardrails-exemptions.yaml': list(
      `rule: volumes, resource: Deployment/web, reason: old, until: ${day(-1)}`,
      'rule: resources, resource: Deployment/web, container: db, reason: x',
      'rule: resources, resource: Deployment/gone, reason: x',
      'rule: resources, resource: Deployment/web, namespace: shop, reason: x',
    ),
    'other/guardrails-exemptions.yaml': list('rule: resources, resource: Deployment/web, reason: x'),
  });
  const { status, stdout, stderr } = guardrails('exemptions');
  expect({ status, stderr }).toEqual({ status: 1, stderr: '' });
  const none =
    'the package has no such resource, neither at the source nor in a build (guardrails-exemptions.yaml';
  const correct = 'correct the field resource or namespace, or remove the entry';
  expect(cells(stdout).split('\n')).toEqual([
    `[error] GuardrailsExemptions/exemptions exemption of Deployment/web from volumes: the exemption ended on ${day(-1)} (guardrails-exemptions.yaml:9); fix what the rule reports, or set a later date`,
    '[error] GuardrailsExemptions/exemptions exemption of Deployment/web from resources: the container "db" does not exist (guardrails-exemptions.yaml:10); use one of app, side',
    `[error] overlays/dev, overlays/prod: Deployment/web annotation exempt.todo.example.com/${ROOT}: the reason is missing (base/web.yaml); write the reason as the value`,
    '[warning] GuardrailsExemptions/exemptions has no effect in this file (other/guardrails-exemptions.yaml); move its entries to guardrails-exemptions.yaml',
    `[warning] GuardrailsExemptions/exemptions exemption of Deployment/gone from resources: ${none}:11); ${correct}`,
    `[warning] GuardrailsExemptions/exemptions exemption of Deployment/web in the namespace shop from resources: ${none}:12); ${correct}`,
    `[warning] overlays/dev, overlays/prod: Deployment/web annotation exempt.todo.example.com/volumes: the exemption ends on ${day(3)} (base/web.yaml); fix what the rule reports, or set a later date`,
    'RULE | RESOURCE | OVERLAYS | REASON | UNTIL | WRITTEN IN',
    `volumes | Deployment/web | overlays/dev, overlays/prod | short | ${day(3)} | base/web.yaml`,
    'resources | Deployment/gone | - | x | - | guardrails-exemptions.yaml:11',
    'resources | Deployment/web in shop | - | x | - | guardrails-exemptions.yaml:12',
    '',
  ]);
});

test('invalid exemptions alone: no table', () => {
  writeTree(dir, { ...PACKAGE, 'base/web.yaml': deployment('web', `resources: ''`) });
  const { status, stdout } = guardrails('exemptions');
  expect(status).toBe(1);
  expect(stdout).toBe(
    '[error] overlays/dev, overlays/prod: Deployment/web annotation exempt.todo.example.com/resources: the reason is missing (base/web.yaml); write the reason as the value\n',
  );
});

test('an overlay that is not built is an error, and the others are listed', () => {
  writeTree(dir, {
    ...PACKAGE,
    'base/web.yaml': deployment('web', 'volumes: x'),
    'overlays/prod/kustomization.yaml': on('https://example.com/base.yaml'),
  });
  const { status, stdout } = guardrails('exemptions');
  expect(status).toBe(1);
  const [error, , row] = cells(stdout).split('\n');
  expect(error).toMatch(/^\[error\] overlays\/prod: overlays\/prod\/kustomization\.yaml: resources names /);
  expect(row).toBe('volumes | Deployment/web | overlays/dev | x | - | base/web.yaml');
});

test('a folder without kustomizations: its annotations, and a warning about the file', () => {
  writeTree(dir, {
    'web.yaml': deployment('web', 'volumes: x'),
    'guardrails.yaml': GUARDRAILS,
    'guardrails-exemptions.yaml': list('rule: volumes, resource: Deployment/web, reason: y'),
  });
  const { status, stdout } = guardrails('exemptions');
  expect(status).toBe(0);
  expect(cells(stdout).split('\n')).toEqual([
    '[warning] GuardrailsExemptions/exemptions has no effect, because the input is a stream, without kustomizations (guardrails-exemptions.yaml); write the annotation exempt.todo.example.com/<rule>, or set spec.rules in the functionConfig',
    'RULE | RESOURCE | OVERLAYS | REASON | UNTIL | WRITTEN IN',
    'volumes | Deployment/web | - | x | - | web.yaml',
    '',
  ]);
});

test('an invalid file is a configuration error', () => {
  writeTree(dir, { ...PACKAGE, 'guardrails-exemptions.yaml': list('rule: volumes, reason: x') });
  expect(guardrails('exemptions')).toEqual({
    status: 3,
    stdout: '',
    stderr: 'guardrails-exemptions.yaml:9: spec.exemptions[0].resource is missing\n',
  });
});

test('the value of a Secret and control characters do not reach the terminal', () => {
  writeTree(dir, {
    ...PACKAGE,
    'base/secret.yaml':
      'apiVersion: v1\nkind: Secret\nmetadata:\n  name: login\nstringData:\n  key: canary-55d1\n',
    'base/kustomization.yaml': on('web.yaml', 'secret.yaml'),
    'guardrails-exemptions.yaml': list(
      'rule: volumes, resource: Deployment/web, reason: "see canary-55d1 \\e[31m"',
    ),
  });
  const { stdout } = guardrails('exemptions');
  expect(cells(stdout).split('\n')[1]).toBe(
    'volumes | Deployment/web | overlays/dev, overlays/prod | see *** \\u{1b}[31m | - | guardrails-exemptions.yaml:9',
  );
});

describe('check, fix, build and render apply the file', () => {
  const OPEN = list(
    `rule: ${ROOT}, resource: Deployment/web, container: app, reason: ticket 42, until: ${day(200)}`,
  );

  test('the fix is stopped for its container alone, and the builds have no error', () => {
    writeTree(dir, { ...PACKAGE, 'guardrails-exemptions.yaml': OPEN });
    expect(guardrails('fix')).toMatchObject({ status: 0, stderr: '' });
    const [app, side] = (readTree(dir)['base/web.yaml'] ?? '').split('- name: side\n');
    expect(app).not.toContain('readOnlyRootFilesystem');
    expect(side).toContain('readOnlyRootFilesystem: true');
    for (const command of ['check', 'build', 'render']) {
      const { status, stdout } = guardrails(command);
      expect(status).toBe(0);
      expect(stdout).toContain(`; exempt: ticket 42, until ${day(200)}\n`);
    }
    editFile(dir, 'guardrails-exemptions.yaml', 'container: app', 'container: side');
    expect(guardrails('build').status).toBe(1);
  });

  test('without it, the fix is made', () => {
    writeTree(dir, PACKAGE);
    expect(guardrails('fix')).toMatchObject({ status: 0 });
    expect(readTree(dir)['base/web.yaml']?.match(/readOnlyRootFilesystem: true/g)).toHaveLength(2);
  });

  describeWithTool('kpt', 'and so does kpt fn render', (kpt) => {
    test('with the same result', () => {
      const kptfile = `apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: shop\npipeline:\n  mutators:\n    - exec: ${process.execPath} ${bundle().guardrails}\n      configPath: guardrails.yaml\n`;
      const [forKpt, forNpm] = ['kpt', 'npm'].map((name) => path.join(dir, name)) as [string, string];
      for (const copy of [forKpt, forNpm]) {
        mkdirSync(copy);
        writeTree(copy, { ...PACKAGE, Kptfile: kptfile, 'guardrails-exemptions.yaml': OPEN });
      }
      const args = ['fn', 'render', '--allow-exec', '--truncate-output=false'];
      const { status, stdout, stderr } = spawnSync(kpt, args, { cwd: forKpt, encoding: 'utf8' });
      expect({ status, output: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, output: '' });
      expect(guardrails('fix', forNpm)).toMatchObject({ status: 0 });
      const web = readTree(forKpt)['base/web.yaml'] ?? '';
      expect(web.match(/readOnlyRootFilesystem: true/g)).toHaveLength(1);
      expect(web).toBe(readTree(forNpm)['base/web.yaml']);
    });
  });
});
