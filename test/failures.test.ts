import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { GuardrailsError } from '../functions/guardrails/errors';
import { INSTALL_HINT, type Kustomize } from '../functions/guardrails/kustomize/find';
import type { Result } from '../functions/guardrails/krm/result';
import { words } from '../functions/guardrails/message';
import { run } from '../functions/guardrails/run';
import { type Bundle, buildBundle } from './support/bundle';
import { isRunning, until } from './support/processes';
import { findKustomizeForTests } from './support/tools';

const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
const COMPONENT = 'apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n';
/** An image in a kind that only the rule pinned-image checks. */
const WORKLOAD = (image: string) =>
  `apiVersion: example.com/v1\nkind: Workload\nmetadata:\n  name: web\nspec:\n  containers:\n    - name: web\n      image: ${image}\n`;
// Kinds that no rule on pods checks: one that passes, and one that is refused.
const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata: {}\n';
const SECRET = 'apiVersion: v1\nkind: Secret\nmetadata:\n  name: plain\nstringData:\n  key: a value\n';
const CANARY = 'canary-4f81';

let scratch: string;
beforeEach(() => {
  scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'failures-test-')));
  for (const folder of ['bin', 'tmp']) mkdirSync(inScratch(folder));
});
afterEach(() => {
  rmSync(scratch, { recursive: true });
});

function inScratch(file: string): string {
  return path.join(scratch, file);
}

/** A ResourceList as kpt sends it; a list of texts is a file of several documents. */
function resourceList(files: Record<string, string | readonly string[]>, functionConfig = ''): string {
  const items = Object.entries(files).flatMap(([file, texts]) =>
    [texts].flat().map((text, index) => {
      const wire = `    internal.config.kubernetes.io/path: '${file}'\n    internal.config.kubernetes.io/index: '${index}'\n`;
      const annotated = /^ {2}annotations:\n/m.test(text)
        ? text.replace(/^ {2}annotations:\n/m, `  annotations:\n${wire}`)
        : /^metadata:\n/m.test(text)
          ? text.replace(/^metadata:\n/m, `metadata:\n  annotations:\n${wire}`)
          : `${text}metadata:\n  annotations:\n${wire}`;
      return `- ${annotated.trimEnd().replaceAll('\n', '\n  ')}\n`;
    }),
  );
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}${functionConfig}`;
}

/** One overlay, prod, with one ConfigMap. */
function prod(more = '', files: Record<string, string | readonly string[]> = {}) {
  return {
    'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [map.yaml]\n${more}`,
    'overlays/prod/map.yaml': CONFIG_MAP,
    ...files,
  };
}

function configOf(environment: string): string {
  return (
    'functionConfig:\n  apiVersion: todo.example.com/v1alpha1\n  kind: Guardrails\n' +
    `  spec: {environments: {${environment}: {}}}\n`
  );
}

function runText(text: string, kustomize: Kustomize = findKustomizeForTests()) {
  return run(Buffer.from(text), () => Promise.resolve(kustomize));
}

/** Runs on input that must be refused before the function looks for kustomize. */
async function runUnbuilt(text: string) {
  const findKustomize = jest.fn<Promise<Kustomize>, []>();
  const outcome = await run(Buffer.from(text), findKustomize);
  expect(findKustomize).not.toHaveBeenCalled();
  return outcome;
}

function resultsIn(stdout: string): Result[] {
  const { results = [] } = parse(stdout) as { results?: Result[] };
  return results.filter(({ message }) => !message.startsWith('judged: '));
}

/** An overlay that is not built is an error, and the items come back. */
function expectOverlayRefused(exitCode: number, stdout: string): void {
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout });
  expect(resultsIn(stdout)).toContainEqual(
    expect.objectContaining({
      severity: 'error',
      tags: expect.objectContaining({ rule: 'build' }) as unknown,
    }),
  );
}

