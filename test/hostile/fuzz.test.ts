import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { type Bundle, buildBundle } from '../support/bundle';
import { Loopback } from '../support/loopback';
import { findKustomizeForTests } from '../support/tools';
import { type Tree, readTree, writeTree } from '../support/tree';

const RUNS = Number(process.env.HOSTILE_RUNS ?? 300);
const SEED = Number(process.env.GUARDRAILS_SEED ?? 20261126);
/** Seconds that a run may take: the limit of kustomize, for each of its builds, and some more. */
const LIMIT = 60;
const CANARY = 'canary-8c1e-value';
const CANARY_BASE64 = Buffer.from(CANARY).toString('base64');

let bundle: Bundle;
let loopback: Loopback;
beforeAll(async () => {
  bundle = buildBundle();
  loopback = new Loopback();
  await loopback.listen();
});
afterAll(async () => {
  bundle.remove();
  await loopback.close();
});

/** URL stands for one of the listener. */
const PATHS = [
  ...['a.yaml', 'secret.yaml', './a.yaml', '../base', '../../base', '../dev', '.', '..', '/', '/etc/passwd'],
  ...[
    'URL',
    'URL: b',
    'git::URL.git',
    'ssh://git@127.0.0.1/a',
    'file:///etc',
    'git@127.0.0.1:a/b',
    'k=URL',
    'k=.env',
  ],
  ...[
    '.env',
    'odd.bin',
    'gone.yaml',
    '',
    ' ',
    '\u0000',
    '\u001b[2J',
    '::error::x',
    'a'.repeat(300),
    '~',
    '*',
    '-',
  ],
];
const FIELDS = [
  ...[
    'resources',
    'bases',
    'components',
    'crds',
    'configurations',
    'generators',
    'transformers',
    'validators',
  ],
  ...['patchesStrategicMerge', 'RESOURCES', 'Resources', 're\u017fources', 'reſources', 'unknown'],
];
const oddValue = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, -1, 1e21, [], {}, [[]], [null], { a: null }, 'x', ''),
  fc.constantFrom(...PATHS),
);
const inline = fc.constantFrom(
  'kind: ConfigMap\nmetadata: {name: a}\ndata: {b: c}\n',
  'apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n$patch: delete\n',
  `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: ${CANARY}}\n`,
  'apiVersion: builtin\nkind: PatchStrategicMergeTransformer\nmetadata: {name: p}\nPATHS: [URL]\n',
  'apiVersion: builtin\nkind: PatchTransformer\nmetadata: {name: p}\npath: URL\n',
  'apiVersion: builtin\nkind: NamespaceTransformer\nmetadata: {name: p, namespace: n}\n',
  'apiVersion: x/v1\nkind: Gen\nmetadata: {name: p, annotations: {config.kubernetes.io/function: "exec: {path: git}"}}\n',
  '[{"op": "remove", "path": "/data"}]',
  '{unclosed',
);
const pathList = fc.oneof(
  { weight: 20, arbitrary: fc.constantFrom(['a.yaml'], ['secret.yaml'], ['a.yaml', 'secret.yaml'], []) },
  {
    weight: 2,
    arbitrary: fc.array(fc.oneof(fc.constantFrom(...PATHS), inline, oddValue), { maxLength: 3 }),
  },
);
const generator = fc.record(
  {
    name: fc.constantFrom<unknown>('g', '', 1, null),
    files: fc.oneof(pathList, oddValue),
    envs: pathList,
    env: oddValue,
    literals: fc.constantFrom<unknown>(['a=b'], [`k=${CANARY}`], [CANARY], null, 'a=b'),
  },
  { requiredKeys: ['name'] },
);
/** Mostly absent, so that many packages reach kustomize. */
const rarely = <T>(value: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 14, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value });
const patch = fc.record(
  {
    path: fc.constantFrom(...PATHS),
    PATH: fc.constantFrom(...PATHS),
    patch: inline,
    target: fc.constantFrom<unknown>({ kind: 'Secret' }, { kind: '.*' }, { kind: '(' }, null, { name: 's' }),
  },
  { requiredKeys: [] },
);
const kustomization = fc
  .record({
    kind: fc.oneof(
      { weight: 5, arbitrary: fc.constant<unknown>('Kustomization') },
      { weight: 1, arbitrary: fc.constantFrom<unknown>('Component', 'kustomization', null) },
    ),
    resources: fc.oneof({ weight: 15, arbitrary: pathList }, { weight: 1, arbitrary: oddValue }),
    listed: rarely(fc.tuple(fc.constantFrom(...FIELDS), fc.oneof(pathList, oddValue))),
    patches: rarely(fc.oneof(fc.array(patch, { maxLength: 2 }), oddValue)),
    configMapGenerator: rarely(fc.oneof(fc.array(generator, { maxLength: 2 }), oddValue)),
    secretGenerator: rarely(fc.oneof(fc.array(generator, { maxLength: 2 }), oddValue)),
    openapi: rarely(fc.record({ path: fc.constantFrom(...PATHS) })),
    namePrefix: rarely(fc.constantFrom<unknown>('a-', '', null, '\u001b[2J', 'x'.repeat(300))),
    namespace: rarely(fc.constantFrom<unknown>('n', '', 1, '../x')),
    images: rarely(fc.constantFrom<unknown>([{ name: 'web', newTag: 'latest' }], [{}], null, 'a')),
    helmCharts: rarely(fc.constantFrom<unknown>([{ name: 'a', repo: 'URL' }], [], null)),
  })
  .map(({ listed, ...fields }) => ({
    ...fields,
    ...(listed === undefined ? {} : { [listed[0]]: listed[1] }),
  }));
