import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'yaml';
import { type Bundle, buildBundle } from './support/bundle';
import { describeWithImage } from './support/image';
import { describeWithTool } from './support/tools';

const ROOT = path.join(__dirname, '..');
const PACKAGES = path.join(__dirname, 'packages');
/** kpt does not pass the files of these. */
const OF_KUSTOMIZE_ALONE = 'form-';
const CONFIG = 'base/guardrails.yaml';

interface Expectation {
  readonly exitCode: 0 | 1 | 2 | 3;
  /** The files whose workloads are hardened. */
  readonly hardened: readonly string[];
  /** A part of the messages of npm run render. */
  readonly says: string;
  /** What kpt's ways report in place of the policies of base, where kpt does not pass the inputs of generators. */
  readonly heldBack?: string;
  /** The message of one fix, where npm run render prints one line for each resource. */
  readonly fix?: string;
}

const GETS_12 =
  'gets 12 fields to comply with run-as-non-root, seccomp-profile, privilege-escalation, capabilities, read-only-root-filesystem, service-account-token, resources';
const RUN_AS_NON_ROOT = 'spec.template.spec.securityContext.runAsNonRoot: true';

const EXPECTED: Record<string, Expectation> = {
  'bad-configuration': {
    exitCode: 3,
    hardened: [],
    says: 'base/guardrails.yaml:8: spec.enviroments is an unknown key; ',
  },
  components: {
    exitCode: 0,
    hardened: ['base/web-deployment.yaml', 'overlays/components/cache/cache-statefulset.yaml'],
    says: `StatefulSet/cache ${GETS_12.replace('12', '14')} (overlays/components/cache/cache-statefulset.yaml)`,
    fix: 'StatefulSet/cache gets spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem: true (overlays/components/cache/cache-statefulset.yaml)',
  },
  configured: { exitCode: 0, hardened: ['base/web-deployment.yaml'], says: 'writes beside its program' },
  'every-workload': {
    exitCode: 0,
    hardened: ['agent-daemonset', 'cache-statefulset', 'debug-pod', 'migrate-job', 'report-cronjob'].map(
      (name) => `base/${name}.yaml`,
    ),
    says: `CronJob/report ${GETS_12.replace('12', '11')} (base/report-cronjob.yaml)`,
    fix: `CronJob/report gets spec.jobTemplate.${RUN_AS_NON_ROOT} (base/report-cronjob.yaml)`,
  },
  'generators-with-files': {
    exitCode: 0,
    hardened: ['base/web-deployment.yaml'],
    says: 'NetworkPolicy/web is added (base/network-policies.yaml)',
    heldBack:
      'overlays/prod: Deployment/web reads ConfigMap/web-files, whose content is not in the input, so it is not isolated for ingress and egress (base/web-deployment.yaml:5); run `guardrails fix` on the directory, which has the file, or write the values under literals of the generator',
  },
  'init-containers': {
    exitCode: 0,
    hardened: ['base/web-deployment.yaml'],
    says: `Deployment/web ${GETS_12.replace('12', '27')} (base/web-deployment.yaml)`,
    fix: 'Deployment/web gets spec.template.spec.initContainers[1].resources.limits.cpu: 500m (base/web-deployment.yaml)',
  },
  json: {
    exitCode: 0,
    hardened: ['base/web-deployment.json'],
    says: `Deployment/web ${GETS_12} (base/web-deployment.json)`,
  },
  list: {
    exitCode: 0,
    hardened: ['base/all-list.yaml'],
    says: `Deployment/web ${GETS_12} (base/all-list.yaml)`,
    fix: `Deployment/web gets items[1].${RUN_AS_NON_ROOT} (base/all-list.yaml)`,
  },
  'multi-document': {
    exitCode: 0,
    hardened: ['base/all.yaml'],
    says: `Deployment/writer ${GETS_12} (base/all.yaml)`,
    fix: `Deployment/writer gets ${RUN_AS_NON_ROOT} (base/all.yaml)`,
  },
  'nested-kustomizations': {
    exitCode: 0,
    hardened: ['base/apps/api/api-deployment.yaml', 'base/apps/web/web-deployment.yaml'],
    says: `Deployment/api ${GETS_12} (base/apps/api/api-deployment.yaml)`,
    fix: `Deployment/api gets ${RUN_AS_NON_ROOT} (base/apps/api/api-deployment.yaml)`,
  },
  'no-kustomization': {
    exitCode: 0,
    hardened: ['web-deployment.yaml'],
    says: `Deployment/web ${GETS_12} (web-deployment.yaml)`,
  },
  'other-controllers': {
    exitCode: 0,
    hardened: [
      'api-knative-service',
      'cache-cloneset',
      'convert-scaledjob',
      'legacy-deploymentconfig',
      'web-rollout',
    ].map((name) => `base/${name}.yaml`),
    says: `CloneSet/cache ${GETS_12} (base/cache-cloneset.yaml)`,
    fix: `Rollout/web gets ${RUN_AS_NON_ROOT} (base/web-rollout.yaml)`,
  },
  'overlay-on-overlay': {
    exitCode: 0,
    hardened: ['base/web-deployment.yaml'],
    says: `Deployment/web ${GETS_12} (base/web-deployment.yaml)`,
    fix: `Deployment/web gets ${RUN_AS_NON_ROOT} (base/web-deployment.yaml)`,
  },
  'refused-latest': {
    exitCode: 1,
    hardened: [],
    says: 'overlays/prod: Deployment/web container "web" runs example.com/web:latest, which has the tag latest (overlays/prod/kustomization.yaml:6, images[0])',
  },
  'this repository': {
    exitCode: 0,
    hardened: [],
    says: 'overlays/dev: Deployment/todo-backend container "backend" runs todo-backend:latest',
  },
  'two-trees': {
    exitCode: 0,
    hardened: ['office/base/web-deployment.yaml', 'shop/base/web-deployment.yaml'],
    says: `Deployment/office ${GETS_12} (office/base/web-deployment.yaml)`,
    fix: `Deployment/office gets ${RUN_AS_NON_ROOT} (office/base/web-deployment.yaml)`,
  },
  'unbuildable-remote-base': { exitCode: 1, hardened: [], says: 'https://example.com/monitoring.yaml' },
};

