import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { builtImage, describeWithImage, imageInKptfile } from './support/image';
import { describeWithTool, toolPath } from './support/tools';
import { type Tree, editFile, readTree, writeTree } from './support/tree';

const ROOT = path.join(__dirname, '..');
/** As kpt starts a container, with more restrictions. */
const CONFINED = [
  ...['--rm', '--interactive', '--pull=never', '--network=none', '--user=nobody'],
  ...['--security-opt=no-new-privileges', '--cap-drop=ALL', '--read-only', '--tmpfs=/tmp'],
];
const SKELETON = 'apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n';
// As a user writes it: a name and an image only.
const WORKER = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: todo-worker
  labels:
    app: todo-worker
spec:
  selector:
    matchLabels:
      app: todo-worker
  template:
    metadata:
      labels:
        app: todo-worker
    spec:
      containers:
        - name: worker
          image: registry.example.com/todo/todo-worker:v1.0.0 # reads the queue
`;
const HARDENED_WORKER = `${WORKER}          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop:
                - ALL
            readOnlyRootFilesystem: true
          volumeMounts:
            - name: guardrails-tmp
              mountPath: /tmp
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              cpu: 500m
              memory: 512Mi
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      volumes:
        - name: guardrails-tmp
          emptyDir:
            sizeLimit: 64Mi
      automountServiceAccountToken: false
