import { newItem } from '../../functions/guardrails/krm/item';
import { parse, parseAllDocuments } from 'yaml';
import { readItem } from '../../functions/guardrails/krm/item';
import { redactor } from '../../functions/guardrails/findings/redact';
import { run } from '../../functions/guardrails/run';
import { findKustomizeForTests } from '../support/tools';

const CANARY = 'canary-7d1';
const BASE64 = Buffer.from(CANARY).toString('base64');
const HEAD = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n';
const SECRET = `${HEAD}stringData:\n  k: ${CANARY}\n`;
const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const OVERLAY = 'overlays/prod/kustomization.yaml';
const CONFIG = 'functionConfig:\n  apiVersion: todo.example.com/v1alpha1\n  kind: Guardrails\n';

/** A text, redacted by the redactor for these documents of base/a.yaml and the files that secretGenerators read. */
function redact(documents: string | readonly string[], text: string, inputs: readonly string[] = []): string {
  const items = [documents]
    .flat()
    .map((document, index) =>
      readItem(document, 'w', { start: 0, end: document.length, column: 0 }, { path: 'base/a.yaml', index }),
    );
  return redactor(
    items.filter((item) => item !== undefined),
    { inputs: inputs.map((input) => Buffer.from(input)), patches: [], documents: [] },
  )(text);
}

function indent(text: string, columns: number): string {
  return text.trimEnd().replace(/^(?=.)/gm, ' '.repeat(columns)) + '\n';
}

