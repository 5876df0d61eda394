import { readFileSync } from 'node:fs';
import path from 'node:path';
import type {
  V1ConfigMap,
  V1Container,
  V1Deployment,
  V1HTTPIngressPath,
  V1Ingress,
} from '@kubernetes/client-node';
import { buildOverlay, resource, resourcesOf, type KubernetesResource } from './support/built-overlay';

type Build = KubernetesResource[];

interface Difference {
  /** First cell of the row. */
  what: string;
  /** The cell that a build deserves. */
  cell: (build: Build) => string;
  /** Takes what the cell shows, and no more, out of a build. */
  remove: (build: Build) => void;
}

const SOLVER = 'acme.cert-manager.io/http01-solver';
const ISSUER = 'cert-manager.io/cluster-issuer';

/** The rows of the table in README.md, in its order. */
const DIFFERENCES: readonly Difference[] = [
  {
    what: 'Namespace',
    cell: (build) => code(resourcesOf(build, 'Namespace').map(({ metadata }) => metadata.name)),
    remove(build) {
      const names = resourcesOf(build, 'Namespace').map(({ metadata }) => metadata.name);
      for (const { kind, metadata } of build) {
        if (kind === 'Namespace') metadata.name = '';
        else if (metadata.namespace === names[0]) delete metadata.namespace;
      }
    },
  },
  {
    what: 'Host',
    cell: (build) => code(rules(build).map(({ host }) => host)),
    remove(build) {
      for (const rule of rules(build)) delete rule.host;
    },
  },
  {
    what: 'TLS',
    cell: (build) =>
      listed(
        (ingress(build).spec?.tls ?? []).map(
          ({ hosts, secretName }) =>
            `${code(hosts)} in Secret ${code([secretName])}, by cert-manager's ${code([annotations(build)[ISSUER]])}`,
        ),
      ),
    remove(build) {
      delete ingress(build).spec?.tls;
      // eslint-disable-next-line @typescript-eslint/no-dynamic-delete
      delete annotations(build)[ISSUER];
    },
  },
  {
    what: 'API documentation',
    cell: (build) =>
      code(
        paths(build)
          .filter(isDocumentation)
          .map((each) => each.path),
      ),
    remove(build) {
      for (const { http } of rules(build)) {
        if (http !== undefined) http.paths = http.paths.filter((each) => !isDocumentation(each));
      }
    },
  },
  ...(['backend', 'frontend'] as const).map((name): Difference => ({
    what: `Image of the ${name}`,
    cell: (build) => code([container(build, name).image]),
    remove: (build) => delete container(build, name).image,
  })),
  ...(['backend', 'frontend'] as const).map((name): Difference => ({
    what: `Replicas of the ${name}`,
    cell: (build) => String(deployment(build, name).spec?.replicas),
    remove: (build) => delete deployment(build, name).spec?.replicas,
  })),
  {
    what: 'PodDisruptionBudget',
    cell: (build) =>
      listed(
        resourcesOf(build, 'PodDisruptionBudget').map(
          ({ metadata, spec }) => `${code([metadata.name])} (at most ${spec?.maxUnavailable ?? ''} down)`,
        ),
      ),
    remove: (build) => {
      removeAll(build, ({ kind }) => kind === 'PodDisruptionBudget');
    },
  },
  ...['ENVIRONMENT', 'LOG_LEVEL', 'ALLOWED_ORIGINS'].map((key): Difference => ({
    what: code([key]),
    cell: (build) => code([configMap(build).data?.[key]]),
    remove: (build) => delete configMap(build).data?.[key],
  })),
  {
    what: '`NEXT_PUBLIC_API_URL`',
    cell: (build) => code(publicUrl(build).map(({ value }) => value)),
    remove(build) {
      for (const variable of publicUrl(build)) delete variable.value;
    },
  },
  {
    what: '`backend-secrets`',
    cell: (build) => listed(build.filter(isSecretSource).map(secretSource)),
    remove: (build) => {
      removeAll(build, isSecretSource);
    },
  },
  {
    what: 'Policy for ACME HTTP-01 solver pods',
    cell: (build) => code(build.filter(isSolverPolicy).map(({ metadata }) => metadata.name)),
    remove: (build) => {
      removeAll(build, isSolverPolicy);
    },
  },
];

