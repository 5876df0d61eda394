import { spawnSync } from 'node:child_process';
import { useBundle } from '../support/bundle';
import {
  ENV,
  ENV_FROM,
  GENERATOR,
  INGRESS,
  KUSTOMIZATION,
  PACKAGE,
  PACKAGES,
  SERVICE,
  WORKLOAD,
} from '../support/generator-packages';
import { describeWithImage } from '../support/image';
import { type PackageFiles, withEdit } from '../support/package-files';
import { toolPath } from '../support/tools';
import { type Judgement, byCommandLine, byKpt, listWithoutFiles, readJudgement } from '../support/ways-in';

const POLICIES = 'base/network-policies.yaml';

const RUN_FIX = 'run `guardrails fix` on the directory, which has the file';
const WAYS_OUT = {
  ConfigMap: `${RUN_FIX}, or write the values under literals of the generator`,
  Secret: `${RUN_FIX}, or state its hosts in todo.example.com/connects-to, or none`,
};

/** Of content that kpt does not bring. */
const reads = (workload: string, object: string, effect: string, overlays = 'overlays/prod') =>
  `warning: ${overlays}: ${workload} reads ${object}, whose content is not in the input, so ${effect}; ${WAYS_OUT[object.startsWith('Secret/') ? 'Secret' : 'ConfigMap']}`;
const KEPT = 'its policies are kept as they are';
const OPEN = 'it is not isolated for ingress and egress';
const OPEN_EGRESS = 'it is not isolated for egress';

const noClient = (name: string, port: number, object: string, overlays = 'overlays/prod') =>
  `warning: ${overlays}: Deployment/${name} is not isolated for ingress: Service/${name} has no client in this build, where the content of ${object} is not known; name its clients in todo.example.com/accepts-from, such as NAMESPACE/app=client:${port} or 10.0.0.0/8:${port}, or none`;
const mayBeNamed = (name: string, object: string) =>
  `warning: overlays/prod: Deployment/${name} is not isolated for ingress: ${object}, whose content is not in the input, may name Service/${name}; ${RUN_FIX}`;

/** What fix answers. */
const lacks = (workload: string, directions: string, overlays = 'overlays/prod') =>
  `error: ${overlays}: ${workload} has pods that no NetworkPolicy isolates for ${directions}; add a NetworkPolicy that selects them; in a package, \`guardrails fix\` writes one`;
const BOTH = 'ingress and egress';

const unresolved = (overlay: string, key: string, host: string) =>
  `warning: ${overlay}: Deployment/api is not isolated for egress: env ${key} names ${host}; add todo.example.com/connects-to: "${host}:443"`;

interface Expected {
  /** Of the command line that has the files. */
  readonly known?: readonly string[];
  /** Of kpt, where the policies of the command line are committed. */
  readonly kept: readonly string[];
  /** Of kpt without policies. */
  readonly bare: readonly string[];
  /** Of the command line, of what kpt wrote there. */
  readonly lacking: readonly string[];
}

const CONFIG = 'ConfigMap/api-config';
const API_AND_REDIS: Expected = {
  kept: [reads('Deployment/api', CONFIG, KEPT)],
  bare: [reads('Deployment/api', CONFIG, OPEN), noClient('redis', 6379, CONFIG)],
  lacking: [lacks('Deployment/api', BOTH), lacks('Deployment/redis', 'ingress')],
};
const AND_DB: Expected = {
  kept: API_AND_REDIS.kept,
  bare: [reads('Deployment/api', CONFIG, OPEN), mayBeNamed('db', CONFIG), noClient('redis', 6379, CONFIG)],
  lacking: [
    lacks('Deployment/api', BOTH),
    lacks('Deployment/db', 'ingress'),
    lacks('Deployment/redis', 'ingress'),
  ],
};
const OF_BOTH = 'overlays/dev, overlays/prod';
const STRIPE = unresolved('overlays/prod', 'STRIPE_URL', 'api.stripe.com');
const MOCK = unresolved('overlays/dev', 'MOCK_URL', 'mock.example.org');