`;

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(path.join(tmpdir(), 'container-test-'));
});
afterEach(() => {
  rmSync(scratch, { recursive: true });
});

const write = (files: Readonly<Tree>) => {
  writeTree(scratch, files);
};

const edit = (file: string, from: string | RegExp, to: string) => {
  editFile(scratch, file, from, to);
};

/** Every file but the Kptfile, whose status newer versions of kpt write. */
const tree = () => readTree(scratch, (file) => path.basename(file) !== 'Kptfile');

test('the Kptfile names the image that npm run image builds, or its digest', () => {
  expect([builtImage(), builtImage().replace(/:[^:]*$/, '@sha256:')]).toContainEqual(
    imageInKptfile().replace(/[0-9a-f]{64}$/, ''),
  );
});

describeWithImage('the image', (image) => {
  const docker = (...args: string[]) =>
    execFileSync('docker', args, { encoding: 'utf8', maxBuffer: 1 << 28, stdio: ['ignore', 'pipe', 'pipe'] });

  test('runs as a numeric non-root user, in exec form, with labels', () => {
    const [{ Config: config }] = JSON.parse(docker('image', 'inspect', image)) as [
      { Config: { User: string; Entrypoint: string[]; Cmd: null; Labels: Record<string, string> } },
    ];
    expect(config.User).toBe('65534:65534');
    expect(config.Entrypoint).toEqual([
      '/usr/bin/tini-static',
      '--',
      '/usr/local/bin/node',
      '/usr/local/lib/guardrails.js',
    ]);
    expect(config.Cmd).toBeNull();
    expect(config.Labels).toEqual({
      'org.opencontainers.image.title': 'todo-guardrails',
      'org.opencontainers.image.description':
        'Hardens Kubernetes workloads in place and verifies what every overlay builds',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': '0.1.0',
    });
  });

  test('contains three programs, no shell and no setuid file, and for each part a licence and an entry in the SBOM', () => {
    const container = docker('create', image).trim();
    let listed: string;
    try {
      const archive = path.join(scratch, 'image.tar');
      docker('export', `--output=${archive}`, container);
      listed = execFileSync('tar', ['--list', '--verbose', '--numeric-owner', `--file=${archive}`], {
        encoding: 'utf8',
      });
    } finally {
      docker('rm', container);
    }
    const entries = listed
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [mode = '', owner = '', size, , , ...name] = line.split(/\s+/);
        return { mode, owner, size, name: name.join(' ') };
      });
    // Docker adds empty files of its own to every container.
    const files = entries.filter(({ mode, size }) => mode.startsWith('-') && size !== '0');
    const programs = files.filter(({ mode, name }) => mode.includes('x') && !/^lib(64)?\//.test(name));
    expect(programs.map(({ name }) => name)).toEqual([
      'usr/bin/tini-static',
      'usr/local/bin/kustomize',
      'usr/local/bin/node',
    ]);
    expect(entries.filter(({ mode }) => mode.slice(0, 10).includes('s'))).toEqual([]);
    expect(entries.filter(({ owner }) => owner !== '0/0')).toEqual([]);
    // Only /tmp is writable by others.
    expect(
      entries.filter(({ mode }) => !mode.startsWith('l') && mode[8] === 'w').map(({ name }) => name),
    ).toEqual(['tmp/']);
    const { components } = JSON.parse(
      docker(
        ...['run', ...CONFINED, '--entrypoint=/usr/local/bin/node', image],
        ...['--print', `fs.readFileSync('/sbom.cdx.json', 'utf8')`],
      ),
    ) as { components: { name: string; version: string; purl: string }[] };
    const licensed = (folder: string) =>
      files.map(({ name }) => name).filter((name) => name.startsWith(`licenses/${folder}/`));
    expect(licensed('guardrails')).toEqual([
      'licenses/guardrails/LICENSE',
      'licenses/guardrails/guardrails.licenses.txt',
    ]);
    expect(licensed('node')).toEqual(['licenses/node/LICENSE']);
    expect(licensed('debian')).toEqual([
      'licenses/debian/libc6/copyright',
      'licenses/debian/libgcc-s1/copyright',
      'licenses/debian/libstdc++6/copyright',
      'licenses/debian/tini/copyright',
    ]);
    const modules = components
      .filter(({ purl }) => purl.startsWith('pkg:golang/'))
      .map(({ name, version }) => (name === 'stdlib' ? 'go' : `${name}@${version}`));
    const licensedModules = licensed('kustomize').map((name) =>
      path.posix.relative('licenses/kustomize', path.posix.dirname(name)),
    );
    expect(modules).toContain('sigs.k8s.io/kustomize/kustomize/v5@v5.8.1');
    expect([...new Set(licensedModules)].sort()).toEqual(modules.sort());
    const others = components.filter(({ purl }) => !purl.startsWith('pkg:golang/'));
    expect(others.map(({ name }) => name)).toEqual([
      'js-yaml',
      're2js',
      'valibot',
      'node',
      'libc6',
      'libgcc-s1',
      'libstdc++6',
      'tini',
    ]);
    expect(others.find(({ name }) => name === 'node')?.version).toBe('24.21.0');
  });

  test('has no shell', () => {
    for (const shell of ['/bin/sh', '/bin/bash', '/busybox/sh']) {
      const { status, stderr } = spawnSync('docker', ['run', '--rm', `--entrypoint=${shell}`, image], {
        encoding: 'utf8',
      });
      expect(status).toBe(127);
      expect(stderr).toContain('no such file or directory');
    }
  });

  test('contains kustomize 5.8.1', () => {
    expect(docker('run', ...CONFINED, '--entrypoint=/usr/local/bin/kustomize', image, 'version')).toBe(
      'v5.8.1\n',
    );
  });

  test('hardens and builds as nobody, without a network, on a read-only root', () => {
    const item = (file: string, text: string) =>
      `- ${text.replace('metadata:\n', `metadata:\n  annotations:\n    internal.config.kubernetes.io/path: ${file}\n`).trimEnd().replaceAll('\n', '\n  ')}\n`;
    const kustomization =
      'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata:\n  name: prod\nresources:\n- worker.yaml\n';
    const input =
      SKELETON +
      item('overlays/prod/kustomization.yaml', kustomization) +
      item('overlays/prod/worker.yaml', WORKER);
    const { status, stdout, stderr } = spawnSync('docker', ['run', ...CONFINED, image], {
      input,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    const { items } = parse(stdout) as { items: { metadata: { annotations?: object } }[] };
    const [, { metadata, ...worker } = { metadata: {} }] = items;
    expect(metadata).toMatchObject({ name: 'todo-worker' });
    expect(worker).toEqual({ ...(parse(HARDENED_WORKER) as object), metadata: undefined });
  });

  test.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s while it waits for input: it exits at once', async (signal, expected) => {
    const name = path.basename(scratch);
    const child = spawn('docker', ['run', ...CONFINED, `--name=${name}`, image], {
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    const closed = once(child, 'close');
    try {
      child.stdin.write(SKELETON);
      for (let i = 0; docker('ps', '--quiet', `--filter=name=${name}`) === ''; i++) {
        if (i === 100) throw new Error('it did not start');
        await sleep(100);
      }
      await sleep(500); // node has started, and reads
      const start = Date.now();
      docker('kill', `--signal=${signal}`, name);
      const [status] = (await closed) as [number];
      expect(status).toBe(expected);
      // Includes the time that docker takes to remove the container.
      expect(Date.now() - start).toBeLessThan(4000);
    } finally {
      spawnSync('docker', ['rm', '--force', name]);
    }
  });

  describeWithTool('kpt', 'through kpt, without --allow-exec', (kpt) => {
    const render = () => spawnSync(kpt, ['fn', 'render'], { cwd: scratch, encoding: 'utf8' });

    beforeEach(() => {
      for (const entry of ['base', 'overlays', 'Kptfile', '.krmignore'])
        cpSync(path.join(ROOT, entry), path.join(scratch, entry), { recursive: true });
      edit('Kptfile', imageInKptfile(), image);
    });

    test('kpt fn render, twice: no diff, no file deleted', () => {
      const before = tree();
      for (let round = 1; round <= 2; round++) {
        const { status, stderr } = render();
        expect({ status, stderr }).toMatchObject({ status: 0 });
        expect(tree()).toEqual(before);
      }
    });

    test('with latest in prod: refused, nothing written', () => {
      edit('overlays/prod/kustomization.yaml', /newTag: v.*/, 'newTag: latest');
      const before = tree();
      const { status, stderr } = render();
      expect(status).not.toBe(0);
      expect(stderr).toContain(
        'overlays/prod: Deployment/todo-backend container "backend" runs registry.example.com/todo/todo-backend:latest, which has the tag latest ',
      );
      const [above = ''] = (before['overlays/prod/kustomization.yaml'] ?? '').split(
        '  - name: todo-backend\n',
      );
      const line = above.split('\n').length;
      expect(stderr).toContain(`(overlays/prod/kustomization.yaml:${line}, images[0]); pin it under images`);
      expect(tree()).toEqual(before);
    });

    test('with a new component: hardened, its policies generated, and a second run changes nothing', () => {
      const calls =
        '          env:\n            - name: BACKEND_URL\n              value: http://todo-backend\n';
      edit('base/kustomization.yaml', '  - ingress\n', '  - ingress\n  - worker.yaml\n');
      write({ 'base/worker.yaml': WORKER + calls });
      const { 'base/network-policies.yaml': policiesBefore = '', ...before } = tree();
      expect(render()).toMatchObject({ status: 0 });
      const after = tree();
      const { 'base/network-policies.yaml': policies = '', ...others } = after;
      const hardened = calls + HARDENED_WORKER.slice(WORKER.length);
      expect(others).toEqual({ ...before, 'base/worker.yaml': WORKER + hardened });
      const names = (text: string): string[] => text.match(/^ {2}name: .*$/gm) ?? [];
      expect(names(policies).filter((name) => !names(policiesBefore).includes(name))).toEqual([
        '  name: todo-worker',
      ]);
      // At both ends: in the policy of the backend, and in that of the worker.
      const reasons = policies.match(/# Deployment\/todo-worker env BACKEND_URL -> Service\/todo-backend$/gm);
      expect(reasons).toHaveLength(2);
      expect(render()).toMatchObject({ status: 0 });
      expect(tree()).toEqual(after);
    });

    describeWithTool('kustomize', 'and kustomize', (kustomize) => {
      const evaluated = (overlay: string) => {
        const built = execFileSync(kustomize, ['build', path.join(scratch, overlay)], { encoding: 'utf8' });
        const config = path.join(scratch, 'base/guardrails.yaml');
        const args = ['fn', 'eval', '-', '--image', image, '--fn-config', config, '--output', 'unwrap'];
        return { built, ...spawnSync(kpt, args, { input: built, encoding: 'utf8' }) };
      };

      test('kustomize build overlays/prod | kpt fn eval -: kubectl reads the same resources as from the build', () => {
        const { built, status, stdout, stderr } = evaluated('overlays/prod');
        expect({ status, stderr }).toMatchObject({ status: 0 });
        expect(read(stdout)).toEqual(read(built));
      });

      test('kustomize build overlays/dev | kpt fn eval -: checked against every rule, and no output', () => {
        const { status, stdout, stderr } = evaluated('overlays/dev');
        expect(status).toBe(1);
        expect(stdout).toBe('');
        expect(stderr).toContain('Deployment/todo-backend container "backend" runs todo-backend:latest');
      });

      /** Each resource as kubectl reads it. */
      function read(manifests: string): object[] {
        const kubectl = toolPath('kubectl') ?? 'kubectl';
        const args = ['label', '--local', '--filename', '-', 'read=yes', '--output', 'json'];
        const printed = execFileSync(kubectl, args, { input: manifests, encoding: 'utf8' });
        return printed
          .trimEnd()
          .split(/^(?=\{)/m)
          .map((text) => JSON.parse(text) as object);
      }
    });
  });

  describeWithTool('kustomize', 'as a transformer, with --enable-alpha-plugins', (kustomize) => {
    const build = () =>
      spawnSync(kustomize, ['build', '--enable-alpha-plugins', scratch], { encoding: 'utf8' });

    beforeEach(() => {
      write({
        'kustomization.yaml': 'resources:\n- worker.yaml\ntransformers:\n- guardrails.yaml\n',
        'guardrails.yaml': `apiVersion: todo.example.com/v1alpha1
kind: Guardrails
metadata:
  name: guardrails
  annotations:
    config.kubernetes.io/function: |
      container:
        image: ${image}
`,
        'worker.yaml': WORKER,
      });
    });

    test('hardens', () => {
      const { status, stdout, stderr } = build();
      expect({ status, stderr }).toMatchObject({ status: 0 });
      expect(parse(stdout)).toEqual(parse(HARDENED_WORKER));
    });

    test('refuses latest and reports it', () => {
      edit('worker.yaml', ':v1.0.0', ':latest');
      const { status, stdout, stderr } = build();
      expect(status).toBe(1);
      expect(stdout).toBe('');
      expect(stderr).toContain(
        '[error] Deployment/todo-worker container "worker" runs registry.example.com/todo/todo-worker:latest, which has the tag latest',
      );
    });
  });
});
