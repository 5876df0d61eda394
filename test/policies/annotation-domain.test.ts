import { spawnSync } from 'node:child_process';
import { run } from '../../functions/guardrails/run';
import { useBundle } from '../support/bundle';
import { type PackageFiles, resourceList } from '../support/package-files';
import { findKustomizeForTests } from '../support/tools';
import { editFile, readTree, useFolder, writeTree } from '../support/tree';

const DEFAULT = 'todo.example.com';
const OWN = 'guardrails.acme.io';
const OTHER = 'policy.acme.io';
const POLICIES = 'base/network-policies.yaml';

const bundle = useBundle();
const folder = useFolder('annotation-domain-');

const DEPLOYMENT = (name: string, annotations = '') => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
${annotations}spec:
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: ${name}
          image: registry.example.com/${name}:v1
          securityContext:
            runAsUser: 1000
`;
const SERVICE =
  'apiVersion: v1\nkind: Service\nmetadata:\n  name: api\nspec:\n  selector:\n    app: api\n  ports:\n    - port: 80\n      targetPort: 8080\n';
const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n';
const POLICY = (name: string, labels: string) =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n  name: ${name}\n${labels}spec:\n  podSelector:\n    matchLabels:\n      app: api\n  policyTypes: [Ingress]\n`;
const CONFIG = (domain: string) =>
  `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\nspec:\n  annotationDomain: ${domain}\n`;

/** Web connects to api and to the internet, writes to a cache, and keeps its capabilities. */
const WEB = (domain: string) =>
  DEPLOYMENT(
    'web',
    `  annotations:
    ${domain}/connects-to: api:80
    ${domain}/internet-egress: '443'
    ${domain}/writable-paths: /app/cache=8Mi
    exempt.${domain}/capabilities: legacy image
`,
  );
const PACKAGE = (domain: string): PackageFiles => ({
  'base/api.yaml': DEPLOYMENT('api'),
  'base/guardrails.yaml': CONFIG(domain),
  'base/kustomization.yaml': 'resources:\n  - api.yaml\n  - namespace.yaml\n  - service.yaml\n  - web.yaml\n',
  'base/namespace.yaml': NAMESPACE,
  'base/service.yaml': SERVICE,
  'base/web.yaml': WEB(domain),
  'overlays/prod/kustomization.yaml': 'namespace: shop\nresources:\n  - ../../base\n',
});
const NAMES = ['default-deny', 'api', 'web'];

function guardrails(...args: readonly string[]) {
  const options = { cwd: folder(), encoding: 'utf8' as const };
  const { status, stdout, stderr } = spawnSync(process.execPath, [bundle().cli, ...args], options);
  return { status, stderr, lines: stdout.split('\n') };
}

const files = () => readTree(folder());
const errors = (lines: readonly string[]) => lines.filter((line) => line.trim().startsWith('[error]'));

/** Name and labels of every policy in a file of policies. */
function labelled(text = ''): [name: string, labels: string[]][] {
  return text.split('---\n').map((document) => {
    const [, name = ''] = /^ {2}name: (.*)$/m.exec(document) ?? [];
    const [, labels = ''] = /^ {2}labels:\n((?: {4}.*\n)*)/m.exec(document) ?? [];
    return [name, labels.split('\n').flatMap((line) => (line === '' ? [] : [line.trim()]))];
  });
}

/** A package that was fixed with a domain. */
function fixedPackage(domain: string): void {
  writeTree(folder(), PACKAGE(domain));
  expect(guardrails('fix')).toMatchObject({ status: 0, stderr: '' });
}

/** As an author changes the domain: in the configuration and in all annotations. */
function move(from: string, to: string): void {
  editFile(folder(), 'base/guardrails.yaml', `annotationDomain: ${from}`, `annotationDomain: ${to}`);
  const web = files()['base/web.yaml'] ?? '';
  writeTree(folder(), { 'base/web.yaml': web.replaceAll(from, to) });
}