const EXPECTED: Readonly<Record<Exclude<keyof typeof PACKAGES, 'a Secret with an address'>, Expected>> = {
  'envs (case 96)': API_AND_REDIS,
  'a host outside, answered': API_AND_REDIS,
  'a host outside, unresolved': {
    known: [STRIPE],
    kept: [reads('Deployment/api', CONFIG, OPEN_EGRESS)],
    bare: API_AND_REDIS.bare,
    lacking: [lacks('Deployment/api', 'ingress'), lacks('Deployment/redis', 'ingress'), STRIPE],
  },
  'nginx.conf in a volume': {
    kept: [reads('Deployment/proxy', 'ConfigMap/proxy-files', KEPT)],
    bare: [
      reads('Deployment/proxy', 'ConfigMap/proxy-files', OPEN),
      noClient('static', 8081, 'ConfigMap/proxy-files'),
      noClient('web', 8080, 'ConfigMap/proxy-files'),
    ],
    lacking: [
      lacks('Deployment/proxy', BOTH),
      lacks('Deployment/static', 'ingress'),
      lacks('Deployment/web', 'ingress'),
    ],
  },
  'a file behind a key': API_AND_REDIS,
  'a variable behind a key': API_AND_REDIS,
  'literals and envs': AND_DB,
  'merged in one of two overlays': AND_DB,
  'a Secret': {
    kept: [reads('Deployment/api', 'Secret/api-secret', KEPT)],
    bare: [reads('Deployment/api', 'Secret/api-secret', OPEN_EGRESS)],
    lacking: [lacks('Deployment/api', 'egress')],
  },
  // The values are never read, so that the annotation says all.
  'a Secret with an address, declared': { kept: [], bare: [], lacking: [] },
  'two workloads, one file': {
    kept: [reads('Deployment/api', CONFIG, KEPT), reads('Deployment/worker', CONFIG, KEPT)],
    bare: [...API_AND_REDIS.bare, reads('Deployment/worker', CONFIG, OPEN)],
    lacking: [...API_AND_REDIS.lacking, lacks('Deployment/worker', BOTH)],
  },
  'known connections too': AND_DB,
  'without a hash': {
    kept: [reads('Deployment/api', 'ConfigMap/api-production', KEPT)],
    bare: [
      reads('Deployment/api', 'ConfigMap/api-production', OPEN),
      noClient('redis', 6379, 'ConfigMap/api-production'),
    ],
    lacking: API_AND_REDIS.lacking,
  },
  'a namespace of the build': API_AND_REDIS,
  'two overlays, two files': {
    kept: [reads('Deployment/api', CONFIG, KEPT, OF_BOTH)],
    bare: [
      reads('Deployment/api', CONFIG, OPEN, OF_BOTH),
      noClient('cache', 11211, CONFIG, OF_BOTH),
      noClient('redis', 6379, CONFIG, OF_BOTH),
    ],
    lacking: [
      lacks('Deployment/api', BOTH, OF_BOTH),
      lacks('Deployment/cache', 'ingress', OF_BOTH),
      lacks('Deployment/redis', 'ingress', OF_BOTH),
    ],
  },
  'a StatefulSet': {
    kept: [reads('StatefulSet/db', 'ConfigMap/db-config', KEPT)],
    bare: [
      noClient('redis', 6379, 'ConfigMap/db-config'),
      reads('StatefulSet/db', 'ConfigMap/db-config', OPEN),
    ],
    lacking: [lacks('Deployment/redis', 'ingress'), lacks('StatefulSet/db', BOTH)],
  },
  'held back in one of two overlays': {
    known: [MOCK],
    kept: [
      reads('Deployment/api', CONFIG, OPEN_EGRESS, 'overlays/dev'),
      reads('Deployment/api', CONFIG, KEPT),
    ],
    bare: [
      reads('Deployment/api', CONFIG, OPEN, OF_BOTH),
      noClient('db', 5432, CONFIG, OF_BOTH),
      noClient('redis', 6379, CONFIG, OF_BOTH),
    ],
    lacking: [
      lacks('Deployment/db', 'ingress', OF_BOTH),
      lacks('Deployment/redis', 'ingress', OF_BOTH),
      lacks('Deployment/api', 'ingress', 'overlays/dev'),
      lacks('Deployment/api', BOTH),
      MOCK,
    ],
  },
  'two namespaces': API_AND_REDIS,
  'the network of the node': {
    kept: [],
    bare: [mayBeNamed('redis', CONFIG)],
    lacking: [lacks('Deployment/redis', 'ingress')],
  },
  'names and labels of the overlay': {
    kept: [reads('Deployment/eu-api-x', 'ConfigMap/eu-api-config-x', KEPT)],
    bare: [
      reads('Deployment/eu-api-x', 'ConfigMap/eu-api-config-x', OPEN),
      noClient('eu-redis-x', 6379, 'ConfigMap/eu-api-config-x'),
    ],
    lacking: [lacks('Deployment/eu-api-x', BOTH), lacks('Deployment/eu-redis-x', 'ingress')],
  },
};

