import { problemsOf } from '../support/build-findings';

type Resource = Record<string, unknown>;

const RBAC = 'rbac.authorization.k8s.io';
const apiVersion = `${RBAC}/v1`;

/** The findings of the rule in a stream: `warning ClusterRole/web rules[0]: <message>`. */
const findings = (...items: Resource[]) => problemsOf('rbac', items);

const clusterRole = (...rules: Resource[]) => ({
  apiVersion,
  kind: 'ClusterRole',
  metadata: { name: 'web' },
  rules,
});
const role = (...rules: Resource[]) => ({
  apiVersion,
  kind: 'Role',
  metadata: { name: 'web', namespace: 'shop' },
  rules,
});
const rule = (apiGroup: string, resource: string, ...verbs: string[]) => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs,
});
const named = (entry: Resource, ...resourceNames: string[]) => ({ ...entry, resourceNames });
const account = (name: string, namespace?: string) => ({
  kind: 'ServiceAccount',
  name,
  ...(namespace === undefined ? {} : { namespace }),
});
const group = (name: string) => ({ apiGroup: RBAC, kind: 'Group', name });
const user = (name: string) => ({ apiGroup: RBAC, kind: 'User', name });
const clusterRoleBinding = (
  subjects: Resource[],
  name = 'web',
  ref = { kind: 'ClusterRole', name: 'web' },
) => ({
  apiVersion,
  kind: 'ClusterRoleBinding',
  metadata: { name },
  roleRef: { apiGroup: RBAC, ...ref },
  subjects,
});
const roleBinding = (
  subjects: Resource[],
  {
    kind = 'Role',
    name = 'web',
    namespace = 'shop',
  }: { kind?: string; name?: string; namespace?: string } = {},
) => ({
  apiVersion,
  kind: 'RoleBinding',
  metadata: { name: 'web', namespace },
  roleRef: { apiGroup: RBAC, kind, name },
  subjects,
});
const deployment = (name: string, serviceAccountName: string, pod: Resource = {}, namespace = 'shop') => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: { labels: { app: name } },
      spec: { serviceAccountName, containers: [{ name: 'web', image: 'web:v1' }], ...pod },
    },
  },
});

const SECRETS = rule('', 'secrets', 'get');
const ALL_SECRETS = 'warning ClusterRole/web rules[0]: allows get on all Secrets';
const UNBOUND = 'no binding of this build binds it';