/** A ResourceList as kpt sends it; adds the path annotation to metadata that exist. */
function resourceList(files: Record<string, string>, functionConfig = ''): string {
  const items = Object.entries(files).map(([file, text]) => {
    const annotation = `internal.config.kubernetes.io/path: '${file}'`;
    const annotated = text.includes('\nmetadata:\n  annotations:\n')
      ? text.replace('\n  annotations:\n', `\n  annotations:\n    ${annotation}\n`)
      : text.includes('\nmetadata:\n')
        ? text.replace('\nmetadata:\n', `\nmetadata:\n  annotations:\n    ${annotation}\n`)
        : `metadata:\n  annotations:\n    ${annotation}\n${text}`;
    return `- ${annotated.trimEnd().replace(/\n(?=.)/g, '\n  ')}\n`;
  });
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}${functionConfig}`;
}

async function outcome(text: string) {
  const { exitCode, stdout, stderr } = await run(Buffer.from(text), () =>
    Promise.resolve(findKustomizeForTests()),
  );
  const list = stdout === '' ? undefined : (parse(stdout) as { results?: { message: string }[] });
  return {
    exitCode,
    stderr,
    results: JSON.stringify(list?.results ?? []),
    said: `${stderr}${JSON.stringify(list?.results ?? [])}`,
  };
}

describe('redactor', () => {
  it.each<[string, string | string[], string]>([
    ['stringData', SECRET, CANARY],
    ['data', `${HEAD}data:\n  k: ${BASE64}\n`, BASE64],
    ['data, decoded', `${HEAD}data:\n  k: ${BASE64}\n`, CANARY],
    ['data, in quotes', `${HEAD}data:\n  k: "${BASE64}"\n`, CANARY],
    [
      'data, wrapped, decoded',
      `${HEAD}data:\n  k: |\n    ${BASE64.slice(0, 8)}\n    ${BASE64.slice(8)}\n`,
      CANARY,
    ],
    ['a Secret in flow', `{kind: Secret, stringData: {k: ${CANARY}}}`, CANARY],
    ['a Secret with quoted keys', `"kind": "Secret"\n"stringData": {"k": "${CANARY}"}\n`, CANARY],
    ['a number', `${HEAD}stringData:\n  k: 12345678\n`, '12345678'],
    ['a number as it is written', `${HEAD}stringData:\n  k: 01234567\n`, '01234567'],
    ['a value from an alias', `${HEAD}x: &x ${CANARY}\nstringData:\n  k: *x\n`, CANARY],
    ['a value from a merge', `${HEAD}x: &x {k: ${CANARY}}\nstringData:\n  <<: *x\n`, CANARY],
    ['stringData from a merge', `${HEAD}<<: {stringData: {k: ${CANARY}}}\n`, CANARY],
    ['stringData from a list of merges', `${HEAD}<<: [{x: 1}, {stringData: {k: ${CANARY}}}]\n`, CANARY],
    ['stringData from a merge in a merge', `${HEAD}<<: {<<: {stringData: {k: ${CANARY}}}}\n`, CANARY],
    ['a kind from a merge', `<<: {kind: Secret}\nstringData: {k: ${CANARY}}\n`, CANARY],
    [
      'literals from a merge',
      `x: &x {literals: [k=${CANARY}]}\nsecretGenerator:\n- {name: g, <<: *x}\n`,
      CANARY,
    ],
    ['stringData that is not a mapping', `${HEAD}stringData: ${CANARY}\n`, CANARY],
    ['data that is a list', `${HEAD}data: [${CANARY}]\n`, CANARY],
    ['a value that is a list', `${HEAD}stringData: {k: [${CANARY}]}\n`, CANARY],
    ['a List', `apiVersion: v1\nkind: List\nitems:\n- ${indent(SECRET, 2).trimStart()}`, CANARY],
    [
      'a SecretList',
      `apiVersion: v1\nkind: SecretList\nitems:\n- {metadata: {name: s}, stringData: {k: ${CANARY}}}\n`,
      CANARY,
    ],
    ['literals', `secretGenerator:\n- name: g\n  literals:\n  - k=${CANARY}\n`, CANARY],
    ['literals, encoded', `secretGenerator:\n- name: g\n  literals:\n  - k=${CANARY}\n`, BASE64],
    [
      'literals in quotes of their own',
      `secretGenerator:\n- name: g\n  literals:\n  - k="${CANARY}"\n`,
      CANARY,
    ],
    [
      'literals with two signs',
      `secretGenerator:\n- name: g\n  literals:\n  - k=${CANARY}=x\n`,
      `${CANARY}=x`,
    ],
    ['a literal without a key', `secretGenerator:\n- name: g\n  literals: ["${CANARY}"]\n`, CANARY],
    [
      'a generator as a plugin',
      `apiVersion: builtin\nkind: SecretGenerator\nmetadata: {name: g}\nliterals: [k=${CANARY}]\n`,
      CANARY,
    ],
    ['an inline patch', `patches:\n- patch: |-\n${indent(SECRET, 4)}`, CANARY],
    [
      'an inline patch in one line',
      `patches:\n- patch: '{kind: Secret, metadata: {name: s}, stringData: {k: ${CANARY}}}'\n`,
      CANARY,
    ],
    ['an inline patch in the deprecated field', `patchesStrategicMerge:\n- |-\n${indent(SECRET, 2)}`, CANARY],
    [
      'a JSON 6902 patch',
      `patches:\n- target: {kind: Secret}\n  patch: |-\n    - op: add\n      path: /data/k\n      value: ${CANARY}\n`,
      CANARY,
    ],
    [
      'a JSON 6902 patch in JSON',
      `patches:\n- target: {kind: Secret}\n  patch: '[{"op": "add", "path": "/data/k", "value": "${CANARY}"}]'\n`,
      CANARY,
    ],
    [
      'a JSON 6902 patch in the deprecated field',
      `patchesJson6902:\n- target: {version: v1, kind: Secret, name: s}\n  patch: |-\n    - op: add\n      path: /data/k\n      value: ${CANARY}\n`,
      CANARY,
    ],
    [
      'a JSON 6902 patch of all data',
      `patches:\n- target: {kind: Secret}\n  patch: |-\n    - op: add\n      path: /data\n      value: {k: ${CANARY}}\n`,
      CANARY,
    ],
    [
      'a JSON 6902 patch whose target is a name',
      `patches:\n- target: {name: s}\n  patch: |-\n    - op: add\n      path: /stringData/k\n      value: ${CANARY}\n`,
      CANARY,
    ],
    [
      'a JSON 6902 patch whose target is an expression',
      `patches:\n- target: {kind: Sec.*}\n  patch: |-\n    - op: add\n      path: /stringData/k\n      value: ${CANARY}\n`,
      CANARY,
    ],
    [
      'what kubectl applied last',
      `apiVersion: v1\nkind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {"kind":"Secret","stringData":{"k":"${CANARY}"}}\n`,
      CANARY,
    ],
    [
      'what kubectl applied last, in quotes',
      `apiVersion: v1\nkind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: '{"kind":"Secret","stringData":{"k":"${CANARY}"}}'\n`,
      CANARY,
    ],
    [
      'what kubectl applied last, decoded',
      `apiVersion: v1\nkind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {"kind":"Secret","data":{"k":"${BASE64}"}}\n`,
      CANARY,
    ],
    ['the second of two documents', ['kind: A\n', SECRET], CANARY],
  ])('redacts %s', (_, documents, secret) => {
    expect(redact(documents, `before ${secret} and "${secret}" after`)).not.toContain(secret);
  });

  it.each([
    ['an expression', '.*+?^${}()|[]\\d'],
    ['signs of a replacement', "$&$1$$$`$'"],
    ['an expression that would match all', '.+.+'],
    ['spaces', 'two words here'],
    ['unicode', 'pässwörd-日本-😀'],
  ])('a value that is %s', (_, secret) => {
    const document = `${HEAD}stringData:\n  k: ${JSON.stringify(secret)}\n`;
    expect(redact(document, `a ${secret} b ${secret}\nc`)).toBe('a *** b ***\nc');
    expect(redact(document, 'nothing of it')).toBe('nothing of it');
  });

  // kustomize quotes as Go's %q does.
  it.each([
    ['quotes', 'cana"ry-7d1'],
    ['backslashes', 'cana\\ry-7d1'],
    ['tabs', 'canary\t7d1'],
  ])('a value with %s, in quotes', (_, secret) => {
    const document = `${HEAD}stringData:\n  k: ${JSON.stringify(secret)}\n`;
    expect(redact(document, `patch: ${JSON.stringify(`k: ${secret}\n`)}`)).not.toMatch(/7d1/);
  });

  it('a value of several lines: as it is, line by line, and in quotes', () => {
    const document = `${HEAD}stringData:\n  k: |\n    canary-one\n    canary-two\n`;
    for (const text of [
      'canary-one\ncanary-two\n',
      'x: canary-two',
      '  canary-one\n  canary-two\n',
      '"canary-one\\ncanary-two\\n"',
    ])
      expect(redact(document, text)).not.toContain('canary');
  });

  it('replaces the longer of two values first', () => {
    expect(redact(`${HEAD}stringData: {a: canary, b: canary-7d1}\n`, 'x canary-7d1 canary y')).toBe(
      'x *** *** y',
    );
  });

  it('does not redact other kinds, names, short values and blanks', () => {
    const documents = [
      'kind: ConfigMap\ndata: {a: canary}\n',
      `${HEAD}type: Opaque\nstringData: {a: x, b: "    ", c: abc}\n`,
      'configMapGenerator: [{name: g, literals: [a=canary]}]\n',
    ];
    const text = 'Secret/s canary Opaque x abc:    no value';
    expect(redact(documents, text)).toBe(text);
  });

  const LITERAL = (value: string) => `secretGenerator: [{name: g, literals: ['k=${value}']}]\n`;

  it.each([
    ['hunter2', '***'],
    ['the value is hunter2', 'the value is ***'],
    ['k: "hunter2"', 'k: "***"'],
    ["k: 'hunter2'", "k: '***'"],
    ['k=hunter2,l=hunter2', 'k=***,l=***'],
    ['[hunter2] (hunter2) {hunter2}', '[***] (***) {***}'],
    ['k: hunter2\nl: hunter2', 'k: ***\nl: ***'],
    ['"{\\"k\\": \\"hunter2\\"}\\nhunter2\\n"', '"{\\"k\\": \\"***\\"}\\n***\\n"'],
    ['hunter23', 'hunter23'],
    ['my-hunter2', 'my-hunter2'],
    ['ghcr.io/acme/hunter2-api:v1', 'ghcr.io/acme/hunter2-api:v1'],
    ['a/hunter2/b', 'a/hunter2/b'],
  ])('redacts a value of 7 characters only as a complete token: %s', (text, redacted) => {
    expect(redact(LITERAL('hunter2'), text)).toBe(redacted);
  });

  it('redacts a value of 8 characters anywhere', () => {
    expect(redact(LITERAL('hunter22'), 'a/hunter22-api:v1 xhunter22x')).toBe('a/***-api:v1 x***x');
  });

  it('redacts a value of 4 characters, and none of 3', () => {
    expect(redact(`${HEAD}stringData: {a: abcd, b: xyz}\n`, 'abcd xyz')).toBe('*** xyz');
  });

  it('redacts the lines of a file that a secretGenerator reads, and their values', () => {
    const inputs = ['PORT=8080\r\nPASSWORD=canary-7d1\r\n', 'token-of-the-file'];
    expect(redact([], 'PASSWORD=canary-7d1', inputs)).toBe('***');
    expect(redact([], 'x canary-7d1x token-of-the-file', inputs)).toBe('x ***x ***');
    expect(redact([], 'port 8080 of 18080', inputs)).toBe('port *** of 18080');
  });

  it.each<[string, string | string[], string]>([
    ['a name', 'metadata: {name: production-db}\n', 'production-db'],
    ['a namespace', 'metadata: {namespace: production-db}\n', 'production-db'],
    ['a kind', 'kind: ProductionDatabase\n', 'ProductionDatabase'],
    ['the name of a container', 'spec: {containers: [{name: production-db}]}\n', 'production-db'],
    ['a segment of an image', 'image: registry.example.com/production-db:v1\n', 'production-db'],
    ['the registry of an image', 'image: registry:5000/production-db:v1@sha256:0\n', 'registry:5000'],
    ['an image without a tag', 'image: production-db@sha256:0\n', 'production-db'],
    ['a folder', 'kind: A\n', 'base'],
    ['a file', 'kind: A\n', 'a.yaml'],
  ])('does not redact a value that is also %s', (_, document, name) => {
    expect(redact([`${HEAD}stringData: {k: '${name}'}\n`, document].flat(), `x ${name} y`)).toBe(
      `x ${name} y`,
    );
  });

  it.each([
    ['of the Secret', `${HEAD}stringData: {k: s-canary, name: s-canary}\n`],
    [
      'in a SecretList',
      `kind: SecretList\nitems: [{metadata: {name: s-canary}, stringData: {k: s-canary}}]\n`,
    ],
    ['of another field', `${HEAD}stringData: {k: s-canary}\n---\nkind: ConfigMap\ndata: {k: s-canary}\n`],
  ])('redacts a value that is also a name only %s', (_, documents) => {
    expect(redact(documents.split('---\n'), 'x s-canary y')).toBe('x *** y');
  });

  // Once the repository of the image and the folder were redacted.
  it('does not redact an image and a path whose segments are values too', () => {
    const documents = [
      `${HEAD}stringData: {user: shop, base: base}\n`,
      'kind: Deployment\nmetadata: {name: shop}\n',
      'images: [{name: registry.example.com/shop, newTag: latest}]\n',
    ];
    const text = 'Deployment/shop runs registry.example.com/shop:latest (base/d.yaml:10), shop, base';
    expect(redact(documents, text)).toBe(text);
  });

  it('parses only items that may mention Secrets, and only when it redacts', () => {
    const unreadable = (text: string) => newItem(text, { kind: 'ConfigMap' }, 'a.yaml', 0);
    expect(redactor([unreadable('{')])('x')).toBe('x');
    const mentions = redactor([unreadable('{secret')]);
    expect(() => mentions('x')).toThrow('YAML');
  });
});