describe('with a domain of its own', () => {
  test('a package is fixed with the annotations, the exemption and the label of that domain', () => {
    writeTree(folder(), PACKAGE(OWN));
    const { status, lines } = guardrails('fix');
    expect({ status, errors: errors(lines) }).toEqual({ status: 0, errors: [] });
    expect(lines).toContain(
      '  [info] overlays/prod: Deployment/web container "web" does not drop all capabilities (base/web.yaml:22); exempt: legacy image',
    );
    const { 'base/web.yaml': web = '', [POLICIES]: policies } = files();
    expect(web).toContain('            - name: guardrails-app-cache\n              mountPath: /app/cache\n');
    expect(web).toContain(
      '        - name: guardrails-app-cache\n          emptyDir:\n            sizeLimit: 8Mi\n',
    );
    expect(web).not.toContain('capabilities:\n');
    expect(labelled(policies)).toEqual(
      NAMES.map((name) => [name, ['guardrails.acme.io/generated-by: guardrails']]),
    );
    const check = guardrails('check');
    expect(check).toMatchObject({ status: 0 });
    expect(check.lines.at(-2)).toBe('no file would change; nothing was written');
  });

  test('a package that kpt sends gets the same bytes', async () => {
    fixedPackage(OWN);
    const input = resourceList(files());
    const { exitCode, stdout } = await run(Buffer.from(input), () =>
      Promise.resolve(findKustomizeForTests()),
    );
    expect(exitCode).toBe(0);
    expect(stdout.slice(0, stdout.indexOf('\nresults:'))).toBe(input.trimEnd());
  });

  test('the default written out changes nothing', () => {
    fixedPackage(DEFAULT);
    const before = files();
    editFile(folder(), 'base/guardrails.yaml', `spec:\n  annotationDomain: ${DEFAULT}\n`, 'spec: {}\n');
    const { status, lines } = guardrails('check');
    expect({ status, last: lines.at(-2) }).toEqual({
      status: 0,
      last: 'no file would change; nothing was written',
    });
    expect(labelled(before[POLICIES])).toEqual(
      NAMES.map((name) => [name, ['todo.example.com/generated-by: guardrails']]),
    );
  });
});

describe.each([
  ['the default', DEFAULT, 'one of its own', OWN],
  ['one of its own', OWN, 'the default', DEFAULT],
  ['one of its own', OWN, 'another', OTHER],
])('the domain changes from %s (%s) to %s (%s)', (_from, from, _to, to) => {
  test('fix replaces the label of the generated policies, and nothing else', () => {
    fixedPackage(from);
    move(from, to);
    const before = files();
    const check = guardrails('check');
    expect({ status: check.status, errors: errors(check.lines) }).toEqual({ status: 1, errors: [] });
    expect(check.lines.slice(0, NAMES.length)).toEqual(
      NAMES.map((name) => `NetworkPolicy/${name} is updated (base/network-policies.yaml)`),
    );
    expect(check.lines.at(-2)).toBe('1 file would change; nothing was written');
    expect(files()).toEqual(before);

    expect(guardrails('fix')).toMatchObject({ status: 0, stderr: '' });
    const policies = before[POLICIES] ?? '';
    expect(labelled(policies)).toEqual(NAMES.map((name) => [name, [`${from}/generated-by: guardrails`]]));
    expect(files()).toEqual({ ...before, [POLICIES]: policies.replaceAll(from, to) });
    expect(guardrails('check')).toMatchObject({ status: 0 });
    expect(guardrails('fix').lines.at(-2)).toBe('0 files changed');
  });

  test('the package as it is stays valid until then', () => {
    fixedPackage(from);
    move(from, to);
    const { status, lines } = guardrails('build', '--output', '-');
    expect({ status, errors: errors(lines) }).toEqual({ status: 0, errors: [] });
    expect(lines.filter((line) => line.includes(`${from}/generated-by`))).toHaveLength(NAMES.length);
  });

  test('annotations that keep the former domain are errors, and nothing is written', () => {
    fixedPackage(from);
    editFile(folder(), 'base/guardrails.yaml', `annotationDomain: ${from}`, `annotationDomain: ${to}`);
    const before = files();
    const { status, lines } = guardrails('fix');
    expect(status).toBe(1);
    const error = (key: string, line: number, correct: string) =>
      `  [error] overlays/prod: Deployment/web annotation ${key} has no effect, because the annotation domain is ${to} (base/web.yaml:${line}); write ${correct}`;
    expect(errors(lines).sort()).toEqual(
      [
        // Its client is in the annotation that has no effect.
        `  [error] overlays/prod: Deployment/api is not isolated for ingress: Service/api has no client in this build (base/api.yaml:5); name its clients in ${to}/accepts-from, such as NAMESPACE/app=client:8080 or 10.0.0.0/8:8080, or none`,
        error(`${from}/connects-to`, 6, `${to}/connects-to`),
        error(`${from}/internet-egress`, 7, `${to}/internet-egress`),
        error(`${from}/writable-paths`, 8, `${to}/writable-paths`),
        error(`exempt.${from}/capabilities`, 9, `exempt.${to}/capabilities`),
      ].sort(),
    );
    expect(files()).toEqual(before);
  });
});