describe('the workloads that get a right', () => {
  it.each<[string, Resource[], string]>([
    ['no binding', [], UNBOUND],
    ['a binding of another role', [roleBinding([account('web')])], UNBOUND],
    [
      'a ClusterRoleBinding, a ServiceAccount and a Deployment',
      [clusterRoleBinding([account('web', 'shop')]), deployment('web', 'web')],
      'Deployment/web gets it through ClusterRoleBinding/web and ServiceAccount/web',
    ],
    [
      'a RoleBinding whose subject has no namespace',
      [roleBinding([account('web')], { kind: 'ClusterRole' }), deployment('web', 'web')],
      'Deployment/web gets it through RoleBinding/web and ServiceAccount/web',
    ],
    [
      'a Deployment in another namespace',
      [clusterRoleBinding([account('web', 'shop')]), deployment('web', 'web', {}, 'other')],
      'ServiceAccount/web gets it through ClusterRoleBinding/web',
    ],
    [
      'pods that mount no token',
      [
        clusterRoleBinding([account('web', 'shop')]),
        deployment('web', 'web', { automountServiceAccountToken: false }),
      ],
      'ServiceAccount/web gets it through ClusterRoleBinding/web',
    ],
    [
      'pods that mount a token with a projected volume',
      [
        clusterRoleBinding([account('web', 'shop')]),
        deployment('web', 'web', {
          automountServiceAccountToken: false,
          volumes: [{ name: 'token', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }],
        }),
      ],
      'Deployment/web gets it through ClusterRoleBinding/web and ServiceAccount/web',
    ],
    [
      'the account as a user',
      [clusterRoleBinding([user('system:serviceaccount:shop:web')]), deployment('web', 'web')],
      'Deployment/web gets it through ClusterRoleBinding/web and ServiceAccount/web',
    ],
    [
      'users and groups',
      [clusterRoleBinding([user('jane'), group('developers')])],
      'User/jane and Group/developers get it through ClusterRoleBinding/web',
    ],
    [
      'five workloads',
      [
        clusterRoleBinding([account('web', 'shop')]),
        ...['a', 'b', 'c', 'd', 'e'].map((name) => deployment(name, 'web')),
      ],
      'Deployment/a, Deployment/b and Deployment/c get it through ClusterRoleBinding/web and ServiceAccount/web, and 2 more',
    ],
    [
      'two accounts, of which one is bound twice',
      [
        clusterRoleBinding([account('a', 'shop')]),
        clusterRoleBinding([account('a', 'shop'), account('b', 'shop')], 'second'),
        deployment('a', 'a'),
        deployment('b', 'b'),
      ],
      'Deployment/a gets it through ClusterRoleBinding/web and ServiceAccount/a, Deployment/b gets it through ClusterRoleBinding/second and ServiceAccount/b',
    ],
  ])('%s', async (_, others, sentence) => {
    expect(await findings(clusterRole(SECRETS), ...others)).toEqual([`${ALL_SECRETS}: ${sentence}`]);
  });

  it('a Role is bound in its namespace', async () => {
    const found = 'warning Role/web rules[0]: allows get on all Secrets of its namespace';
    expect(await findings(role(SECRETS), roleBinding([account('web')], { namespace: 'other' }))).toEqual([
      `${found}: ${UNBOUND}`,
    ]);
    expect(await findings(role(SECRETS), roleBinding([account('web')]))).toEqual([
      `${found}: ServiceAccount/web gets it through RoleBinding/web`,
    ]);
  });

  it('a binding whose role is a variable may be one of the role', async () => {
    const unknown = clusterRoleBinding([account('web', 'shop')], 'web', {
      kind: 'ClusterRole',
      name: '$(ROLE)',
    });
    expect(await findings(clusterRole(SECRETS), unknown)).toEqual([ALL_SECRETS]);
  });

  it('an aggregated ClusterRole', async () => {
    const aggregated = (labels: Resource) => ({ ...clusterRole(SECRETS), metadata: { name: 'web', labels } });
    expect(await findings(aggregated({ [`${RBAC}/aggregate-to-edit`]: 'true' }))).toEqual([
      `${ALL_SECRETS}: a label adds it to ClusterRole/edit`,
    ]);
    const aggregating = {
      apiVersion,
      kind: 'ClusterRole',
      metadata: { name: 'all' },
      aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'yes' } }] },
      rules: [],
    };
    const binding = clusterRoleBinding([group('developers')], 'all', { kind: 'ClusterRole', name: 'all' });
    expect(await findings(aggregated({ part: 'yes' }), aggregating, binding)).toEqual([
      `${ALL_SECRETS}: Group/developers gets it through ClusterRole/all and ClusterRoleBinding/all`,
    ]);
  });
});