let bundle: Bundle;
beforeAll(() => {
  bundle = buildBundle();
});
afterAll(() => {
  bundle.remove();
});

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'same-bytes-test-'));
});
afterEach(() => {
  rmSync(scratch, { recursive: true });
});

/** The result of one way of running the function on a package. */
interface Outcome {
  readonly exitCode: number | null;
  readonly files: Record<string, unknown>;
  readonly messages: readonly string[];
}

interface Result {
  readonly message: string;
  readonly resourceRef?: object;
  readonly field?: object;
  readonly file?: { readonly path: string };
  readonly tags?: { readonly rule?: string };
}

type Way = (folder: string) => Outcome & { readonly results?: readonly Result[] };

function copyOf(name: string): string {
  const folder = path.join(scratch, 'package');
  rmSync(folder, { recursive: true, force: true });
  if (name === 'this repository')
    for (const entry of ['base', 'overlays', 'Kptfile', '.krmignore'])
      cpSync(path.join(ROOT, entry), path.join(folder, entry), { recursive: true });
  else {
    cpSync(path.join(PACKAGES, name), folder, { recursive: true });
    writeFileSync(path.join(folder, '.krmignore'), 'dist/\n');
    writeFileSync(
      path.join(folder, 'Kptfile'),
      'apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: package\npipeline:\n  mutators:\n' +
        `    - image: a\n${existsSync(path.join(folder, CONFIG)) ? `      configPath: ${CONFIG}\n` : ''}`,
    );
  }
  return folder;
}

/** The files that kpt reads except the Kptfile: newer versions write a status there. */
function filesIn(folder: string): Record<string, unknown> {
  return Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && /\.(yaml|json)$/.test(entry.name))
      .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
      .filter((file) => !file.startsWith('dist/'))
      .sort()
      .map((file) => {
        const text = readFileSync(path.join(folder, file), 'utf8');
        // kpt sorts the keys of a JSON file that it writes: there the values are the same, not the bytes.
        return [file, file.endsWith('.json') ? (JSON.parse(text) as unknown) : text];
      }),
  );
}

