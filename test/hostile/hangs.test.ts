import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { parseImageReference } from '../../functions/guardrails/kubernetes/image-reference';
import { parseQuantity } from '../../functions/guardrails/kubernetes/quantity';
import { escapeText } from '../../functions/guardrails/findings/print';
import { CONFIG_MAP, KUSTOMIZATION, useHostileRun } from '../support/hostile-run';
import { commandLines, isRunning, until } from '../support/processes';
import { run as runFunction } from '../../functions/guardrails/run';
import { findKustomizeForTests } from '../support/tools';

const run = useHostileRun();
const runText = (text: string) =>
  runFunction(Buffer.from(text), () => Promise.resolve(findKustomizeForTests()));
const OVERLAY = 'overlays/prod/kustomization.yaml';

describe('a file that is none', () => {
  /** Where the function opens a file, and the package that makes it do so. */
  const places: readonly [file: string, kustomization: string][] = [
    ['overlays/prod/a.yaml', 'resources: [a.yaml]\n'],
    ['overlays/prod/.env', 'configMapGenerator: [{name: g, envs: [.env]}]\n'],
    ['overlays/prod/key.pem', 'secretGenerator: [{name: g, files: [key.pem]}]\n'],
    ['overlays/prod/patch.yaml', 'resources: [map.yaml]\npatches: [{path: patch.yaml}]\n'],
    ['.krmignore', 'resources: [map.yaml]\n'],
    ['Kptfile', 'resources: [map.yaml]\n'],
    ['dist/prod.yaml', 'resources: [map.yaml]\n'],
    ['dist/.guardrails-files', 'resources: [map.yaml]\n'],
    ['README.md', 'resources: [map.yaml]\n'],
  ];
  const kinds: [string, (file: string) => void | Promise<void>][] = [
    ['a FIFO', (file) => void execFileSync('mkfifo', [file])],
    [
      'a socket',
      (file) =>
        new Promise((resolve) => {
          const server = net.createServer().listen(file, () => {
            // Closing would delete the file.
            server.unref();
            resolve();
          });
        }),
    ],
    [
      'a folder',
      (file) => {
        mkdirSync(file);
      },
    ],
  ];
  // Only root may make one.
  if (process.getuid?.() === 0)
    kinds.push(['a device', (file) => void execFileSync('mknod', [file, 'c', '1', '5'])]);

  test.each(kinds.flatMap(([kind, make]) => places.map((place) => [kind, ...place, make] as const)))(
    '%s as %s is refused with its name, and nothing waits for it',
    async (kind, file, kustomization, make) => {
      run().program('kustomize', `#!/bin/sh\nprintf '%s' '${CONFIG_MAP}'\n`);
      run().write({
        [OVERLAY]: `${KUSTOMIZATION}${kustomization}`,
        'overlays/prod/map.yaml': CONFIG_MAP,
        ...(file === '.krmignore' ? {} : { '.krmignore': 'dist/\n' }),
      });
      mkdirSync(path.dirname(path.join(run().dir, file)), { recursive: true });
      await make(path.join(run().dir, file));
      const { status, stdout, stderr } = file === 'README.md' ? run().graph() : run().render();
      // A folder is no file at all for a reader of YAML files.
      const isIgnored = kind === 'a folder' && ['Kptfile', 'overlays/prod/a.yaml'].includes(file);
      if (isIgnored) expect(status).not.toBeNull();
      else {
        const isOfOverlay = /\.(env|pem)$/.test(file) || (kind === 'a folder' && file.endsWith('patch.yaml'));
        expect(status).toBe(isOfOverlay ? 1 : 2);
        expect(isOfOverlay ? stdout : stderr).toContain(file);
      }
    },
  );
});

