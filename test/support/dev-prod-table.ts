import type {
  V1ConfigMap,
  V1Container,
  V1Deployment,
  V1HTTPIngressPath,
  V1Ingress,
} from '@kubernetes/client-node';
import { resource, resourcesOf, type KubernetesResource } from './built-overlay';

type Build = KubernetesResource[];

/** A row of the table. */
interface Row {
  /** First cell of the row. */
  readonly what: string;
  /** The cell of a build. */
  readonly cell: (build: Build) => string;
  /** Removes what the cell shows, and no more, from a build. */
  readonly remove: (build: Build) => void;
}

const SOLVER = 'acme.cert-manager.io/http01-solver';
const ISSUER = 'cert-manager.io/cluster-issuer';

/**
 * The table of README.md: header, then a row for each difference of the two builds.
 *
 * @throws Error when they differ in something that no row shows
 */
export function devProdTable(dev: Build, prod: Build): string[][] {
  const rows = rowsOf([...dev, ...prod]).filter(({ cell }) => cell(dev) !== cell(prod));
  const [restOfDev, restOfProd] = [dev, prod].map((build) => withoutRows(build, rows));
  const unshown = Object.keys({ ...restOfDev, ...restOfProd }).filter(
    (name) => restOfDev?.[name] !== restOfProd?.[name],
  );
  if (unshown.length > 0)
    throw new Error(
      `overlays/dev and overlays/prod differ in ${unshown.join(', ')}, which the table of README.md does not show; add a row in test/support/dev-prod-table.ts`,
    );
  return [
    ['What', '`overlays/dev`', '`overlays/prod`'],
    ...rows.map(({ what, cell }) => [what, cell(dev), cell(prod)]),
  ];
}

/** Every row that there may be, in the order of the table. */
const rowsOf = (resources: Build): readonly Row[] => [
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
  ...deploymentNames(resources).map((name): Row => ({
    what: `Image of the ${shortName(name)}`,
    cell: (build) => code(containers(build, name).map(({ image }) => image)),
    remove(build) {
      for (const container of containers(build, name)) delete container.image;
    },
  })),
  ...deploymentNames(resources).map((name): Row => ({
    what: `Replicas of the ${shortName(name)}`,
    cell: (build) => String(deployment(build, name)?.spec?.replicas ?? 'default'),
    remove: (build) => delete deployment(build, name)?.spec?.replicas,
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
  ...['ENVIRONMENT', 'LOG_LEVEL', 'ALLOWED_ORIGINS'].map((key): Row => ({
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

/** What is left of a build without what the rows show: `kind/name` to JSON. */
function withoutRows(built: Build, rows: readonly Row[]): Record<string, string> {
  const { name } = configMap(built).metadata;
  // The hash in the generated name follows from the data, and the data is compared.
  const build = JSON.parse(JSON.stringify(built).replaceAll(name, 'backend-config-0000000000')) as Build;
  for (const { remove } of rows) remove(build);
  return Object.fromEntries(
    build.map((each) => [`${each.kind}/${each.metadata.name}`, JSON.stringify(each)]),
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

function deploymentNames(resources: Build): string[] {
  return [...new Set(resourcesOf(resources, 'Deployment').map(({ metadata }) => metadata.name))];
}

/** `backend` for todo-backend. */
function shortName(name: string): string {
  return name.replace(/^todo-/, '');
}

function deployment(build: Build, name: string): V1Deployment | undefined {
  return resourcesOf(build, 'Deployment').find(({ metadata }) => metadata.name === name);
}

function containers(build: Build, name: string): V1Container[] {
  return deployment(build, name)?.spec?.template.spec?.containers ?? [];
}

function publicUrl(build: Build): NonNullable<V1Container['env']> {
  return containers(build, 'todo-frontend').flatMap(({ env = [] }) =>
    env.filter(({ name }) => name === 'NEXT_PUBLIC_API_URL'),
  );
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
    ({ spec }) => spec.podSelector.matchExpressions?.some(({ key }) => key === SOLVER) === true,
  );
}