/** Text that is no plain JSON: what the kustomization ends in. */
const tail = fc.constantFrom(
  ...Array<string>(12).fill(''),
  '\n# end',
  '\n---\n',
  '\n\t',
  '\n"',
  '\u0085',
  '\u2028x: y',
);
const packages = fc.record({
  base: kustomization,
  dev: kustomization,
  prod: kustomization,
  tail,
  isCycle: fc.boolean(),
  isStandardInput: fc.boolean(),
});
type Odd = typeof packages extends fc.Arbitrary<infer T> ? T : never;

function treeOf({ base, dev, prod, tail: end, isCycle }: Odd): Tree {
  const url = `http://127.0.0.1:${loopback.port}/a`;
  const text = (value: object, more = '') => `${JSON.stringify(value).replaceAll('URL', url)}${more}\n`;
  const own = {
    'a.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n',
    '.env': `K=${CANARY}\n`,
    'odd.bin': 'a\u0000b',
  };
  const secret = `apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {k: ${CANARY}}\n`;
  const beside = (dir: string): Tree =>
    Object.fromEntries(
      Object.entries({ ...own, 'secret.yaml': secret }).map(([file, content]) => [`${dir}/${file}`, content]),
    );
  return {
    '.krmignore': 'dist/\n',
    'base/kustomization.yaml': text({ ...base, ...(isCycle ? { resources: ['../overlays/prod'] } : {}) }),
    'overlays/dev/kustomization.yaml': text(dev),
    'overlays/prod/kustomization.yaml': text(prod, end),
    ...beside('base'),
    ...beside('overlays/dev'),
    ...beside('overlays/prod'),
  };
}