describe('no output except the items contains a value of a Secret', () => {
  const overlay = (rest: string) => ({ [OVERLAY]: `${KUSTOMIZATION}${rest}` });
  const withSecret = (secret: string, rest = '') => ({
    'overlays/prod/secret.yaml': secret,
    ...overlay(`resources: [secret.yaml]\n${rest}`),
  });
  const ALLOW = `${CONFIG}  spec: {environments: {overlays/prod: {allow: [plain-secret]}}}\n`;

  const sources: [string, Record<string, string>][] = [
    ['stringData', withSecret(SECRET)],
    ['data', withSecret(`${HEAD}data:\n  k: ${BASE64}\n`)],
    [
      'a value of several lines',
      withSecret(`${HEAD}stringData:\n  k: |\n    ${CANARY}\n    second ${CANARY}\n`),
    ],
    ['an expression', withSecret(`${HEAD}stringData:\n  k: '${CANARY}.*+?^\${}()|[]\\$&'\n`)],
    ['literals', overlay(`secretGenerator:\n- name: g\n  literals:\n  - k=${CANARY}\n`)],
    ['an inline patch', withSecret(HEAD, `patches:\n- patch: |-\n${indent(SECRET, 4)}`)],
    [
      'an inline JSON 6902 patch',
      withSecret(
        HEAD,
        `patches:\n- target: {kind: Secret}\n  patch: |-\n    - {op: add, path: /stringData, value: {k: ${CANARY}}}\n`,
      ),
    ],
    [
      'a patch file',
      {
        ...withSecret(HEAD, 'patches: [{path: secret.patch.yaml}]\n'),
        'overlays/prod/secret.patch.yaml': SECRET,
      },
    ],
    [
      'what kubectl applied last',
      withSecret(
        `apiVersion: v1\nkind: Secret\nmetadata:\n  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      {"kind":"Secret","stringData":{"k":"${CANARY}"}}\n  name: s\n`,
      ),
    ],
  ];

  describe.each(sources)('%s', (_, files) => {
    it.each([
      ['a clean run', ALLOW, '', 0],
      ['a finding', '', '', 1],
      ['a failure of kustomize', '', 'patches:\n- {target: {kind: Nothing}, path: nothing.yaml}\n', 1],
      ['an unknown field', '', `nonsense: ${CANARY}\n`, 1],
      ['a bad configuration', `${CONFIG}  spec: {nonsense: 1}\n`, '', 3],
      ['a configuration for another overlay', `${CONFIG}  spec: {environments: {overlays/x: {}}}\n`, '', 3],
    ])('%s', async (_, config, more, exitCode) => {
      const kustomization = files[OVERLAY] ?? '';
      const spoilt = kustomization.includes('\npatches:') ? more.replace('patches:\n', '') : more;
      const text =
        spoilt === more
          ? kustomization + more
          : kustomization.replace('\npatches:', `\nbases: [../nothing]\npatches:`);
      const result = await outcome(resourceList({ ...files, [OVERLAY]: text }, config));
      expect(result).toMatchObject({ exitCode });
      expect(result.said).not.toMatch(/canary|7d1/);
      expect(result.said).not.toContain(BASE64);
    });
  });

  // Each of these is quoted by kustomize 5.5, in full or in part.
  it.each<[string, Record<string, string>]>([
    [
      'a patch with an unknown shape',
      withSecret(
        HEAD,
        `patches:\n- patch: |-\n    kind: Secret\n    metadata: {nam: s}\n    stringData: {k: ${CANARY}}\n`,
      ),
    ],
    [
      'a patch that is not YAML',
      withSecret(
        HEAD,
        `patches:\n- patch: |-\n    kind: Secret\n    metadata: {name: s}\n    stringData:\n      k: "${CANARY}\n`,
      ),
    ],
    [
      'a patch in one line',
      withSecret(
        HEAD,
        `patches:\n- patch: '{kind: Secret, metadata: {nam: s}, stringData: {k: ${CANARY}}}'\n`,
      ),
    ],
    [
      'a JSON 6902 patch that is not YAML',
      withSecret(
        HEAD,
        `patches:\n- target: {kind: Secret}\n  patch: |-\n    - op: add\n      path: /data/k\n      value: "${CANARY}\n`,
      ),
    ],
    [
      'a JSON 6902 patch that is not JSON',
      withSecret(
        HEAD,
        `patches:\n- target: {kind: Secret}\n  patch: '[{"op":"add","path":"/data/k","value":"${CANARY}"},]x'\n`,
      ),
    ],
    [
      'a JSON 6902 patch for a name that is not JSON',
      withSecret(
        HEAD,
        `patches:\n- target: {name: s}\n  patch: '[{"op":"add","path":"/data/k","value":"${CANARY}"},]x'\n`,
      ),
    ],
    [
      'a value with quotes in a bad patch',
      withSecret(
        HEAD,
        `patches:\n- patch: |-\n    kind: Secret\n    metadata: {nam: s}\n    stringData: {k: 'p"${CANARY}'}\n`,
      ),
    ],
    [
      'a value of several lines in a bad patch',
      withSecret(
        HEAD,
        `patches:\n- patch: |-\n    kind: Secret\n    metadata: {nam: s}\n    stringData:\n      k: |\n        ${CANARY}\n        ${CANARY}\n`,
      ),
    ],
    [
      'an expression in a bad patch',
      withSecret(
        HEAD,
        `patches:\n- patch: |-\n    kind: Secret\n    metadata: {nam: s}\n    stringData: {k: '.*\\d+(${CANARY})[$&]'}\n`,
      ),
    ],
    [
      'a patch in the deprecated field',
      withSecret(
        HEAD,
        `patchesStrategicMerge:\n- |-\n  apiVersion: v1\n  kind: Secret\n  metadata: {name: ${CANARY}}\n  stringData: {k: ${CANARY}}\n`,
      ),
    ],
    ['a literal without a key', overlay(`secretGenerator:\n- name: g\n  literals: [${CANARY}]\n`)],
    [
      'a literal without a key in a plugin',
      {
        ...overlay('generators: [g.yaml]\n'),
        'overlays/prod/g.yaml': `apiVersion: builtin\nkind: SecretGenerator\nmetadata:\n  name: g\nliterals: [${CANARY}]\n`,
      },
    ],
    [
      'stringData that is a text, in a patch',
      withSecret(
        `${HEAD}stringData: {k: x}\n`,
        `patches:\n- patch: |-\n${indent(`${HEAD}stringData: ${CANARY}\n`, 4)}`,
      ),
    ],
    [
      'a replacement that goes too deep',
      withSecret(
        SECRET,
        'replacements:\n- source: {kind: Secret, fieldPath: stringData.k.z}\n  targets: [{select: {kind: Secret}, fieldPaths: [metadata.name]}]\n',
      ),
    ],
    [
      'a replacement that goes too deep into a generated Secret',
      overlay(
        `secretGenerator:\n- name: g\n  literals: [k=${CANARY}]\n` +
          'replacements:\n- source: {kind: Secret, fieldPath: data.k.z}\n  targets: [{select: {kind: Secret}, fieldPaths: [metadata.name]}]\n',
      ),
    ],
    [
      'a replacement that goes too deep into a number',
      withSecret(
        `${HEAD}stringData:\n  k: 01234567\n`,
        'replacements:\n- source: {kind: Secret, fieldPath: stringData.k.z}\n  targets: [{select: {kind: Secret}, fieldPaths: [metadata.name]}]\n',
      ),
    ],
    [
      'a replacement that splits',
      withSecret(
        SECRET,
        'replacements:\n- source: {kind: Secret, fieldPath: stringData.k, options: {delimiter: "-", index: 9}}\n  targets: [{select: {kind: Secret}, fieldPaths: [metadata.name]}]\n',
      ),
    ],
  ])('kustomize refuses %s', async (_, files) => {
    const { exitCode, stderr } = await outcome(resourceList(files));
    expect(exitCode).toBe(1);
    expect(stderr).toContain('overlays/prod: kustomize failed');
    expect(stderr).not.toMatch(/canary|7d1|01234567/);
    expect(stderr).not.toContain(BASE64);
  });

  it('a replacement that puts a value of a Secret into an image', async () => {
    const pod =
      'apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containers:\n  - name: c\n    image: a:v1\n';
    const kustomization = `${KUSTOMIZATION}resources: [secret.yaml, pod.yaml]
replacements:
- source: {kind: Secret, fieldPath: stringData.k}
  targets: [{select: {kind: Pod}, fieldPaths: [spec.containers.0.image]}]
`;
    const both = { ...withSecret(SECRET), 'overlays/prod/pod.yaml': pod, [OVERLAY]: kustomization };
    const { exitCode, said } = await outcome(resourceList(both));
    expect(exitCode).toBe(1);
    expect(said).not.toMatch(/canary|7d1/);
  });

  it.each([
    ['quotes that do not end', `  k: "${CANARY}\n`],
    ['a list that does not end', `  k: [${CANARY}\n`],
    ['a colon', `  k: ${CANARY}: x\n`],
    ['a wrong escape', `  k: "${CANARY}\\q"\n`],
    ['an alias', `  k: *${CANARY}\n`],
    ['a tag with a handle', `  k: !${CANARY}!x\n`],
    ['a verbatim tag', `  k: !<${CANARY} x>\n`],
    ['a wrong tag', `  k: !${CANARY}"\n`],
    ['a key in itself', `  <<: ${CANARY}\n`],
    ['an indentation that is too small', ` k: ${CANARY}\n  l: ${CANARY}\n`],
    ['a control character', `  k: "${CANARY}\x01"\n`],
    ['a line break that only some readers recognize', `  k: ${CANARY}\u2028\n  # \u2028\n`],
  ])('a Secret that is not YAML: %s', async (_, lines) => {
    const secret = `${HEAD}stringData:\n${lines}`;
    for (const text of [secret, resourceList(withSecret(secret)), JSON.stringify(secret)]) {
      const { exitCode, said } = await outcome(text);
      expect(exitCode).toBe(2);
      expect(said).not.toMatch(/canary|7d1/);
    }
  });

  it.each([
    ['a finding', SECRET, 1],
    ['a finding in data', `${HEAD}data:\n  k: ${BASE64}\n`, 1],
    ['data that is not a mapping', `${HEAD}data: ${CANARY}\n`, 1],
    ['a document that is not a resource', `${SECRET}---\n${CANARY}\n`, 2],
    ['no kind', `apiVersion: v1\nstringData: {k: ${CANARY}}\n`, 2],
  ])('a stream: %s', async (_, text, exitCode) => {
    const result = await outcome(text);
    expect(result).toMatchObject({ exitCode });
    expect(result.said).not.toMatch(/canary|7d1/);
    expect(result.said).not.toContain(BASE64);
  });

  it('a Secret for a configuration', async () => {
    const config = `functionConfig:\n${indent(SECRET, 2)}`;
    const { exitCode, said } = await outcome(resourceList(withSecret(SECRET), config));
    expect(exitCode).toBe(3);
    expect(said).not.toMatch(/canary|7d1/);
  });

  it('the items are returned with their values', async () => {
    const input = resourceList(withSecret(SECRET));
    const { stdout } = await run(Buffer.from(input), () => Promise.resolve(findKustomizeForTests()));
    expect(stdout.startsWith(input)).toBe(true);
    expect(parseAllDocuments(stdout)).toHaveLength(1);
  });
});