/** A way in without errors. */
function expectClean({ network, otherErrors }: Judgement, findings: readonly string[] = []): void {
  expect({ network, otherErrors }).toEqual({ network: [...findings].sort(), otherErrors: [] });
}

function expectNoPlaceholders({ messages }: Judgement): void {
  const shown = messages.filter((text) =>
    /<\?>|GUARDRAILS_PLACEHOLDER|PD8\+|-[2456789bcdfghkmt]{10}(?![a-z0-9])/.test(text),
  );
  expect(shown).toEqual([]);
}

async function kpt(files: PackageFiles): Promise<Judgement> {
  const judged = await byKpt(files);
  expectNoPlaceholders(judged);
  return judged;
}

describe('written by the command line, then kpt, then the command line: nothing changes', () => {
  test.each(Object.entries(EXPECTED))('%s', async (name, { known, kept }) => {
    const fixed = await byCommandLine(PACKAGES[name as keyof typeof PACKAGES]);
    expectClean(fixed, known);
    const rendered = await kpt(fixed.files);
    expectClean(rendered, kept);
    expect(rendered.files).toEqual(fixed.files);
    const checked = await byCommandLine(rendered.files);
    expectClean(checked, known);
    expect(checked.files).toEqual(fixed.files);
  });
});

describe('written by kpt, then the command line, then kpt', () => {
  test.each(Object.entries(EXPECTED))('%s', async (name, { known, kept, bare, lacking }) => {
    const files: PackageFiles = PACKAGES[name as keyof typeof PACKAGES];
    const rendered = await kpt(files);
    expectClean(rendered, bare);
    const asIs = await byCommandLine(rendered.files, { asIs: true });
    expectClean(asIs, lacking);
    const fixed = await byCommandLine(rendered.files);
    expectClean(fixed, known);
    expect(fixed.files).toEqual((await byCommandLine(files)).files);
    const again = await kpt(fixed.files);
    expectClean(again, kept);
    expect(again.files).toEqual(fixed.files);
  });
});

test('a Secret whose file has an address: the command line refuses it, kpt does not isolate it and says so', async () => {
  const files: PackageFiles = PACKAGES['a Secret with an address'];
  const [error = '', ...more] = (await byCommandLine(files)).network;
  expect(more).toEqual([]);
  expect(error.replace(/-[a-z0-9]{10};/, ';')).toBe(
    'error: overlays/prod: Deployment/api is not isolated for egress: env DB_URL comes from Secret/api-secret; state its hosts in todo.example.com/connects-to, such as db.example.com:5432, or none',
  );
  expectClean(await kpt(files), [reads('Deployment/api', 'Secret/api-secret', OPEN_EGRESS)]);
});