/** A shell script in place of kustomize. It runs without a PATH: programs are named by their absolute path. */
function program(script: string, name = 'kustomize'): Kustomize {
  const command = inScratch(`bin/${name}`);
  writeFileSync(command, script);
  chmodSync(command, 0o755);
  return { command, args: ['build'], description: `kustomize (${command})` };
}

const print = (manifests: string) => `#!/bin/sh\nprintf '%s' '${manifests}'\n`;

describe('without a working kustomize', () => {
  test('none is found: the reason is reported, and stdout is empty', async () => {
    const outcome = await run(Buffer.from(resourceList(prod())), () =>
      Promise.reject(new GuardrailsError(words('no kustomize here; install one'))),
    );
    expect(outcome).toEqual({ exitCode: 2, stdout: '', stderr: 'no kustomize here; install one\n' });
  });

  test('an internal error in the search: its message is redacted', async () => {
    const { exitCode, stdout, stderr } = await run(Buffer.from(resourceList(prod())), () =>
      Promise.reject(new TypeError(CANARY)),
    );
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toMatch(/^internal error: TypeError/);
    expect(stderr).not.toContain(CANARY);
  });

  test('a stream requires none', async () => {
    expect(await runUnbuilt(CONFIG_MAP)).toMatchObject({ exitCode: 0, stdout: CONFIG_MAP });
  });

  test('a program that does not exist', async () => {
    const missing = { command: inScratch('bin/none'), args: [], description: 'kustomize (gone)' };
    const { exitCode, stdout, stderr } = await runText(resourceList(prod()), missing);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain('overlays/prod: cannot run kustomize (gone): ');
  });

  test('a program that is not executable', async () => {
    const kustomize = program(print(CONFIG_MAP));
    chmodSync(kustomize.command, 0o644);
    const { exitCode, stdout, stderr } = await runText(resourceList(prod()), kustomize);
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    expect(stderr).toContain(`overlays/prod: cannot run ${kustomize.description}: `);
  });

  test('a program for another machine', async () => {
    const kustomize = program('\x7fELF and nothing that this machine runs');
    const { exitCode, stdout, stderr } = await runText(resourceList(prod()), kustomize);
    expectOverlayRefused(exitCode, stdout);
    // A shell may try to interpret it, and fails.
    expect(stderr).toMatch(/^\[error\] overlays\/prod: /);
    expect(stderr).toContain(kustomize.command);
  });
});

