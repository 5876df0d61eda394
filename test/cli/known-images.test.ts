import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { useBundle } from '../support/bundle';
import { useFolder, writeTree } from '../support/tree';

const bundle = useBundle();
const folder = useFolder('known-images-');

/** Name, image, the user and group that it needs, and the folders that it writes to and that keep nothing. */
const IMAGES: readonly (readonly [
  name: string,
  image: string,
  user: string | undefined,
  scratch: string[],
])[] = [
  ['cache', 'redis:7.4', '999:999', []],
  ['cache-alpine', 'redis:7.4-alpine', '999:1000', []],
  ['valkey', 'valkey/valkey:8.0', '999:999', []],
  ['db', 'postgres:16', '999:999', ['/var/run/postgresql']],
  ['db-alpine', 'postgres:16-alpine', '70:70', ['/var/run/postgresql']],
  ['mysql', 'mysql:8.4', '999:999', ['/var/run/mysqld']],
  ['mariadb', 'mariadb:11.4', '999:999', ['/run/mysqld']],
  ['mongo', 'mongo:8.0', '999:999', []],
  ['queue', 'rabbitmq:4.1', '999:999', ['/var/log/rabbitmq']],
  ['memcached', 'memcached:1.6.38', '11211:11211', []],
  ['metrics', 'prom/prometheus:v3.5.0', '65534:65534', []],
  ['proxy', 'haproxy:3.2', '99:99', []],
  ['web', 'nginxinc/nginx-unprivileged:1.29', undefined, []],
];

interface Container {
  readonly securityContext: { readonly runAsUser?: number; readonly runAsGroup?: number };
  readonly volumeMounts: readonly { readonly mountPath: string }[];
}

test('a package of public images is rendered with the users and folders that they need', () => {
  const dir = folder();
  const deployment = (name: string, image: string) =>
    `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${name}\nspec:\n  selector:\n    matchLabels:\n      app: ${name}\n  template:\n    metadata:\n      labels:\n        app: ${name}\n    spec:\n      containers:\n        - name: ${name}\n          image: ${image}\n`;
  writeTree(dir, {
    ...Object.fromEntries(IMAGES.map(([name, image]) => [`base/${name}.yaml`, deployment(name, image)])),
    'base/kustomization.yaml': `resources: [${IMAGES.map(([name]) => `${name}.yaml`).join(', ')}]\n`,
    'overlays/prod/kustomization.yaml': 'resources: [../../base]\n',
    'guardrails.yaml':
      'apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\nspec:\n  knownImages: apply\n',
  });
  const guardrails = (command: string) =>
    spawnSync(process.execPath, [bundle().cli, command, dir], { encoding: 'utf8' });
  const fixed = guardrails('fix');
  expect({ status: fixed.status, stderr: fixed.stderr }).toEqual({ status: 0, stderr: '' });
  const found = IMAGES.map(([name, image]) => {
    const text = readFileSync(path.join(dir, `base/${name}.yaml`), 'utf8');
    const { spec } = parse(text) as { spec: { template: { spec: { containers: [Container] } } } };
    const [{ securityContext, volumeMounts }] = spec.template.spec.containers;
    const { runAsUser, runAsGroup } = securityContext;
    const user = runAsUser === undefined ? undefined : `${runAsUser}:${runAsGroup ?? ''}`;
    const mounts = volumeMounts.map(({ mountPath }) => mountPath).filter((at) => at !== '/tmp');
    return [name, image, user, mounts];
  });
  expect(found).toEqual(IMAGES);
  expect(guardrails('check')).toMatchObject({ status: 0, stderr: '' });
});