describe('what an entry of a ClusterRole allows', () => {
  it.each<[Resource, string]>([
    [
      rule('*', '*', '*'),
      'every verb on every resource of every API group, Secrets included ("*" in verbs, resources and apiGroups)',
    ],
    [
      rule('apps', '*', 'get', 'list'),
      'get and list on every resource of the API group apps ("*" in resources)',
    ],
    [
      rule('', '*', 'get'),
      'get on every resource of the core API group, Secrets included ("*" in resources)',
    ],
    [rule('apps', 'deployments', '*'), 'every verb on deployments of the API group apps ("*" in verbs)'],
    [rule('*', 'pods', 'get'), 'get on pods of every API group ("*" in apiGroups)'],
    [rule('', 'secrets', 'list', 'watch', 'create'), 'list and watch on all Secrets'],
    [rule(RBAC, 'roles', 'escalate'), 'escalate on roles, which can add any right to a role'],
    [
      rule(RBAC, 'clusterroles', 'bind'),
      'bind on clusterroles, which can bind a role with rights that the holder does not have',
    ],
    [
      named(rule(RBAC, 'clusterroles', 'bind'), 'cluster-admin'),
      'bind on clusterroles, which can bind a role with rights that the holder does not have',
    ],
    [rule('', 'users', 'impersonate'), 'impersonate on users, which can act with the rights of another'],
    [
      rule('', 'serviceaccounts/token', 'create'),
      'create on serviceaccounts/token, which can get a token of any ServiceAccount',
    ],
    [
      rule(RBAC, 'clusterrolebindings', 'get', 'patch'),
      'patch on clusterrolebindings, which can give the rights of the holder to others',
    ],
    [rule('', 'nodes/proxy', 'get'), 'get on nodes/proxy, which can run commands in every pod of a node'],
    [
      rule('', '*/token', 'create'),
      'create on serviceaccounts/token, which can get a token of any ServiceAccount',
    ],
    [{ nonResourceURLs: ['*'], verbs: ['*'] }, 'every verb on every URL ("*" in verbs and nonResourceURLs)'],
  ])('%j', async (entry, allowed) => {
    expect(await findings(clusterRole(entry))).toEqual([
      `warning ClusterRole/web rules[0]: allows ${allowed}: ${UNBOUND}`,
    ]);
  });

  it('one finding for an entry, at the entry', async () => {
    const entry = { apiGroups: [''], resources: ['pods', 'secrets', 'nodes/proxy'], verbs: ['get'] };
    expect(await findings(clusterRole(rule('', 'pods', 'get'), entry))).toEqual([
      `warning ClusterRole/web rules[1]: allows get on nodes/proxy, which can run commands in every pod of a node, and get on all Secrets: ${UNBOUND}`,
    ]);
  });

  it.each<[string, Resource]>([
    ['one Secret', named(rule('', 'secrets', 'get'), 'web')],
    ['watching one Secret', named(rule('', 'secrets', 'list', 'watch'), 'web')],
    ['writing Secrets', rule('', 'secrets', 'create')],
    ['secrets of another API group', rule('example.com', 'secrets', 'get')],
    [
      'leases',
      rule('coordination.k8s.io', 'leases', 'get', 'list', 'watch', 'create', 'update', 'patch', 'delete'),
    ],
    ['events', rule('', 'events', 'create', 'patch')],
    ['tokenreviews, as kubebuilder writes it', rule('authentication.k8s.io', 'tokenreviews', 'create')],
    ['metrics, as kubebuilder writes it', { nonResourceURLs: ['/metrics'], verbs: ['get'] }],
    ['every URL, read', { nonResourceURLs: ['*'], verbs: ['get'] }],
    ['the admin role of kubebuilder', rule('batch.example.com', 'cronjobs', '*')],
    ['every verb on one object', named(rule('apps', 'deployments', '*'), 'web')],
    ['scaling everything', rule('*', '*/scale', 'get', 'update')],
    ['metrics of any name', rule('external.metrics.k8s.io', '*', 'get', 'list')],
    ['binding named roles', named(rule(RBAC, 'clusterroles', 'bind'), 'view')],
    ['acting as a named user', named(rule('', 'users', 'impersonate'), 'jane')],
    ['a token of a named account', named(rule('', 'serviceaccounts/token', 'create'), 'web')],
    ['changing a named binding', named(rule(RBAC, 'rolebindings', 'update', 'patch'), 'web')],
    ['roles, without escalate', rule(RBAC, 'roles', 'create', 'update', 'patch')],
    ['exec', rule('', 'pods/exec', 'create')],
    ['a variable', rule('', '${RESOURCE}', 'get')],
  ])('not %s', async (_, entry) => {
    expect(await findings(clusterRole(entry))).toEqual([]);
  });

  it('a Role gives no right on what is in no namespace', async () => {
    expect(
      await findings(
        role(
          rule('', 'nodes/proxy', 'get'),
          rule('', 'users', 'impersonate'),
          rule(RBAC, 'clusterrolebindings', 'create'),
          rule(RBAC, 'clusterroles', 'escalate'),
        ),
      ),
    ).toEqual([]);
  });

  it('every verb on custom resources that a workload gets, unless their definitions are in the build', async () => {
    const build = [
      clusterRole(rule('example.com', 'shops', '*')),
      clusterRoleBinding([account('web', 'shop')]),
      deployment('web', 'web'),
    ];
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'shops.example.com' },
      spec: { group: 'example.com' },
    };
    expect(await findings(...build)).toEqual([
      'warning ClusterRole/web rules[0]: allows every verb on shops of the API group example.com ("*" in verbs): Deployment/web gets it through ClusterRoleBinding/web and ServiceAccount/web',
    ]);
    expect(await findings(...build, definition)).toEqual([]);
  });
});