/** Committed policies of a package that changes: the files that the command line and kpt write are the same. */
describe('a package that changes', () => {
  const before: PackageFiles = PACKAGES['envs (case 96)'];
  const withResource = (files: PackageFiles, ...resources: readonly string[]): PackageFiles => ({
    ...files,
    'base/app.yaml': [files['base/app.yaml'], ...resources].join('---\n'),
  });

  async function expectSame(files: PackageFiles, findings: readonly string[]): Promise<Judgement> {
    const rendered = await kpt(files);
    expectClean(rendered, findings);
    const fixed = await byCommandLine(files);
    expectClean(fixed);
    expect(rendered.files).toEqual(fixed.files);
    return rendered;
  }

  const API_KEPT = reads('Deployment/api', CONFIG, KEPT);
  const rule = (reason: string, key: 'from' | 'to', app: string, ...ports: readonly number[]) =>
    `${reason}    - ${key}:\n        - podSelector:\n            matchLabels:\n              app: ${app}\n      ports:\n${ports.map((port) => `        - protocol: TCP\n          port: ${port}\n`).join('')}`;

  test('a new client of the Service', async () => {
    const { files } = await byCommandLine(before);
    const worker = WORKLOAD('worker', { container: ENV('REDIS_ADDR', 'redis:6379') });
    const rendered = await expectSame(withResource(files, worker), [API_KEPT]);
    expect(rendered.files[POLICIES]).toContain(
      `  ingress:\n${rule('    # Deployment/api env REDIS_ADDR -> Service/redis\n', 'from', 'api', 6379)}${rule('    # Deployment/worker env REDIS_ADDR -> Service/redis\n', 'from', 'worker', 6379)}`,
    );
  });

  test('a new port of the Service, to which the same pods connect', async () => {
    const { files } = await byCommandLine(before);
    const changed = withEdit(
      withEdit(
        files,
        'base/app.yaml',
        '      port: 6379\n',
        '      port: 6379\n    - name: tls\n      port: 6380\n',
      ),
      'base/app.yaml',
      ENV_FROM('api-config'),
      ENV_FROM('api-config') + ENV('REDIS_TLS_URL', 'rediss://redis:6380'),
    );
    const rendered = await expectSame(changed, [API_KEPT]);
    const reasons =
      '    # Deployment/api env REDIS_ADDR -> Service/redis\n    # Deployment/api env REDIS_TLS_URL -> Service/redis\n';
    expect(rendered.files[POLICIES]).toContain(rule(reasons, 'to', 'redis', 6379, 6380));
    expect(rendered.files[POLICIES]).toContain(rule(reasons, 'from', 'api', 6379, 6380));
  });

  test('a new connection from and to the pods that read the file', async () => {
    const { files } = await byCommandLine(before);
    const changed = withEdit(
      withResource(files, SERVICE('api', 8080), INGRESS('api', 8080), WORKLOAD('db'), SERVICE('db', 5432)),
      'base/app.yaml',
      ENV_FROM('api-config'),
      ENV_FROM('api-config') + ENV('DB_URL', 'postgres://db:5432/shop'),
    );
    // The new workload has no committed policy that says who else calls it.
    const rendered = await kpt(changed);
    expectClean(rendered, [API_KEPT, mayBeNamed('db', CONFIG)]);
    expect(rendered.files[POLICIES]).toContain('    # Ingress/api / -> Service/api\n');
    expect(rendered.files[POLICIES]).toContain(
      `${rule('    # Deployment/api env DB_URL -> Service/db\n', 'to', 'db', 5432)}${rule('    # Deployment/api env REDIS_ADDR -> Service/redis\n', 'to', 'redis', 6379)}`,
    );
    const fixed = await byCommandLine(rendered.files);
    expectClean(fixed);
    expect(fixed.files).toEqual((await byCommandLine(changed)).files);
    expect((await kpt(fixed.files)).files).toEqual(fixed.files);
  });

  test('a new workload, in a namespace of the build: the default deny stays', async () => {
    const { files } = await byCommandLine(PACKAGES['a namespace of the build']);
    expect(files[POLICIES]).toContain('  name: default-deny\n');
    await expectSame(withResource(files, WORKLOAD('agent')), [API_KEPT]);
  });

  test('a new workload that reads the file: it stays open until the command line decides', async () => {
    const { files } = await byCommandLine(PACKAGES['a namespace of the build']);
    const changed = withResource(files, WORKLOAD('worker', { container: ENV_FROM('api-config') }));
    const rendered = await kpt(changed);
    expectClean(rendered, [API_KEPT, reads('Deployment/worker', CONFIG, OPEN)]);
    expect(rendered.files[POLICIES]).not.toContain('  name: default-deny\n');
    const fixed = await byCommandLine(rendered.files);
    expectClean(fixed);
    expect(fixed.files).toEqual((await byCommandLine(changed)).files);
  });

  test('a removed workload to which the pods connected', async () => {
    const { files } = await byCommandLine(PACKAGES['nginx.conf in a volume']);
    const [proxy = '', web = '', service = ''] = files['base/app.yaml']?.split('---\n') ?? [];
    const changed: PackageFiles = {
      ...files,
      'base/app.yaml': [proxy, web, service].join('---\n'),
      'base/nginx.conf': 'server {\n  location / {\n    proxy_pass http://web:8080;\n  }\n}\n',
    };
    const rendered = await kpt(changed);
    expectClean(rendered, [reads('Deployment/proxy', 'ConfigMap/proxy-files', KEPT)]);
    expect(rendered.files[POLICIES]).not.toContain('static');
  });

  test('a removed workload that read the file', async () => {
    const { files } = await byCommandLine(PACKAGES['two workloads, one file']);
    const [api = '', , redis = '', service = ''] = files['base/app.yaml']?.split('---\n') ?? [];
    const rendered = await expectSame({ ...files, 'base/app.yaml': [api, redis, service].join('---\n') }, [
      API_KEPT,
    ]);
    expect(rendered.files[POLICIES]).not.toContain('worker');
  });

  test('the only workload that read a file is removed: both say that its Service has no client', async () => {
    const { files } = await byCommandLine(before);
    const [, redis = '', service = ''] = files['base/app.yaml']?.split('---\n') ?? [];
    const changed = { ...files, 'base/app.yaml': [redis, service].join('---\n') };
    const finding =
      'error: overlays/prod: Deployment/redis is not isolated for ingress: Service/redis has no client in this build; name its clients in todo.example.com/accepts-from, such as NAMESPACE/app=client:6379 or 10.0.0.0/8:6379, or none';
    expect((await kpt(changed)).network).toEqual([finding]);
    expect((await byCommandLine(changed)).network).toEqual([finding]);
  });

  test('a known host outside that nothing answers is an error by both', async () => {
    const { files } = await byCommandLine(before);
    const changed = withEdit(
      files,
      'base/app.yaml',
      ENV_FROM('api-config'),
      ENV_FROM('api-config') + ENV('STRIPE_URL', 'https://api.stripe.com'),
    );
    const error = `error${STRIPE.slice('warning'.length)}`;
    expect((await kpt(changed)).network).toEqual([error, reads('Deployment/api', CONFIG, OPEN_EGRESS)]);
    expect((await byCommandLine(changed)).network).toEqual([error]);
  });

  test('a connection that the file no longer names: kpt keeps it, the command line says what is missing', async () => {
    const { files } = await byCommandLine(
      PACKAGE(
        [WORKLOAD('api', { container: ENV_FROM('api-config') }), WORKLOAD('web'), SERVICE('web', 80)],
        GENERATOR('api-config', 'envs:\n  - api.env\n'),
        { 'base/api.env': 'WEB_URL=http://web\n' },
      ),
    );
    const changed = { ...files, 'base/api.env': 'LEVEL=info\n' };
    const rendered = await kpt(changed);
    expectClean(rendered, [API_KEPT]);
    expect(rendered.files).toEqual(changed);
    expect((await byCommandLine(rendered.files)).network).toEqual([
      'error: overlays/prod: Deployment/web is not isolated for ingress: Service/web has no client in this build; name its clients in todo.example.com/accepts-from, such as NAMESPACE/app=client:80 or 10.0.0.0/8:80, or none',
    ]);
  });

  test('an overlay that is added reads the same file: its policies come from the shared file', async () => {
    const { files } = await byCommandLine(before);
    const dev = KUSTOMIZATION('resources:\n  - ../../base\nnamespace: dev\n');
    const rendered = await expectSame({ ...files, 'overlays/dev/kustomization.yaml': dev }, [
      reads('Deployment/api', CONFIG, KEPT, OF_BOTH),
    ]);
    expect(rendered.files[POLICIES]).toBe(files[POLICIES]);
  });
});