function resourceList(files: Tree): string {
  const items = Object.entries(files).flatMap(([file, text]) => {
    if (!file.endsWith('.yaml')) return [];
    const annotation = `metadata: {name: a, annotations: {internal.config.kubernetes.io/path: ${file}}}`;
    const isKustomization = file.endsWith('kustomization.yaml');
    const body = isKustomization
      ? text
          .trim()
          .replace(/^\{/, '')
          .replace(/\}\s*$/, '')
      : '';
    return isKustomization
      ? [`- {${body}${body.trim() === '' ? '' : ','} ${annotation}}\n`]
      : [`- {apiVersion: v1, kind: Secret, ${annotation}, stringData: {k: ${CANARY}}}\n`];
  });
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}`;
}

function problemIn(output: string, stderr: string): string | undefined {
  if (output.includes(CANARY) || output.includes(CANARY_BASE64)) return `the Secret is printed: ${output}`;
  if (/internal error|\n {4}at /.test(stderr)) return stderr;
  if (/[\0-\x09\x0b-\x1f\x7f]|^::/m.test(output)) return `raw: ${JSON.stringify(output)}`;
  return undefined;
}

/** Packages that kustomize was started on. */
let built = 0;

/** Why a run is wrong; undefined where it is right. */
async function problemOf(odd: Odd): Promise<string | undefined> {
  const scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'fuzz-')));
  try {
    const [dir, tmp, bin, mark] = ['package', 'tmp', 'bin', 'started'].map((name) =>
      path.join(scratch, name),
    );
    if (dir === undefined || tmp === undefined || bin === undefined || mark === undefined) return 'no folder';
    for (const folder of [dir, tmp, bin]) mkdirSync(folder);
    const { command, args } = findKustomizeForTests();
    symlinkSync(command, path.join(bin, args[0] === 'kustomize' ? 'kubectl' : 'kustomize'));
    for (const name of ['git', 'helm', 'sh', 'docker']) {
      writeFileSync(path.join(bin, name), `#!/bin/sh\n: >'${mark}'\n`);
      chmodSync(path.join(bin, name), 0o755);
    }
    const files = treeOf(odd);
    writeTree(dir, files);
    const before = readTree(dir);
    const program = odd.isStandardInput ? [bundle.guardrails] : [...bundle.render, dir, '--timeout', '10s'];
    const child = spawn(process.execPath, program, {
      env: { PATH: bin, TMPDIR: tmp, HOME: scratch },
      timeout: LIMIT * 1000,
      killSignal: 'SIGKILL',
    });
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].setEncoding('utf8').on('data', (text: string) => (printed[name] += text));
    child.stdin.on('error', () => undefined).end(odd.isStandardInput ? resourceList(files) : '');
    const [code] = (await once(child, 'close')) as [number | null];
    if (code === null) return `it did not end within ${LIMIT} s`;
    if (code > 3) return `exit ${code}`;
    const { stdout, stderr } = printed;
    if (/\d resources?,|kustomize failed/.test(stdout + stderr)) built++;
    const results = odd.isStandardInput ? stdout.slice(stdout.search(/^results:/m) >>> 0) : stdout;
    const output = results + stderr;
    const wrong = problemIn(output, stderr);
    if (wrong !== undefined) return wrong;
    if (existsSync(mark)) return 'a program was started';
    if (readdirSync(tmp).length > 0) return `left: ${readdirSync(tmp).join(', ')}`;
    const after = readTree(dir);
    const changed = Object.keys(before).filter((file) =>
      code === 0 ? after[file] === undefined : after[file] !== before[file],
    );
    if (changed.length > 0) return `exit ${code}, changed: ${changed.join(', ')}`;
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

test(
  `${RUNS} packages of odd kustomizations, seed ${SEED}: no connection, no process, no Secret, and an end`,
  async () => {
    const samples = fc.sample(packages, { numRuns: RUNS, seed: SEED }).entries();
    const failures: string[] = [];
    // Two at a time, from one list.
    const worker = async () => {
      for (const [i, odd] of samples) {
        const problem = await problemOf(odd);
        if (problem !== undefined)
          failures.push(`package ${i}: ${problem}\n${JSON.stringify(treeOf(odd), undefined, 1)}`);
      }
    };
    await Promise.all([worker(), worker()]);
    expect(failures.slice(0, 3)).toEqual([]);
    expect(built).toBeGreaterThan(RUNS / 5);
    expect(loopback.connections).toBe(0);
  },
  RUNS * LIMIT * 1000,
);