const dev = buildOverlay('dev');
const prod = buildOverlay('prod');

test('the table in README.md says what the builds say, row for row', () => {
  expect(tableOfReadme()).toEqual([
    ['What', '`overlays/dev`', '`overlays/prod`'],
    ...DIFFERENCES.map(({ what, cell }) => [what, cell(dev), cell(prod)]),
  ]);
});

test.each(DIFFERENCES)('$what differs', ({ cell }) => {
  expect(cell(dev)).not.toBe(cell(prod));
});

test('the builds differ in nothing that is not in the table', () => {
  expect(withoutDifferences(dev)).toEqual(withoutDifferences(prod));
});

/** Everything else in a build, by kind and name. */
function withoutDifferences(built: Build): Record<string, KubernetesResource> {
  const { name } = configMap(built).metadata;
  // The hash in the generated name follows from the data, and the data is compared.
  const build = JSON.parse(JSON.stringify(built).replaceAll(name, 'backend-config-0000000000')) as Build;
  for (const { remove } of DIFFERENCES) remove(build);
  return Object.fromEntries(build.map((each) => [`${each.kind}/${each.metadata.name}`, each]));
}

/** Cells between the markers, header first, without Prettier's padding. */
function tableOfReadme(): string[][] {
  const readme = readFileSync(path.join(__dirname, '../README.md'), 'utf8');
  const table = /<!-- dev-prod-table:start -->\n([^]*?)<!-- dev-prod-table:end -->/.exec(readme)?.[1];
  if (table === undefined)
    throw new Error('README.md has no <!-- dev-prod-table:start --> ... :end --> markers');
  return table
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
}

/** Values as Markdown code, `none` when there is none. */
function code(values: readonly (string | undefined)[] = []): string {
  return listed(values.map((value) => `\`${String(value)}\``));
}

function listed(texts: readonly string[]): string {
  return texts.length === 0 ? 'none' : texts.join(', ');
}

function removeAll(build: Build, gone: (each: KubernetesResource) => boolean): void {
  build.splice(0, build.length, ...build.filter((each) => !gone(each)));
}

function configMap(build: Build): V1ConfigMap & KubernetesResource {
  return resource(build, 'ConfigMap', 'backend-config-*');
}

function deployment(build: Build, name: 'backend' | 'frontend'): V1Deployment {
  return resource(build, 'Deployment', `todo-${name}`);
}

function container(build: Build, name: 'backend' | 'frontend'): V1Container {
  const found = deployment(build, name).spec?.template.spec?.containers.find((each) => each.name === name);
  if (found === undefined) throw new Error(`todo-${name} has no container "${name}"`);
  return found;
}

function publicUrl(build: Build): NonNullable<V1Container['env']> {
  return container(build, 'frontend').env?.filter(({ name }) => name === 'NEXT_PUBLIC_API_URL') ?? [];
}

function ingress(build: Build): V1Ingress & KubernetesResource {
  return resource(build, 'Ingress', 'todo-ingress');
}

function annotations(build: Build): Record<string, string> {
  return ingress(build).metadata.annotations ?? {};
}

function rules(build: Build): NonNullable<NonNullable<V1Ingress['spec']>['rules']> {
  return ingress(build).spec?.rules ?? [];
}

function paths(build: Build): V1HTTPIngressPath[] {
  return rules(build).flatMap(({ http }) => http?.paths ?? []);
}

function isDocumentation({ path: route }: V1HTTPIngressPath): boolean {
  return route === '/docs' || route === '/openapi.json';
}

function isSecretSource({ kind, metadata }: KubernetesResource): boolean {
  return (kind === 'Secret' || kind === 'ExternalSecret') && metadata.name === 'backend-secrets';
}

function secretSource(source: KubernetesResource): string {
  if (source.kind === 'Secret') return 'a Secret in Git';
  const { kind, name } = resource([source], 'ExternalSecret', source.metadata.name).spec.secretStoreRef;
  return `an ExternalSecret from ${kind} ${code([name])}`;
}

function isSolverPolicy(policy: KubernetesResource): boolean {
  return resourcesOf([policy], 'NetworkPolicy').some(
    ({ spec }) => spec.podSelector.matchLabels?.[SOLVER] === 'true',
  );
}