/** One message a line, without the lines that only npm run render prints: counts, and what to do next. */
function messagesIn(text: string): string[] {
  return text
    .split('\n')
    .filter(
      (line) =>
        line !== '' &&
        !/^(\S+: (\d+ resources?|not built), |next: |errors found; nothing was written$|no Guardrails configuration )/.test(
          line,
        ),
    )
    .map((line) => line.replace(/^ *\[(error|warning|info)\] /, ''))
    .map(withoutVersion)
    .sort();
}

/** The image has a kustomize of its own. */
function withoutVersion(text: string): string {
  return text.replace(/built by kustomize [^";\n]*/, 'built by kustomize');
}

/** The messages of results as npm run render prints them: one line for all fixes of a resource. */
function messagesOf(results: readonly Result[] | undefined, stderr: string): string[] {
  if (results === undefined) return messagesIn(stderr);
  const isFix = ({ message, field }: Result) =>
    field !== undefined && / gets (an entry in )?\S+: /.test(message);
  const fixes = new Map<string, Result[]>();
  for (const result of results.filter(isFix)) {
    const resource = JSON.stringify([result.file, result.resourceRef]);
    fixes.set(resource, [...(fixes.get(resource) ?? []), result]);
  }
  const lines = [...fixes.values()].map((ofResource) => {
    const [{ message, file } = { message: '' }] = ofResource;
    const rules = new Set(ofResource.map(({ tags }) => tags?.rule));
    return `${message.split(' ', 1)[0] ?? ''} gets ${ofResource.length} fields to comply with ${[...rules].join(', ')} (${file?.path ?? ''})`;
  });
  // A command line reads the inputs of generators; kpt does not pass them.
  const others = results
    .filter((one) => !isFix(one) && !one.message.includes('a placeholder takes its place'))
    .map(({ message }) => withoutVersion(message));
  return [...lines, ...others].sort();
}

const npmRunRender: Way = (folder) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...bundle.render, folder], {
    cwd: scratch,
    encoding: 'utf8',
  });
  return { exitCode: status, files: filesIn(folder), messages: messagesIn(`${stdout}${stderr}`) };
};

/** Through `kpt fn source` and `kpt fn sink`, as a pipe would. */
function standardStreams(kpt: string): Way {
  return (folder) => {
    const source = execFileSync(kpt, ['fn', 'source', folder], { encoding: 'utf8' });
    const config = existsSync(path.join(folder, CONFIG))
      ? `functionConfig:\n${readFileSync(path.join(folder, CONFIG), 'utf8').replaceAll(/^(?=.)/gm, '  ')}`
      : '';
    const { status, stdout, stderr } = spawnSync(process.execPath, [bundle.guardrails], {
      input: `${source}${config}`,
      encoding: 'utf8',
    });
    const { results } = (parse(stdout) ?? {}) as { results?: Result[] };
    const sunk = path.join(scratch, 'sunk');
    rmSync(sunk, { recursive: true, force: true });
    // On exit codes 1 and 3 the items come back unchanged.
    if (stdout !== '') execFileSync(kpt, ['fn', 'sink', sunk], { input: stdout });
    return {
      exitCode: status,
      files: filesIn(stdout === '' ? folder : sunk),
      messages: messagesOf(results, stderr),
      ...(results && { results }),
    };
  };
}

/** @param runs what the Kptfile runs: `image: <name>` or `exec: <command>` */
function kptFnRender(kpt: string, runs: string, ...more: string[]): Way {
  return (folder) => {
    const kptfile = path.join(folder, 'Kptfile');
    writeFileSync(kptfile, readFileSync(kptfile, 'utf8').replace(/image: .*/, runs));
    const reported = path.join(scratch, 'reported');
    spawnSync(kpt, ['fn', 'render', '--results-dir', reported, ...more], { cwd: folder });
    const report = parse(readFileSync(path.join(reported, 'results.yaml'), 'utf8')) as {
      items: [{ exitCode: number; stderr?: string; results?: Result[] }];
    };
    const [{ exitCode, stderr = '', results }] = report.items;
    return {
      exitCode,
      files: filesIn(folder),
      messages: messagesOf(results, stderr),
      ...(results && { results }),
    };
  };
}