describe('kustomize fails', () => {
  test('its message is reported, with the overlay and without the temporary folder', async () => {
    const files = prod('', {
      'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [map.yaml, again.yaml]\n`,
      'overlays/prod/again.yaml': CONFIG_MAP,
    });
    const { exitCode, stdout, stderr } = await runText(resourceList(files));
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toMatch(/^\[error\] overlays\/prod: kustomize failed \(exit 1\): /);
    expect(stderr).toContain('already registered id');
    expect(stderr).toContain('; run `kustomize build overlays/prod` to reproduce\n');
    expect(stderr).not.toContain(tmpdir());
  });

  test('on a cycle: its message has no temporary folder either', async () => {
    const files = {
      'a/kustomization.yaml': `${KUSTOMIZATION}resources: [../b]\n`,
      'b/kustomization.yaml': `${KUSTOMIZATION}resources: [../a]\n`,
    };
    const { exitCode, stdout, stderr } = await runText(resourceList(files));
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toMatch(/^\[error\] a: kustomize failed /m);
    expect(stderr).toContain('cycle');
    expect(stderr).not.toContain(tmpdir());
  });

  test('the temporary folder is removed from its message in every form', async () => {
    const kustomize = program('#!/bin/sh\necho "at $2 and $2/map.yaml in $PWD or $HOME" >&2\nexit 7\n');
    const { exitCode, stdout, stderr } = await runText(resourceList(prod()), kustomize);
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toMatch(/^\[error\] overlays\/prod: kustomize failed \(exit 7\): at overlays\/prod and /);
    expect(stderr).not.toMatch(/guardrails-\w/);
  });

  test('on a signal: the signal is reported', async () => {
    const { exitCode, stdout, stderr } = await runText(
      resourceList(prod()),
      program('#!/bin/sh\nkill -9 $$\n'),
    );
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toContain('overlays/prod: kustomize failed (SIGKILL)');
  });

  test('the value of a Secret in its message is redacted, as written and decoded', async () => {
    const encoded = Buffer.from(`${CANARY}-decoded`).toString('base64');
    const files = prod('', {
      'overlays/prod/secret.yaml': `apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\ndata:\n  a: ${encoded}\nstringData:\n  b: ${CANARY}\n`,
    });
    const { exitCode, stderr } = await runText(
      resourceList(files),
      program(`#!/bin/sh\necho 'bad value ${CANARY} or ${encoded} or ${CANARY}-decoded' >&2\nexit 1\n`),
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain('bad value ***');
    expect(stderr).not.toContain(CANARY);
    expect(stderr).not.toContain(encoded);
  });

  test('when one overlay of several fails, no other is reported as successful', async () => {
    const files = prod('', {
      'overlays/dev/kustomization.yaml': `${KUSTOMIZATION}resources: [../prod]\n`,
    });
    const script = `#!/bin/sh\ncase "$2" in */prod) echo broken >&2; exit 1;; esac\nprintf '%s' '${CONFIG_MAP}'\n`;
    const { exitCode, stdout, stderr } = await runText(resourceList(files), program(script));
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toMatch(/^\[error\] overlays\/prod: kustomize failed \(exit 1\): broken/);
  });

  test('a warning of kustomize is an info', async () => {
    const kustomize = program(`${print(CONFIG_MAP)}echo '# Warning: deprecated' >&2\n`);
    const { exitCode, stdout, stderr } = await runText(resourceList(prod()), kustomize);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(resultsIn(stdout)).toEqual([
      {
        severity: 'info',
        message: 'overlays/prod: kustomize reports: # Warning: deprecated',
        tags: { overlay: 'overlays/prod' },
      },
    ]);
  });
});

describe('the output of kustomize cannot be checked', () => {
  test.each([
    ['invalid YAML', `a: [${CANARY}\n`],
    ['a tab for an indent', `a:\n\tb: ${CANARY}\n`],
    ['an alias without its anchor', `a: *${CANARY}\n`],
  ])('%s', async (_, text) => {
    const kustomize = program(`#!/bin/sh\nprintf '%s' '${text}'\n`);
    const { exitCode, stdout, stderr } = await runText(resourceList(prod()), kustomize);
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toContain('build of overlays/prod:');
    expect(stderr).not.toContain(CANARY);
  });

  test.each([
    ['nothing', ''],
    ['a comment', '# nothing\n'],
    ['empty documents', '---\n---\n'],
    ['a text', 'hello\n'],
    ['a list', '- a: 1\n'],
  ])('%s is a build without resources', async (_, text) => {
    const kustomize = program(`#!/bin/sh\nprintf '%s' '${text}'\n`);
    const { exitCode, stdout, stderr } = await runText(resourceList(prod()), kustomize);
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toBe(
      '[error] overlays/prod: the build has no resources, although its kustomizations have some; remove the entries of overlays/prod/kustomization.yaml that delete them\n',
    );
  });

  test('the real kustomize, on an overlay whose patch deletes every resource', async () => {
    const files = prod(
      'patches:\n- patch: |-\n    $patch: delete\n    apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: plain\n',
    );
    const { exitCode, stdout, stderr } = await runText(resourceList(files));
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toMatch(/^\[error\] overlays\/prod: /);
    expect(stderr).toContain('overlays/prod/kustomization.yaml');
  });

  test('the real kustomize, on an overlay without resources', async () => {
    const files = prod('', { 'overlays/empty/kustomization.yaml': KUSTOMIZATION });
    const { exitCode, stdout, stderr } = await runText(resourceList(files));
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toMatch(/^\[error\] overlays\/empty: /);
  });
});

describe('the configuration names', () => {
  test.each([
    ['a missing folder', 'overlays/gone'],
    ['a Component', 'components/float'],
    ['the file instead of the folder', 'overlays/prod/kustomization.yaml'],
    ['the folder with a slash', 'overlays/prod/'],
    ['a property of every JavaScript object', 'constructor'],
  ])('%s: exit 3 before kustomize starts, and every item comes back', async (_, name) => {
    const files = prod('components: [../../components/float]\n', {
      'components/float/kustomization.yaml': `${COMPONENT}nameSuffix: -x\n`,
    });
    const input = resourceList(files, configOf(name));
    const { exitCode, stdout, stderr } = await runUnbuilt(input);
    const message = `configuration: environments names the overlay "${name}", which does not exist; use one of overlays/prod`;
    expect({ exitCode, stderr }).toEqual({ exitCode: 3, stderr: `${message}\n` });
    expect(stdout.startsWith(input)).toBe(true);
    expect(resultsIn(stdout)).toEqual([{ severity: 'error', message }]);
  });
});

describe('a package in which kustomize and the function would see different things is refused', () => {
  test.each<[string, Record<string, string | readonly string[]>, string]>([
    [
      'two kustomization files in one folder',
      prod('', { 'overlays/prod/kustomization.yml': KUSTOMIZATION }),
      'overlays/prod has several kustomization files, overlays/prod/kustomization.yaml and overlays/prod/kustomization.yml; ',
    ],
    [
      'a kustomization file with two documents',
      prod('', { 'overlays/prod/kustomization.yaml': [KUSTOMIZATION, KUSTOMIZATION] }),
      'overlays/prod/kustomization.yaml has 2 documents',
    ],
    [
      'a file that is a folder of another',
      prod('', { 'a.yaml': CONFIG_MAP, 'a.yaml/b/c.yaml': CONFIG_MAP }),
      'a.yaml is both a file and the folder of a.yaml/b/c.yaml',
    ],
    [
      'the same, the other way round',
      prod('', { 'a.yaml/b.yaml': CONFIG_MAP, 'a.yaml': CONFIG_MAP }),
      'a.yaml is both a file and the folder of a.yaml/b.yaml',
    ],
    ['a path in a longer form', prod('', { 'overlays/./x.yaml': CONFIG_MAP }), 'overlays/./x.yaml'],
    [
      'a resource that is missing',
      prod('', { 'overlays/prod/kustomization.yaml': `${KUSTOMIZATION}resources: [gone.yaml]\n` }),
      'overlays/prod/kustomization.yaml: resources names gone.yaml, which is not in the package (overlays/prod/gone.yaml)',
    ],
    [
      'a patch that is missing',
      prod('patches: [{path: gone.json}]\n'),
      'overlays/prod/kustomization.yaml: patches names gone.json, which is not in the package',
    ],
    [
      'a file where a Component is expected',
      prod('components: [map.yaml]\n'),
      'overlays/prod/kustomization.yaml: components names map.yaml, which is not in the package',
    ],
  ])('%s', async (title, files, message) => {
    const { exitCode, stdout, stderr } = await runUnbuilt(resourceList(files));
    if (/folder of another|other way round|longer form/.test(title))
      expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' });
    else expectOverlayRefused(exitCode, stdout);
    expect(stderr).toContain(message);
  });
});

describe('a plugin that is a program is refused before kustomize starts', () => {
  const EXEC = (head: string) =>
    `${head}metadata:\n  name: p\n  annotations:\n    config.kubernetes.io/function: |\n      exec:\n        path: ./plugin.sh\n`;
  const UNKNOWN = 'apiVersion: example.com/v1\nkind: ExecPlugin\n';

  test.each<[string, Record<string, string | readonly string[]>, string]>([
    [
      'a generator with exec annotations',
      prod('generators: [plugin.yaml]\n', { 'overlays/prod/plugin.yaml': EXEC(UNKNOWN) }),
      'overlays/prod/plugin.yaml: the plugin ExecPlugin is not built into kustomize',
    ],
    [
      'a transformer in a container',
      prod('transformers: [plugin.yaml]\n', {
        'overlays/prod/plugin.yaml': EXEC(UNKNOWN).replace('exec:', 'container:').replace('path:', 'image:'),
      }),
      'overlays/prod/plugin.yaml: the plugin ExecPlugin is not built into kustomize',
    ],
    [
      'a validator of an unknown kind',
      prod('validators: [plugin.yaml]\n', { 'overlays/prod/plugin.yaml': UNKNOWN }),
      'overlays/prod/plugin.yaml: the plugin ExecPlugin is not built into kustomize',
    ],
    [
      'the second document of a plugin file',
      prod('transformers: [plugin.yaml]\n', {
        'overlays/prod/plugin.yaml': [
          'apiVersion: builtin\nkind: PrefixTransformer\nmetadata:\n  name: p\nprefix: a-\n',
          UNKNOWN,
        ],
      }),
      'overlays/prod/plugin.yaml: the plugin ExecPlugin is not built into kustomize',
    ],
    [
      'written inline',
      prod(`generators:\n- |-\n  ${EXEC(UNKNOWN).trimEnd().replaceAll('\n', '\n  ')}\n`),
      'overlays/prod/kustomization.yaml: the plugin ExecPlugin is not built into kustomize',
    ],
    [
      'written inline, after one that is built in',
      prod(
        'transformers:\n- |-\n  apiVersion: builtin\n  kind: PrefixTransformer\n  metadata: {name: p}\n  prefix: a-\n' +
          '  ---\n  apiVersion: example.com/v1\n  kind: ExecPlugin\n',
      ),
      'overlays/prod/kustomization.yaml: the plugin ExecPlugin is not built into kustomize',
    ],
    [
      'a built-in kind of another group',
      prod('generators: [plugin.yaml]\n', {
        'overlays/prod/plugin.yaml': EXEC('apiVersion: example.com/v1\nkind: ConfigMapGenerator\n'),
      }),
      'overlays/prod/plugin.yaml: the plugin ConfigMapGenerator is not built into kustomize',
    ],
    [
      'Helm, which is built in and is a program',
      prod('generators: [plugin.yaml]\n', {
        'overlays/prod/plugin.yaml': 'apiVersion: builtin\nkind: HelmChartInflationGenerator\n',
      }),
      'overlays/prod/plugin.yaml: the plugin HelmChartInflationGenerator is not built into kustomize',
    ],
    [
      'in a Component',
      prod('components: [../../components/x]\n', {
        'components/x/kustomization.yaml': `${COMPONENT}transformers: [plugin.yaml]\n`,
        'components/x/plugin.yaml': UNKNOWN,
      }),
      'components/x/plugin.yaml: the plugin ExecPlugin is not built into kustomize',
    ],
  ])('%s', async (_, files, message) => {
    const { exitCode, stdout, stderr } = await runUnbuilt(resourceList(files));
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toContain(message);
  });

  test('in a folder of plugins, which is built by itself', async () => {
    const files = prod('generators: [../../plugins]\n', {
      'plugins/kustomization.yaml': `${KUSTOMIZATION}resources: [plugin.yaml]\n`,
      'plugins/plugin.yaml': `${UNKNOWN}metadata:\n  name: p\n`,
    });
    const { exitCode, stdout, stderr } = await runText(resourceList(files));
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).toContain(
      'overlays/prod/kustomization.yaml: generators names ../../plugins, which is a folder; name the files in it',
    );
  });

  test('exec annotations on a built-in plugin run nothing', async () => {
    const touched = inScratch('touched');
    const { command } = program(`#!/bin/sh\n: > '${touched}'\n`, 'plugin.sh');
    const plugin = EXEC('apiVersion: builtin\nkind: PrefixTransformer\n').replace('./plugin.sh', command);
    const files = prod('transformers: [plugin.yaml]\n', {
      'overlays/prod/plugin.yaml': `${plugin}prefix: a-\n`,
    });
    expect([0, 1]).toContain((await runText(resourceList(files))).exitCode);
    expect(existsSync(touched)).toBe(false);
  });
});