describe('what a binding binds', () => {
  const ADMIN = { kind: 'ClusterRole', name: 'cluster-admin' };
  const view = (subject: Resource, name = 'view') =>
    clusterRoleBinding([account('web', 'shop'), subject], 'web', { kind: 'ClusterRole', name });

  it.each<[Resource, string]>([
    [group('system:unauthenticated'), 'error which is every client without credentials'],
    [user('system:anonymous'), 'error which is every client without credentials'],
    [group('system:masters'), 'error whose members have every right, whatever RBAC says'],
    [group('system:authenticated'), 'warning which is every user and every ServiceAccount'],
  ])('%j', async (subject, expected) => {
    const [severity = '', ...who] = expected.split(' ');
    const { name } = subject as { name: string };
    expect(await findings(view(subject))).toEqual([
      `${severity} ClusterRoleBinding/web subjects[1].name: binds ClusterRole/view to ${name}, ${who.join(' ')}`,
    ]);
  });

  it.each<[string, Resource]>([
    ['a user with the name of the group', view(user('system:masters'))],
    ['the accounts of a namespace', view(group('system:serviceaccounts:shop'))],
    ['a variable', view(group('$(GROUP)'))],
    ['discovery', view(group('system:authenticated'), 'system:discovery')],
    ['basic-user', view(group('system:authenticated'), 'system:basic-user')],
    [
      'the keys of the issuer',
      view(group('system:unauthenticated'), 'system:service-account-issuer-discovery'),
    ],
    ['edit, in a namespace', roleBinding([account('web')], { kind: 'ClusterRole', name: 'edit' })],
    ['a Role with the name cluster-admin', roleBinding([account('web')], { name: 'cluster-admin' })],
    ['cluster-admin, to nobody', clusterRoleBinding([], 'web', ADMIN)],
  ])('not %s', async (_, binding) => {
    expect(await findings(binding)).toEqual([]);
  });

  it('everyone may read an object that a role names', async () => {
    const binding = roleBinding([group('system:authenticated')]);
    expect(await findings(binding, role(named(rule('', 'configmaps', 'get'), 'info')))).toEqual([]);
    expect(await findings(binding, role(rule('', 'configmaps', 'get')))).toEqual([
      'warning RoleBinding/web subjects[0].name: binds Role/web to system:authenticated, which is every user and every ServiceAccount',
    ]);
  });

  it('cluster-admin', async () => {
    expect(
      await findings(
        clusterRoleBinding([account('web', 'shop'), group('admins')], 'web', ADMIN),
        deployment('web', 'web'),
      ),
    ).toEqual([
      'warning ClusterRoleBinding/web roleRef.name: binds ClusterRole/cluster-admin, every right in the cluster: Deployment/web gets it through ServiceAccount/web, Group/admins gets it',
    ]);
    expect(await findings(roleBinding([account('web')], ADMIN))).toEqual([
      'warning RoleBinding/web roleRef.name: binds ClusterRole/cluster-admin, every right in its namespace: ServiceAccount/web gets it',
    ]);
  });
});
