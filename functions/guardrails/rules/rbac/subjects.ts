import type { Report } from '../../findings/finding';
import type { Severity } from '../../krm/result';
import { message, words } from '../../message';
import { type YamlObject, entriesIn, objectAt } from '../../yaml/yaml';
import type { RoleHolders } from './holders';

/** Roles that say what everyone may know (kubernetes.io/docs, "Using RBAC Authorization", API discovery roles; issuer discovery). */
const FOR_AUTHENTICATED = [
  'system:discovery',
  'system:basic-user',
  'system:public-info-viewer',
  'system:service-account-issuer-discovery',
];
const FOR_EVERYONE = ['system:public-info-viewer', 'system:service-account-issuer-discovery'];

interface RiskySubject {
  readonly severity: Severity;
  /** ClusterRoles that it may have. */
  readonly allowed: readonly string[];
  /** Who it is, as the end of a sentence. */
  readonly who: string;
}

const WITHOUT_CREDENTIALS: RiskySubject = {
  severity: 'error',
  allowed: FOR_EVERYONE,
  who: 'which is every client without credentials',
};

/** By kind and name. */
const SUBJECTS = new Map<string, RiskySubject>([
  ['User/system:anonymous', WITHOUT_CREDENTIALS],
  ['Group/system:unauthenticated', WITHOUT_CREDENTIALS],
  [
    'Group/system:authenticated',
    {
      severity: 'warning',
      allowed: FOR_AUTHENTICATED,
      who: 'which is every user and every ServiceAccount',
    },
  ],
  [
    'Group/system:masters',
    { severity: 'error', allowed: [], who: 'whose members have every right, whatever RBAC says' },
  ],
]);

/** The subjects of a binding that nobody should bind, and the built-in role that nobody should have. */
export function checkBinding(binding: YamlObject, holders: RoleHolders): Report[] {
  const reports = riskySubjects(binding, holders);
  const { kind, name } = objectAt(binding, 'roleRef');
  if (kind !== 'ClusterRole' || name !== 'cluster-admin') return reports;
  const holding = holders.ofBinding(
    binding,
    reports.map(({ field }) => field[1]),
  );
  if (holding === undefined) return reports;
  const where = words(
    binding.kind === 'RoleBinding' ? 'every right in its namespace' : 'every right in the cluster',
  );
  return [
    ...reports,
    {
      problem: message`binds ClusterRole/cluster-admin, ${where}: ${holding}`,
      remedy: words('bind a role with the rights that are needed'),
      field: ['roleRef', 'name'],
      currentValue: name,
      severity: 'warning',
    },
  ];
}

function riskySubjects(binding: YamlObject, holders: RoleHolders): Report[] {
  const role = objectAt(binding, 'roleRef');
  if (typeof role.kind !== 'string' || typeof role.name !== 'string') return [];
  const { kind: roleKind, name: roleName } = role;
  return entriesIn(binding.subjects).flatMap(({ kind, name }, i) => {
    if (typeof kind !== 'string' || typeof name !== 'string') return [];
    const subject = SUBJECTS.get(`${kind}/${name}`);
    if (subject === undefined) return [];
    const { severity, allowed, who } = subject;
    if (roleKind === 'ClusterRole' && allowed.includes(roleName)) return [];
    if (severity === 'warning' && holders.readsNamedObjects(binding)) return [];
    return {
      problem: message`binds ${roleKind}/${roleName} to ${name}, ${words(who)}`,
      remedy: words('remove the subject, or bind the users, groups and ServiceAccounts that need the role'),
      field: ['subjects', i, 'name'],
      currentValue: name,
      severity,
    };
  });
}