describe('generator inputs that are not in a ResourceList', () => {
  const GENERATOR = 'configMapGenerator:\n- name: settings\n';
  const SETTINGS = '  files: [image=image.txt]\n';

  test('have placeholders: the build succeeds, and an info reports each', async () => {
    const files = prod(`${GENERATOR}  envs: [.env]\n  files: [certs/tls.crt, ca=ca.pem]\n`);
    const { exitCode, stdout, stderr } = await runText(resourceList(files));
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const inputs = ['overlays/prod/certs/tls.crt', 'overlays/prod/ca.pem', 'overlays/prod/.env'];
    const unknown = resultsIn(stdout).filter(({ tags }) => tags?.rule === undefined);
    expect(unknown).toEqual(
      inputs.map((file) => ({
        severity: 'info',
        message: `overlays/prod: the content of a generator input that is not YAML is unknown; a placeholder takes its place (${file})`,
        file: { path: file },
        tags: { overlay: 'overlays/prod' },
      })),
    );
  });

  test('have placeholders for a generator plugin too', async () => {
    const files = prod('generators: [generator.yaml]\n', {
      'overlays/prod/generator.yaml':
        'apiVersion: builtin\nkind: ConfigMapGenerator\nmetadata:\n  name: settings\nenvs: [settings.env]\n',
    });
    const { exitCode, stdout } = await runText(resourceList(files));
    expect(exitCode).toBe(0);
    expect(resultsIn(stdout)).toMatchObject([
      { severity: 'info', file: { path: 'overlays/prod/settings.env' } },
    ]);
  });

  test.each(['files: [gone.yaml]', 'files: [key=gone.yml]', 'envs: [gone.yaml]'])(
    'a missing YAML file is an error of the overlay: %s',
    async (inputs) => {
      const { exitCode, stdout, stderr } = await runUnbuilt(resourceList(prod(`${GENERATOR}  ${inputs}\n`)));
      expectOverlayRefused(exitCode, stdout);
      expect(stderr).toMatch(
        /^\[error\] overlays\/prod: overlays\/prod\/kustomization\.yaml: configMapGenerator names gone\.ya?ml, which is not in the package/,
      );
    },
  );

  test.each(['files: [../../../x.pem]', 'envs: [/etc/hostname]', 'files: ["https://example.com/x.pem"]'])(
    'an input outside the package is an error of the overlay: %s',
    async (inputs) => {
      const { exitCode, stdout } = await runUnbuilt(resourceList(prod(`${GENERATOR}  ${inputs}\n`)));
      expectOverlayRefused(exitCode, stdout);
    },
  );

  test.each([
    ['a folder of the package', `${GENERATOR}  files: [../../overlays]\n`, 'overlays'],
    ['below a file of the package', `${GENERATOR}  envs: [map.yaml/.env]\n`, 'overlays/prod/map.yaml'],
  ])('an input that is %s is an error of the overlay, with its path', async (_, more, name) => {
    const { exitCode, stdout, stderr } = await runText(resourceList(prod(more)));
    expectOverlayRefused(exitCode, stdout);
    expect(stderr).not.toContain('internal error');
    expect(stderr).toContain(name);
  });

  test('an input that is read both as a file and as variables', async () => {
    const files = prod(
      'configMapGenerator:\n- name: variables\n  envs: [.env]\n- name: complete\n  files: [.env]\n',
    );
    expect(await runText(resourceList(files))).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('an input that two kustomizations read, each after another input', async () => {
    const files = prod(`${GENERATOR}  envs: [eu/shared.env, own.env]\n`, {
      'overlays/prod/eu/kustomization.yaml': `${KUSTOMIZATION}${GENERATOR}  envs: [other.env, shared.env]\n`,
    });
    expect(await runText(resourceList(files))).toMatchObject({ exitCode: 0, stderr: '' });
  });

  const replacement = (source: string, target: string) =>
    `${GENERATOR}${SETTINGS}replacements:\n` +
    `- source: {kind: ConfigMap, name: settings, fieldPath: data.image${source}}\n` +
    `  targets: [{select: {kind: Workload}, fieldPaths: [spec.containers.0.image]${target}}]\n`;

  test.each([
    ['the complete content', '', ''],
    ['as the tag', '', ', options: {delimiter: ":", index: 1}'],
    [
      'its first word as the tag',
      ', options: {delimiter: " ", index: 0}',
      ', options: {delimiter: ":", index: 1}',
    ],
    [
      'its first character as the tag',
      ', options: {delimiter: "?", index: 0}',
      ', options: {delimiter: ":", index: 1}',
    ],
  ])('are never a pinned image: %s', async (_, source, target) => {
    const { exitCode, stderr } = await runText(
      resourceList(
        prod(replacement(source, target), {
          'overlays/prod/map.yaml': WORKLOAD('web:v1'),
        }),
      ),
    );
    expect(stderr).toContain('overlays/prod: Workload/web container "web" runs ');
    expect(exitCode).toBe(1);
  });
});

describe('the program', () => {
  let built: Bundle;
  let bundle: string;
  beforeAll(() => {
    built = buildBundle();
    bundle = built.guardrails;
  });
  afterAll(() => {
    built.remove();
  });

  function environment(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
    return {
      PATH: inScratch('bin'),
      HOME: scratch,
      XDG_CACHE_HOME: inScratch('cache'),
      TMPDIR: inScratch('tmp'),
      ...more,
    };
  }

  function start(input: string, env: NodeJS.ProcessEnv = {}, nodeOptions: readonly string[] = []) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [...nodeOptions, bundle], {
      input,
      encoding: 'utf8',
      env: environment(env),
    });
    return { status, stdout, stderr };
  }

  function temporaryFiles(): string[] {
    return readdirSync(inScratch('tmp'));
  }

  test('without a kustomize on PATH and in the cache: exit 2, with the command that installs one', () => {
    expect(start(resourceList(prod()))).toEqual({
      status: 2,
      stdout: '',
      stderr: `no kustomize found; ${INSTALL_HINT}\n`,
    });
    expect(temporaryFiles()).toEqual([]);
  });

  test('leaves no temporary folder, whatever the exit code', () => {
    program(print(CONFIG_MAP));
    const input = resourceList(prod());
    expect(start(input)).toMatchObject({ status: 0, stderr: '' });
    program(print(SECRET));
    expect(start(input)).toMatchObject({ status: 1 });
    program('#!/bin/sh\nexit 1\n');
    expect(start(input)).toMatchObject({ status: 1 });
    expect(start(input, { TMPDIR: inScratch('gone') })).toMatchObject({ status: 2, stdout: '' });
    expect(temporaryFiles()).toEqual([]);
  });

  interface Fault {
    readonly module: string;
    readonly name: string;
    readonly argument?: string;
    readonly skip?: number;
    readonly times?: number;
    /** What kustomize prints; default: a build that passes. */
    readonly output?: string;
  }
  const FAULTS: readonly [string, Fault][] = [
    ['reading the input', { module: 'fs', name: 'readSync' }],
    ['reading the rest of the input', { module: 'fs', name: 'readSync', skip: 1 }],
    ['finding the folder for temporary files', { module: 'os', name: 'tmpdir' }],
    ['making the temporary folder', { module: 'fs', name: 'mkdtempSync' }],
    ['resolving the temporary folder', { module: 'fs', name: 'realpathSync', argument: '/guardrails-' }],
    ['making a folder of the copy', { module: 'fs', name: 'mkdirSync' }],
    ['making the second folder of the copy', { module: 'fs', name: 'mkdirSync', skip: 1 }],
    ['writing the copy', { module: 'fs', name: 'writeFileSync' }],
    ['writing the second file of the copy', { module: 'fs', name: 'writeFileSync', skip: 1 }],
    ['counting the processors', { module: 'os', name: 'availableParallelism' }],
    ['starting kustomize', { module: 'child_process', name: 'spawn' }],
    ['collecting what kustomize prints', { module: 'buffer', name: 'Buffer.concat' }],
    [
      'making the folder for the origins',
      { module: 'fs', name: 'mkdirSync', argument: '/origins-', output: SECRET },
    ],
    [
      'writing the kustomization for the origins',
      { module: 'fs', name: 'writeFileSync', argument: '/origins-', output: SECRET },
    ],
    [
      'starting kustomize for the origins',
      { module: 'child_process', name: 'spawn', skip: 1, output: SECRET },
    ],
    ['removing the temporary folder', { module: 'fs', name: 'rmSync' }],
    ['writing the output', { module: 'fs', name: 'writeSync', argument: '^1$' }],
  ];

  test.each(FAULTS)('an unexpected error, %s', (_, { output = CONFIG_MAP, ...fault }) => {
    program(print(output));
    const { status, stdout, stderr } = start(
      resourceList(prod()),
      { GUARDRAILS_FAULT: JSON.stringify({ ...fault, message: CANARY }) },
      ['--require', path.join(__dirname, 'support/inject.cjs')],
    );
    expect(stderr).not.toContain(CANARY);
    expect(stderr).toMatch(/^internal error: Error( at \S+)?\n$/);
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    if (fault.name !== 'rmSync') expect(temporaryFiles()).toEqual([]);
  });

  test('a message that looks like a stack is redacted as well', () => {
    const message = `text\n    at ${CANARY} (of a Secret)`;
    const { status, stdout, stderr } = start(
      resourceList(prod()),
      { GUARDRAILS_FAULT: JSON.stringify({ module: 'fs', name: 'readSync', message }) },
      ['--require', path.join(__dirname, 'support/inject.cjs')],
    );
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
    expect(stderr).toContain('internal error: Error');
    expect(stderr).not.toContain(CANARY);
  });

  describe('on a signal', () => {
    test.each([
      ['SIGTERM', 143],
      ['SIGINT', 130],
      ['SIGHUP', 129],
    ] as const)('%s during a build: exit %i, no child process and no folder left', async (signal, status) => {
      const pidFile = inScratch('pid');
      program(
        `#!/bin/sh\necho $$ > '${pidFile}.new'\n/bin/mv '${pidFile}.new' '${pidFile}'\nexec /bin/sleep 60\n`,
      );
      const child = spawn(process.execPath, [bundle], { env: environment() });
      let stdout = '';
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
      const closed = once(child, 'close');
      child.stdin.end(resourceList(prod()));
      await until(() => existsSync(pidFile), 5);
      const pid = Number(readFileSync(pidFile, 'utf8'));
      expect(isRunning(pid)).toBe(true);
      expect(temporaryFiles()).toHaveLength(1);
      child.kill(signal);
      expect(await closed).toEqual([status, null]);
      expect(stdout).toBe('');
      await until(() => !isRunning(pid), 5);
      expect(temporaryFiles()).toEqual([]);
    });

    test.each(['SIGTERM', 'SIGINT'] as const)('%s while it waits for input: it exits', async (signal) => {
      const child = spawn(process.execPath, [bundle], { env: environment() });
      const closed = once(child, 'close');
      child.stdin.write('apiVersion: v1\n');
      await sleep(400); // it has started, and reads
      child.kill(signal);
      const ended = await Promise.race([closed, sleep(2000, 'still waiting', { ref: false })]);
      child.kill('SIGKILL');
      await closed;
      expect(ended).not.toBe('still waiting');
    });
  });
});