describe('a kustomize that does not end', () => {
  const LIMIT = '--timeout=1s';
  const processes = () => path.join(run().scratch, 'processes');
  const startedIds = () => readFileSync(processes(), 'utf8').trim().split('\n').map(Number);
  /** Processes in a namespace of their own have other ids there. */
  const isGone = (marker: string) => !commandLines().some((line) => line.includes(marker));

  beforeEach(() => {
    run().write({
      '.krmignore': 'dist/\n',
      [OVERLAY]: `${KUSTOMIZATION}resources: [map.yaml]\n`,
      'overlays/prod/map.yaml': CONFIG_MAP,
    });
  });

  test.each([
    ['sleeps', 'exec /bin/sleep 4711', '4711'],
    ['has a child that sleeps', '/bin/sleep 4712 & wait', '4712'],
    ['has a child in the background that holds its output', '/bin/sleep 4713 & exit 0', '4713'],
    ['ignores signals', "trap '' TERM INT HUP; while :; do /bin/sleep 0.0714; done", '0.0714'],
    ['has a grandchild', '(/bin/sh -c "/bin/sleep 4715; :" &) ; /bin/sleep 4715', '4715'],
    ['leaves its group', '/usr/bin/setsid /bin/sleep 30.4716 & wait', undefined],
  ])('%s: is stopped, and no process is left', async (_, script, marker) => {
    run().program('kustomize', `#!/bin/sh\n${script}\n`);
    const { status, stdout } = run().render(LIMIT);
    expect(status).not.toBeNull();
    if (!script.endsWith('exit 0')) {
      expect(status).toBe(1);
      expect(stdout).toContain(
        '  [error] overlays/prod: kustomize ran for more than 1 s and was stopped; look for a base that is included many times, or raise --timeout\n',
      );
    }
    if (marker !== undefined) await until(() => isGone(`sleep ${marker}`), 5);
  });

  test.each([
    ['output', ''],
    ['errors', ' >&2'],
  ])('300 MB of %s: is stopped', (_, where) => {
    run().program('kustomize', `#!/bin/sh\nexec /usr/bin/head -c 300000000 /dev/zero${where}\n`);
    const { status, stdout } = run().render();
    expect(status).toBe(1);
    expect(stdout).toContain(
      '  [error] overlays/prod: kustomize printed more than 256 MiB and was stopped; look for a base that is included many times, or raise --timeout\n',
    );
  });

  test('a diamond of 2^20 bases', () => {
    run().realKustomize();
    const levels = Array.from({ length: 20 }, (_, i) => i);
    run().write({
      ...Object.fromEntries(
        levels.flatMap((i) =>
          ['a', 'b'].map((side) => [
            `bases/${side}${i}/kustomization.yaml`,
            `${KUSTOMIZATION}namePrefix: ${side}-\nresources: ${i === 19 ? '[../../leaf]' : `[../a${i + 1}, ../b${i + 1}]`}\n`,
          ]),
        ),
      ),
      'leaf/kustomization.yaml': `${KUSTOMIZATION}resources: [map.yaml]\n`,
      'leaf/map.yaml': CONFIG_MAP,
      [OVERLAY]: `${KUSTOMIZATION}resources: [../../bases/a0]\n`,
    });
    const { status, stdout } = run().render('--timeout=3s');
    expect(status).toBe(1);
    expect(stdout).toMatch(/kustomize (ran for more than 3 s|printed more than 256 MiB) and was stopped/);
  });

  test('SIGTERM: its children end with the function', async () => {
    run().program('kustomize', `#!/bin/sh\necho $$ > '${processes()}'\n/bin/sleep 4717 &\nwait\n`);
    const script = `"$0" "$@" & pid=$!; while [ ! -s '${processes()}' ]; do /bin/sleep 0.05; done; kill -TERM $pid; wait $pid; echo "exit $?"`;
    const { stdout } = spawnSync(
      '/bin/sh',
      ['-c', script, process.execPath, ...run().bundle.render, run().dir],
      { encoding: 'utf8', env: run().environment(), timeout: 30_000 },
    );
    expect(stdout).toBe('exit 143\n');
    expect(startedIds()).toHaveLength(1);
    await until(() => isGone('sleep 4717'), 5);
    expect(isRunning(process.pid)).toBe(true);
  });

  test.each(['', '5', '0s', '-1m', '1d', 'ms', '999999h', 's'])('--timeout=%s is refused', (duration) => {
    const { status, stderr } = run().render(`--timeout=${duration}`);
    expect(status).toBe(2);
    expect(stderr).toContain(`--timeout must be a duration such as 30s, 5m or 1h, found ${duration}\n`);
  });
});