describe('which policies are generated', () => {
  test('one with two labels gets the one of the domain', () => {
    fixedPackage(OWN);
    const before = files();
    const label = `    ${OWN}/generated-by: guardrails\n`;
    editFile(folder(), POLICIES, label, `${label}    ${DEFAULT}/generated-by: guardrails\n`);
    const check = guardrails('check');
    expect(check.lines[0]).toBe('NetworkPolicy/default-deny is updated (base/network-policies.yaml)');
    expect(guardrails('fix')).toMatchObject({ status: 0 });
    expect(files()).toEqual(before);
  });

  test('a label of another name stays where a policy is up to date', () => {
    fixedPackage(OWN);
    const label = `    ${OWN}/generated-by: guardrails\n`;
    editFile(
      folder(),
      POLICIES,
      label,
      `    ${OWN}/team: guardrails\n    ${DEFAULT}/generated-by: another\n${label}`,
    );
    expect(guardrails('check')).toMatchObject({ status: 0 });
  });

  test('hand-written policies stay as they are, in the same file and in others', () => {
    fixedPackage(DEFAULT);
    const own = POLICY('own', '');
    const foreign = POLICY('foreign', '  labels:\n    app.openshift.io/generated-by: guardrails\n');
    writeTree(folder(), {
      [POLICIES]: `${own}---\n${files()[POLICIES] ?? ''}`,
      'base/foreign.yaml': foreign,
    });
    editFile(folder(), 'base/kustomization.yaml', '  - api.yaml\n', '  - api.yaml\n  - foreign.yaml\n');
    move(DEFAULT, OWN);
    const before = files();
    const { status, lines } = guardrails('fix');
    expect({ status, errors: errors(lines) }).toEqual({ status: 0, errors: [] });
    expect(files()).toEqual({ ...before, [POLICIES]: (before[POLICIES] ?? '').replaceAll(DEFAULT, OWN) });
    expect(labelled(files()[POLICIES])[0]).toEqual(['own', []]);
  });

  test.each([
    ['its domain', OWN],
    ['the former domain', DEFAULT],
  ])('a policy in another file with the label of %s is an error', (_, domain) => {
    fixedPackage(OWN);
    const copy = POLICY('copy', `  labels:\n    ${domain}/generated-by: guardrails\n`);
    writeTree(folder(), { 'base/copy.yaml': copy });
    editFile(folder(), 'base/kustomization.yaml', '  - api.yaml\n', '  - api.yaml\n  - copy.yaml\n');
    const { status, lines } = guardrails('check');
    expect(status).toBe(1);
    expect(errors(lines)).toEqual([
      `[error] NetworkPolicy/copy has the label ${domain}/generated-by in a file that the function does not write (base/copy.yaml); remove the label`,
    ]);
  });

  test("an overlay's patch that changes the label is an error that names it", () => {
    fixedPackage(OWN);
    editFile(
      folder(),
      'overlays/prod/kustomization.yaml',
      '  - ../../base\n',
      `  - ../../base\npatches:\n  - target: {kind: NetworkPolicy, name: default-deny}\n    patch: '[{"op": "remove", "path": "/metadata/labels/guardrails.acme.io~1generated-by"}]'\n`,
    );
    const { status, lines } = guardrails('check');
    expect(status).toBe(1);
    expect(errors(lines)).toEqual([
      '  [error] overlays/prod: NetworkPolicy/default-deny is generated, but this build changes its label guardrails.acme.io/generated-by (base/network-policies.yaml); remove the patch or the entry of labels that changes the label',
    ]);
  });
});