/** The result of a way for each package, computed once. */
function once(way: Way): (name: string) => ReturnType<Way> {
  const outcomes = new Map<string, ReturnType<Way>>();
  return (name) => {
    const outcome = outcomes.get(name) ?? way(copyOf(name));
    outcomes.set(name, outcome);
    return outcome;
  };
}

const names = Object.keys(EXPECTED);

test('every package has an expectation', () => {
  const folders = readdirSync(PACKAGES).filter((name) => !name.startsWith(OF_KUSTOMIZE_ALONE));
  expect(folders.sort()).toEqual(names.filter((name) => name !== 'this repository').sort());
});

test.each(Object.entries(EXPECTED))('npm run render: %s', (name, { exitCode, hardened, says }) => {
  const folder = copyOf(name);
  const before = filesIn(folder);
  const after = npmRunRender(folder);
  expect(after).toMatchObject({ exitCode });
  expect(after.messages.join('\n')).toContain(says);
  if (exitCode !== 0 || hardened.length === 0) expect(after.files).toEqual(before);
  for (const file of hardened) {
    expect(JSON.stringify(before[file])).not.toContain('runAsNonRoot');
    expect(JSON.stringify(after.files[file])).toContain('runAsNonRoot');
  }
  expect(npmRunRender(folder)).toMatchObject({ exitCode, files: after.files });
});

describeWithTool('kpt', 'as npm run render does', (kpt) => {
  const rendered = once(npmRunRender);
  const streamed = once(standardStreams(kpt));

  /** What npm run render does; a functionConfig has no file and no line. */
  function expectedOf(name: string) {
    const { messages, ...outcome } = rendered(name);
    const withoutFile = messages.map((line) =>
      line.replace(/^base\/guardrails\.yaml:\d+: /, 'functionConfig: '),
    );
    const heldBack = EXPECTED[name]?.heldBack;
    if (heldBack === undefined) return { ...outcome, messages: withoutFile.sort() };
    const isOfPolicies = (line: string) => / network-policies\.yaml | is added /.test(line);
    const others = withoutFile
      .filter((line) => !isOfPolicies(line))
      .map((line) => line.replace(/(?<=^judged: .*)$/, '; 1 workload not isolated'));
    const files = Object.fromEntries(
      Object.entries(outcome.files)
        .filter(([file]) => file !== 'base/network-policies.yaml')
        .map(([file, text]) => [file, String(text).replace('  - network-policies.yaml\n', '')]),
    );
    return { ...outcome, files, messages: [...others, heldBack].sort() };
  }

  test.each(names)('standard input and output: %s', (name) => {
    const { results, ...outcome } = streamed(name);
    expect(outcome).toEqual(expectedOf(name));
    const fix = EXPECTED[name]?.fix;
    if (fix !== undefined) expect(results?.map(({ message }) => message)).toContain(fix);
  });

  test('policies of which kpt does not pass what decides are kept as npm run render wrote them', () => {
    const folder = copyOf('generators-with-files');
    const { files } = npmRunRender(folder);
    expect(standardStreams(kpt)(folder)).toMatchObject({
      exitCode: 0,
      files,
      messages: [
        'judged: overlays/prod; taken for a base: base; built by kustomize',
        expect.stringMatching(
          /^overlays\/prod: Deployment\/web reads ConfigMap\/web-files, whose content is not in the input, so its policies are kept as they are /,
        ),
      ],
    });
  });

  /** As npm run render does, and with the results of standard output, field by field. */
  function expectSame(name: string, way: Way): void {
    const { results, ...outcome } = way(copyOf(name));
    expect(outcome).toEqual(expectedOf(name));
    // kpt omits empty values, such as the name of a kustomization.
    const wire = withoutVersion(JSON.stringify(streamed(name).results ?? null));
    expect(JSON.parse(withoutVersion(JSON.stringify(results ?? null)))).toEqual(
      JSON.parse(wire, (_, value: unknown) => (value === '' ? undefined : value)),
    );
  }

  test.each(names)('kpt fn render, exec: %s', (name) => {
    expectSame(name, kptFnRender(kpt, `exec: ${process.execPath} ${bundle.guardrails}`, '--allow-exec'));
  });

  describeWithImage('kpt fn render, the container', (image) => {
    test.each(names)('%s', (name) => {
      expectSame(name, kptFnRender(kpt, `image: ${image}`));
    });
  });
});
