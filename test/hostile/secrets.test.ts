import fc from 'fast-check';
import { existsSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { type HostileRun, KUSTOMIZATION, useHostileRun } from '../support/hostile-run';
import { type Tree, readTree } from '../support/tree';

const SEED = Number(process.env.GUARDRAILS_SEED ?? 20_261_127);
const RUNS = Number(process.env.HOSTILE_RUNS ?? 60);
/** Milliseconds for one run of the property, on a busy machine. */
const SLOWEST = 20_000;

const OVERLAY = 'overlays/prod';

/** A value of a Secret, and how YAML has it: as a value in a mapping that is indented by some columns. */
interface Secret {
  readonly value: string;
  readonly scalar: (column: number) => string;
}

type Form = (words: readonly string[]) => Secret;

/** In double quotes. */
const quoted = (value: string): Secret => ({ value, scalar: () => JSON.stringify(value) });
/** Without quotes. */
const plain = (value: string): Secret => ({ value, scalar: () => value });
/** In single quotes. */
const single = (value: string): Secret => ({ value, scalar: () => `'${value.replaceAll("'", "''")}'` });

const base64Of = (value: string) => Buffer.from(value).toString('base64');

/** Digits, made of a word. */
const digitsOf = (word = '') => [...Buffer.from(word)].map((byte) => byte % 10).join('');

/** What a private key looks like. */
function keyOf(words: readonly string[]): string {
  const body = base64Of(words.join('+').repeat(3)).match(/.{1,64}/g) ?? [];
  return ['-----BEGIN PRIVATE KEY-----', ...body, '-----END PRIVATE KEY-----', ''].join('\n');
}

/** A text of lines as a block scalar. */
function block(style: '|' | '|-' | '>', lines: readonly string[]): Secret {
  const end = style === '|-' ? '' : '\n';
  return {
    value: lines.join(style === '>' ? ' ' : '\n') + end,
    scalar: (column) => `${style}\n${lines.map((line) => `${' '.repeat(column + 2)}${line}`).join('\n')}`,
  };
}

const FORMS: Readonly<Record<string, Form>> = {
  'a word': ([a = '']) => plain(a),
  'a word in quotes': ([a = '']) => single(a),
  'a word with marks': ([a = '', b = '']) => single(`${a}-${b}_!@%:/?=`),
  'words with spaces': ([a = '', b = '', c = '']) => plain(`${a} ${b} ${c}`),
  'spaces around': ([a = '', b = '']) => quoted(`  ${a} ${b} `),
  quotes: ([a = '', b = '']) => quoted(`"${a}'${b}"`),
  'quotes in single quotes': ([a = '', b = '']) => single(`${a}'"${b}''`),
  base64: (words) => plain(base64Of(words.join(''))),
  'base64 of bytes': ([a = '', b = '']) =>
    plain(Buffer.from(`\xff${a}\x80${b}`, 'latin1').toString('base64')),
  'a key in one line': (words) => quoted(keyOf(words)),
  'a key as a block': (words) => block('|', keyOf(words).trimEnd().split('\n')),
  'an expression': ([a = '', b = '']) => single(`${a}$&.*+?^\${${b}}()|[]\\$1$$\\d`),
  'an expression in double quotes': ([a = '', b = '']) => quoted(`\\${a}$&(${b})\\`),
  'quotes over several lines': ([a = '', b = '', c = '']) => ({
    value: `${a} ${b} ${c}`,
    scalar: (column) => `"${a}\n${' '.repeat(column + 2)}${b}\n${' '.repeat(column + 2)}${c}"`,
  }),
  'single quotes over several lines': ([a = '', b = '']) => ({
    value: `${a}\n${b}`,
    scalar: (column) => `'${a}\n\n${' '.repeat(column + 2)}${b}'`,
  }),
  'no quotes over several lines': ([a = '', b = '']) => ({
    value: `${a} ${b}`,
    scalar: (column) => `${a}\n${' '.repeat(column + 2)}${b}`,
  }),
  'a block': ([a = '', b = '', c = '']) => block('|', [a, `${b} ${c}`]),
  'a block without a line break at its end': ([a = '', b = '']) => block('|-', [`k: ${a}`, `l: ${b}`]),
  'a folded block': ([a = '', b = '']) => block('>', [a, b]),
  'lines of Windows': ([a = '', b = '']) => quoted(`${a}\r\n${b}\r\n`),
  tabs: ([a = '', b = '']) => quoted(`${a}\t${b}`),
  'other scripts': ([a = '', b = '']) => plain(`пароль-${a}-密码é-${b}`),
  'emoji and invisible characters': ([a = '', b = '']) =>
    quoted(`${a}\u{1f511}${b}\u200b\u00a0\u2028e\u0301`),
  JSON: ([a = '', b = '', c = '']) => single(JSON.stringify({ user: a, password: b, list: [c] })),
  'JSON over several lines': ([a = '', b = '']) =>
    block('|', JSON.stringify({ user: a, password: b }, null, 2).split('\n')),
  digits: ([a = '']) => single(`4${digitsOf(a)}`),
  'digits without quotes': ([a = '']) => plain(`4${digitsOf(a)}`),
  'digits after a zero': ([a = '']) => single(`0${digitsOf(a)}`),
  'a URL': ([a = '', b = '', c = '']) => plain(`https://${a}:${b}@db.example/${c}?a=b&c=d#e`),
  variables: ([a = '', b = '']) => quoted(`A=${a}\nB="${b}"\n`),
};

/** What a place adds to a package. */
interface Part {
  /** Documents of a file of resources. */
  readonly documents?: readonly string[];
  /** Entries of fields of the kustomization. */
  readonly entries?: Readonly<Record<string, string>>;
  /** Files that are no resources. */
  readonly files?: Tree;
}

/** @param name the name of the Secret, of which every place has its own */
type Place = (secret: Secret, name: string) => Part;

function indent(text: string, columns: number): string {
  return text.replace(/^(?=.)/gm, ' '.repeat(columns));
}

/** The values come first, so that a diff of the document before has them. */
const secretOf = (values: string, name: string, annotations = '') =>
  `${values}apiVersion: v1\nkind: Secret\nmetadata:\n${annotations}  name: ${name}\n`;
const withText = ({ scalar }: Secret, name: string) => secretOf(`stringData:\n  k: ${scalar(2)}\n`, name);
const withData = ({ value }: Secret, name: string) => secretOf(`data:\n  k: ${base64Of(value)}\n`, name);
const GENERATOR = (name: string, rest: string) => `- name: ${name}\n${rest}`;

/** Where a value of a Secret ends up in a build, if a replacement puts it there. */
const TARGETS: readonly (readonly [kind: string, field: string])[] = [
  ['Ingress', 'spec.rules.0.host'],
  ['Deployment', 'spec.template.metadata.labels.key'],
  ['ConfigMap', 'data.k'],
  ['Deployment', 'spec.template.spec.containers.0.image'],
  ['Deployment', 'spec.template.spec.containers.0.name'],
  ['Deployment', 'spec.template.spec.containers.0.env.0.value'],
  ['Deployment', 'metadata.name'],
  ['Deployment', 'metadata.annotations.[exempt.todo.example.com/resources]'],
  ['Deployment', 'metadata.annotations.[todo.example.com/connects-to]'],
  ['Service', 'spec.ports.0.targetPort'],
  ['NetworkPolicy', 'spec.podSelector.matchLabels.key'],
  ['NetworkPolicy', 'spec.ingress.0.from.0.namespaceSelector.matchLabels.key'],
];

const replacement = (name: string, field: string, [kind, to]: readonly [string, string]) =>
  `- source: {kind: Secret, name: ${name}, fieldPath: ${field}}\n  targets: [{select: {kind: ${kind}}, fieldPaths: ["${to}"]}]\n`;

const PLACES: Readonly<Record<string, Place>> = {
  stringData: (secret, name) => ({ documents: [withText(secret, name)] }),
  data: (secret, name) => ({ documents: [withData(secret, name)] }),
  'data in lines': ({ value }, name) => ({
    documents: [
      secretOf(`data:\n  k: |\n${indent((base64Of(value).match(/.{1,20}/g) ?? []).join('\n'), 4)}\n`, name),
    ],
  }),
  'a merge of an anchor': ({ scalar }, name) => ({
    documents: [secretOf(`x: &x\n  stringData:\n    k: ${scalar(4)}\n<<: *x\n`, name)],
  }),
  'a merge in stringData': ({ scalar }, name) => ({
    documents: [secretOf(`x: &x\n  k: ${scalar(2)}\nstringData:\n  <<: *x\n  l: x\n`, name)],
  }),
  'an item of a List': (secret, name) => ({
    documents: [
      `items:\n- ${indent(withText(secret, name), 2).trimStart()}apiVersion: v1\nkind: List\nmetadata:\n  name: list-${name}\n`,
    ],
  }),
  'a SecretList': ({ scalar }, name) => ({
    documents: [
      `items:\n- stringData:\n    k: ${scalar(4)}\n  apiVersion: v1\n  kind: Secret\n  metadata:\n    name: ${name}\napiVersion: v1\nkind: SecretList\nmetadata:\n  name: list-${name}\n`,
    ],
  }),
  'a literal of a generator': ({ value }, name) => ({
    entries: { secretGenerator: GENERATOR(name, `  literals:\n  - ${JSON.stringify(`k=${value}`)}\n`) },
  }),
  'variables of a generator': ({ value }, name) => ({
    entries: { secretGenerator: GENERATOR(name, `  envs: [${name}.env]\n`) },
    files: {
      [`${name}.env`]: linesOf(value)
        .map((line, i) => `K${i}=${line}\n`)
        .join(''),
    },
  }),
  'a file of a generator': ({ value }, name) => ({
    entries: { secretGenerator: GENERATOR(name, `  files: [k=${name}.key]\n`) },
    files: { [`${name}.key`]: value },
  }),
  'an inline patch': (secret, name) => ({
    documents: [secretOf('', name)],
    entries: { patches: `- patch: |-\n${indent(withText(secret, name), 4)}` },
  }),
  'an inline patch in the deprecated field': (secret, name) => ({
    documents: [secretOf('', name)],
    entries: { patchesStrategicMerge: `- |-\n${indent(withText(secret, name), 2)}` },
  }),
  'an inline JSON 6902 patch': ({ scalar }, name) => ({
    documents: [secretOf('stringData:\n  l: x\n', name)],
    entries: {
      patches: `- target: {kind: Secret, name: ${name}}\n  patch: |-\n    - op: add\n      path: /stringData/k\n      value: ${scalar(6)}\n`,
    },
  }),
  'an inline JSON 6902 patch in JSON': ({ value }, name) => ({
    documents: [secretOf('stringData:\n  l: x\n', name)],
    entries: {
      patches: `- target: {kind: Secret, name: ${name}}\n  patch: ${JSON.stringify(JSON.stringify([{ op: 'add', path: '/stringData/k', value }]))}\n`,
    },
  }),
  'what kubectl applied last': ({ value }, name) => ({
    documents: [
      secretOf(
        '',
        name,
        `  annotations:\n    kubectl.kubernetes.io/last-applied-configuration: |\n      ${JSON.stringify({ apiVersion: 'v1', kind: 'Secret', stringData: { k: value } })}\n`,
      ),
    ],
  }),
  ...Object.fromEntries(
    TARGETS.flatMap<[string, Place]>((target) => [
      [
        `a replacement of stringData into ${target.join(' ')}`,
        (secret, name) => ({
          documents: [withText(secret, name)],
          entries: { replacements: replacement(name, 'stringData.k', target) },
        }),
      ],
      [
        `a replacement of data into ${target.join(' ')}`,
        (secret, name) => ({
          documents: [withData(secret, name)],
          entries: { replacements: replacement(name, 'data.k', target) },
        }),
      ],
      [
        `a replacement of a literal into ${target.join(' ')}`,
        ({ value }, name) => ({
          entries: {
            secretGenerator: GENERATOR(name, `  literals:\n  - ${JSON.stringify(`k=${value}`)}\n`),
            replacements: replacement(name, 'data.k', target),
          },
        }),
      ],
      [
        `a replacement of a file into ${target.join(' ')}`,
        ({ value }, name) => ({
          entries: {
            secretGenerator: GENERATOR(name, `  files: [k=${name}.key]\n`),
            replacements: replacement(name, 'data.k', target),
          },
          files: { [`${name}.key`]: value },
        }),
      ],
    ]),
  ),
};

const APP: readonly string[] = [
  `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  k: none
`,
  `apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  selector:
    app: web
  ports:
    - name: http
      port: 80
      targetPort: 8080
`,
  `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
spec:
  rules:
    - host: web.example
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: web
                port:
                  number: 80
`,
  `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: other
spec:
  podSelector:
    matchLabels:
      key: none
  policyTypes: [Ingress]
  ingress:
    - from:
        - namespaceSelector:
            matchLabels:
              key: none
      ports:
        - port: 1
`,
  `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    exempt.todo.example.com/resources: measured later
    todo.example.com/connects-to: web:80
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
        key: none
    spec:
      containers:
        - name: web
          image: example.com/web:v1
          ports:
            - containerPort: 8080
          env:
            - name: A
              value: none
`,
];

/** Title to the spec of the configuration, and what the kustomization ends with. */
const ENDINGS: Readonly<Record<string, readonly [spec: string, more: string]>> = {
  'with the rules on': ['{}', ''],
  'with the rules off': [
    `{environments: {${OVERLAY}: {rules: {plain-secret: off, pinned-image: off, network-policy: off}}}}`,
    '',
  ],
  'with policies to write': [`{environments: {${OVERLAY}: {rules: {plain-secret: off}}}}`, ''],
  'with a kustomization that fails': ['{}', 'nonsense: [1]\n'],
  'with an invalid configuration': ['{nonsense: 1}', ''],
};

interface Package {
  readonly files: Tree;
  readonly documents: Readonly<Record<string, readonly string[]>>;
  readonly config: string;
}

function packageOf(parts: readonly Part[], ending: string): Package {
  const [spec = '', more = ''] = ENDINGS[ending] ?? [];
  const entries = new Map<string, string>();
  for (const part of parts)
    for (const [field, text] of Object.entries(part.entries ?? {}))
      entries.set(field, (entries.get(field) ?? '') + text);
  const fields = [...entries].map(([field, text]) => `${field}:\n${text}`).join('');
  const config = `apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: g\n  annotations:\n    config.kubernetes.io/local-config: "true"\nspec: ${spec}\n`;
  const documents = {
    [`${OVERLAY}/kustomization.yaml`]: [`${KUSTOMIZATION}${more}${fields}resources:\n- all.yaml\n`],
    [`${OVERLAY}/all.yaml`]: [...APP, ...parts.flatMap((part) => part.documents ?? [])],
    'config.yaml': [config],
  };
  const others = parts.flatMap(({ files = {} }) =>
    Object.entries(files).map(([file, text]) => [`${OVERLAY}/${file}`, text] as const),
  );
  const files = {
    ...Object.fromEntries(Object.entries(documents).map(([file, texts]) => [file, texts.join('---\n')])),
    ...Object.fromEntries(others),
    '.krmignore': 'dist/\n',
    'README.md': '# A\n\n<!-- connections:start -->\n<!-- connections:end -->\n',
  };
  return { files, documents, config };
}

/** The package as kpt sends it. */
function resourceListOf({ documents, config }: Package): string {
  const items = Object.entries(documents).flatMap(([file, texts]) =>
    texts.map((text, index) => {
      const wire = `    internal.config.kubernetes.io/path: ${file}\n    internal.config.kubernetes.io/index: "${index}"\n`;
      const annotated = /^metadata:\n {2}annotations:\n/m.test(text)
        ? text.replace(/^metadata:\n {2}annotations:\n/m, (head) => head + wire)
        : /^metadata:\n/m.test(text)
          ? text.replace(/^metadata:\n/m, (head) => `${head}  annotations:\n${wire}`)
          : `metadata:\n  annotations:\n${wire}${text}`;
      return `- ${indent(annotated, 2).slice(2)}`;
    }),
  );
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nfunctionConfig:\n${indent(config, 2)}items:\n${items.join('')}`;
}

function linesOf(value: string): string[] {
  return value.split(/\r?\n/).filter((line) => line.trim() !== '');
}

/** The texts that show a value: all of it, its longer lines, and base64 of it, also in lines as kustomize writes it. */
function formsOf(value: string): string[] {
  const lines = linesOf(value).map((line) => line.trim());
  const encoded = [value, value.trimEnd(), ...lines].map(base64Of);
  const forms = [
    value.trim(),
    ...lines,
    ...encoded,
    ...encoded.flatMap((text) => text.match(/.{70}/g) ?? []),
  ];
  const escaped = forms.map((text) => JSON.stringify(text).slice(1, -1));
  return [...new Set([...forms, ...escaped])].filter((text) => text.length >= 8);
}

/** Everything that the runs print and write, but the builds and the items of a ResourceList. */
function outputsOf(run: HostileRun, pkg: Package, exits: Set<number | null>): Record<string, string> {
  rmSync(run.dir, { recursive: true, force: true });
  run.write(pkg.files);
  const list = run.onStandardInput(resourceListOf(pkg));
  const check = run.render('--check', '--diff');
  const graph = run.graph();
  const render = run.render();
  for (const { status } of [list, check, graph, render]) exits.add(status);
  if (render.status === 0) {
    expect(statSync(path.join(run.dir, 'dist')).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(run.dir, 'dist/prod.yaml')).mode & 0o777).toBe(0o600);
  } else expect(existsSync(path.join(run.dir, 'dist/prod.yaml'))).toBe(false);
  expect(readTree(run.tmp)).toEqual({});
  const sources = new Set([...Object.keys(pkg.files), 'dist/prod.yaml']);
  const written = readTree(run.dir, (file) => file === 'README.md' || !sources.has(file));
  return {
    'render --check --diff': check.stdout + check.stderr,
    render: render.stdout + render.stderr,
    graph: graph.stdout + graph.stderr,
    'standard error': list.stderr,
    results: list.stdout.slice(list.stdout.search(/^results:/m) >>> 0),
    ...written,
  };
}

const run = useHostileRun();
beforeEach(() => {
  run().realKustomize();
});

const words = fc.uniqueArray(fc.stringMatching(/^[a-z][a-z0-9]{8,12}$/), { minLength: 4, maxLength: 4 });
const placesOf = (wanted: boolean) =>
  fc.constantFrom(
    ...Object.entries(PLACES).filter(([title]) => title.startsWith('a replacement') === wanted),
  );
const hidden = fc.record({
  form: fc.constantFrom(...Object.entries(FORMS)),
  // There are many more replacements than other places.
  place: fc.oneof({ weight: 2, arbitrary: placesOf(false) }, { weight: 1, arbitrary: placesOf(true) }),
  words,
});

test(
  `no output shows a value of a Secret, in ${RUNS} packages (GUARDRAILS_SEED=${SEED})`,
  () => {
    const exits = new Set<number | null>();
    const redacted = new Set<string>();
    fc.assert(
      fc.property(
        fc.array(hidden, { minLength: 1, maxLength: 3 }),
        fc.constantFrom(...Object.keys(ENDINGS)),
        (all, ending) => {
          const secrets = all.map(({ form: [, form], place: [, place], words }, i) => {
            const secret = form(words);
            return { secret, part: place(secret, `secret-${i}`) };
          });
          const pkg = packageOf(
            secrets.map(({ part }) => part),
            ending,
          );
          const outputs = outputsOf(run(), pkg, exits);
          const shown = Object.entries(outputs).flatMap(([output, text]) => {
            if (text.includes('***')) redacted.add(output);
            return secrets
              .flatMap(({ secret }) => formsOf(secret.value))
              .filter((form) => text.includes(form))
              .map((form) => [output, form]);
          });
          expect(shown).toEqual([]);
        },
      ),
      { seed: SEED, numRuns: RUNS },
    );
    expect([...exits].sort()).toEqual([0, 1, 2, 3]);
    for (const output of ['render --check --diff', 'render', 'graph', 'standard error', 'results'])
      expect([...redacted]).toContain(output);
  },
  RUNS * SLOWEST,
);