describe('the bundle', () => {
  const bundle = useBundle();

  test('the policies of the command line stay', async () => {
    const { files } = await byCommandLine(PACKAGES['known connections too']);
    const { status, stdout, stderr } = spawnSync(process.execPath, [bundle().guardrails], {
      input: listWithoutFiles(files),
      encoding: 'utf8',
    });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const rendered = readJudgement(files, stdout, stderr);
    expectNoPlaceholders(rendered);
    expectClean(rendered, AND_DB.kept);
    expect(rendered.files).toEqual(files);
  });
});

describeWithImage('the container', (image) => {
  test('the policies of the command line stay', async () => {
    const { files } = await byCommandLine(PACKAGES['known connections too']);
    const confined = [
      '--rm',
      '--interactive',
      '--pull=never',
      '--network=none',
      '--read-only',
      '--tmpfs=/tmp',
    ];
    const { status, stdout, stderr } = spawnSync(toolPath('docker') ?? '', ['run', ...confined, image], {
      input: listWithoutFiles(files),
      encoding: 'utf8',
    });
    expect({ status, stderr }).toMatchObject({ status: 0 });
    const rendered = readJudgement(files, stdout, stderr);
    expectClean(rendered, AND_DB.kept);
    expect(rendered.files).toEqual(files);
  });
});