describe('a long run of one character takes time in proportion to its length', () => {
  const LENGTH = 200_000;
  const CHARACTERS: readonly [string, string][] = [
    ['spaces', ' '],
    ['tabs', '\t'],
    ['letters', 'a'],
    ['capitals', 'A'],
    ['digits', '1'],
    ['zeros', '0'],
    ['dots', '.'],
    ['hyphens', '-'],
    ['underscores', '_'],
    ['slashes', '/'],
    ['colons', ':'],
    ['at signs', '@'],
    ['equals signs', '='],
    ['commas', ','],
    ['quotes', "'"],
    ['brackets', '['],
    ['bars', '|'],
    ['letters and spaces', 'a '],
    ['letters and hyphens', 'a-'],
    ['letters and dots', 'a.'],
    ['"until "', 'until '],
    ['characters beyond ASCII', '\u00e9'],
    ['no-break spaces', '\u00a0'],
    ['emoji', '\u{1f600}'],
  ];
  /** A test is killed after 60 s; a search that grows with the square would take minutes. */
  const LIMIT = 20_000;
  const long = (text: string) => text.repeat(Math.ceil(LENGTH / text.length));
  const value = (text: string) => JSON.stringify(`x${long(text)}!`);
  const annotations = [
    'exempt.todo.example.com/run-as-non-root',
    'todo.example.com/writable-paths',
    'todo.example.com/connects-to',
    'todo.example.com/internet-egress',
    'todo.example.com/accepts-from',
    'kubectl.kubernetes.io/last-applied-configuration',
  ];

  test.each(CHARACTERS)(
    '%s, in every annotation, name, image, quantity, env and comment',
    async (_, text) => {
      const pod = `apiVersion: v1
kind: Pod
metadata:
  name: ${value(text)}
  namespace: ${value(text)}
  labels: {app: ${value(text)}}
  annotations:
${annotations.map((key) => `    ${key}: ${value(text)}\n`).join('')}spec:
  containers:
    - name: ${value(text)}
      image: ${value(text)}
      args: [${value(text)}]
      env: [{name: API_URL, value: ${value(text)}}, {name: B, value: ${JSON.stringify(`${long(text)} until 2030-01-01`)}}]
      volumeMounts: [{name: a, mountPath: ${value(text)}}]
      resources: {limits: {cpu: ${value(text)}, memory: ${JSON.stringify(long(text))}}}
---
apiVersion: v1
kind: Secret
metadata: {name: s}
stringData: {k: ${value(text)}, ${value(text)}: b}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: ${value(text)}}
spec:
  podSelector: {matchLabels: {app: ${value(text)}}}
  egress: [{to: [{ipBlock: {cidr: ${value(text)}}}]}]
`;
      const { exitCode } = await runText(pod);
      expect([0, 1, 2]).toContain(exitCode);
    },
    LIMIT,
  );

  test.each(CHARACTERS)(
    '%s, unquoted, as a comment, a key, a block and a folded text',
    async (_, text) => {
      const many = long(text);
      for (const document of [
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a} #${many}x\ndata: {}\n`,
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: |-  # ${many}\n    ${many}x\n  l: >\n   ${many}\n`,
        `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n  k: "a${many}\n    ${many}"\n`,
        `apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers: [{name: c, image: 'a:v1'}]${many}\n`,
        `a${many}: b\n`,
        `${many}\n`,
      ]) {
        const { exitCode } = await runText(document);
        expect([0, 1, 2]).toContain(exitCode);
      }
    },
    LIMIT,
  );

  test.each(CHARACTERS)(
    '%s, for the readers alone',
    (_, text) => {
      for (const input of [long(text), `x${long(text)}!`, `${long(text)}x`]) {
        parseImageReference(input);
        parseQuantity(input);
        expect(escapeText(input).length).toBeGreaterThan(0);
      }
    },
    LIMIT,
  );
});
