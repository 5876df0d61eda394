import { isKubernetesGroup } from '../../kubernetes/workload';
import { type Message, message, words } from '../../message';
import type { YamlObject, YamlValue } from '../../yaml/yaml';
import { listOf } from '../lists';

/** A right that an entry of a role gives, and that its holder may misuse. */
export interface RiskyRight {
  /** What it allows, as the object of "allows": `get on all Secrets`. */
  readonly allows: Message;
  readonly remedy: Message;
  /** The API groups, if it is a wildcard in groups of custom resources alone: the risk is that of their controller. */
  readonly customGroups?: readonly string[];
}

/** An entry of `rules` (PolicyRule, rbac/v1). */
interface Entry {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Whether it counts for the objects of `resourceNames` alone. */
  readonly isLimited: boolean;
  readonly names: readonly string[];
}

const ALL = '*';
const RBAC = 'rbac.authorization.k8s.io';
/** The verbs that change nothing. */
export const READING: readonly string[] = ['get', 'list', 'watch'];

/** A right that leads to more rights (kubernetes.io/docs, "RBAC Good Practices", privilege escalation risks). */
interface Escalation {
  readonly verbs: readonly string[];
  readonly group: string;
  readonly resources: readonly string[];
  /** Resources that a Role cannot give, because they are in no namespace. */
  readonly ofCluster: readonly string[];
  readonly effect: string;
  readonly remedy: string;
  /** The verbs that `resourceNames` limits to harmless objects; the docs recommend it. */
  readonly limitable: readonly string[];
  /** Objects that are not harmless. */
  readonly worstNames: readonly string[];
}

const ESCALATIONS: readonly Escalation[] = [
  {
    verbs: ['escalate'],
    group: RBAC,
    resources: ['roles', 'clusterroles'],
    ofCluster: ['clusterroles'],
    effect: 'which can add any right to a role',
    remedy: 'remove escalate, and give the holder the rights that it passes on',
    limitable: [],
    worstNames: [],
  },
  {
    verbs: ['bind'],
    group: RBAC,
    // A Role that allows it counts for ClusterRoles too: they can be bound in its namespace.
    resources: ['roles', 'clusterroles'],
    ofCluster: [],
    effect: 'which can bind a role with rights that the holder does not have',
    remedy: 'list the roles that it may bind under resourceNames',
    limitable: ['bind'],
    worstNames: ['cluster-admin'],
  },
  {
    verbs: ['impersonate'],
    group: '',
    resources: ['users', 'groups', 'serviceaccounts'],
    ofCluster: ['users', 'groups'],
    effect: 'which can act with the rights of another',
    remedy: 'list whom it may act as under resourceNames',
    limitable: ['impersonate'],
    worstNames: ['system:masters'],
  },
  {
    verbs: ['create'],
    group: '',
    resources: ['serviceaccounts/token'],
    ofCluster: [],
    effect: 'which can get a token of any ServiceAccount',
    remedy: 'list the ServiceAccounts under resourceNames',
    limitable: ['create'],
    worstNames: [],
  },
  {
    verbs: ['create', 'update', 'patch'],
    group: RBAC,
    resources: ['rolebindings', 'clusterrolebindings'],
    ofCluster: ['clusterrolebindings'],
    effect: 'which can give the rights of the holder to others',
    remedy: 'remove the verbs that it does not need',
    // The name of an object that is created is not known when the request is authorized.
    limitable: ['update', 'patch'],
    worstNames: [],
  },
  {
    verbs: ['get', 'create', 'update', 'patch', 'delete'],
    group: '',
    resources: ['nodes/proxy'],
    ofCluster: ['nodes/proxy'],
    effect: 'which can run commands in every pod of a node',
    remedy: 'use nodes/metrics, nodes/stats or nodes/log in its place',
    limitable: [],
    worstNames: [],
  },
];

/**
 * The risky rights of an entry of a role: wildcards, rights that lead to more rights, and all Secrets.
 *
 * @param isNamespaced whether it is in a Role, which gives rights in its namespace alone
 */
export function riskyRights(value: YamlObject, isNamespaced: boolean): RiskyRight[] {
  const names = stringsIn(value.resourceNames);
  const entry = {
    verbs: stringsIn(value.verbs),
    apiGroups: stringsIn(value.apiGroups),
    resources: stringsIn(value.resources),
    isLimited: names.length > 0,
    names,
  };
  return [
    ...wildcards(entry),
    ...ESCALATIONS.flatMap((one) => escalation(entry, one, isNamespaced)),
    ...allSecrets(entry, isNamespaced),
    ...allUrls(entry, stringsIn(value.nonResourceURLs), isNamespaced),
  ];
}

function wildcards(entry: Entry): RiskyRight[] {
  const { verbs, apiGroups, resources, isLimited } = entry;
  if (verbs.length === 0 || resources.length === 0 || apiGroups.length === 0) return [];
  const fields = (['verbs', 'resources', 'apiGroups'] as const).filter(
    (field) => entry[field].includes(ALL) && !needsWildcard(entry, field),
  );
  const isOfVerbs = fields.length === 1 && fields[0] === 'verbs';
  if (fields.length === 0 || (isOfVerbs && isLimited)) return [];
  const readsSecrets =
    resources.includes(ALL) &&
    coversGroup(entry, '') &&
    !isLimited &&
    READING.some((verb) => coversVerb(entry, verb));
  const what = resources.includes(ALL) ? words('every resource') : listOf(resources);
  return [
    {
      allows: message`${verbs.includes(ALL) ? words('every verb') : verbsIn(verbs)} on ${what} of ${groupsIn(apiGroups)}${words(readsSecrets ? ', Secrets included' : '')} ("*" in ${listOf(fields.map(words))})`,
      remedy: message`list the ${listOf(fields.map((field) => words(WORDS[field])))} that are needed`,
      ...(apiGroups.some((group) => group === ALL || isKubernetesGroup(group))
        ? {}
        : { customGroups: apiGroups }),
    },
  ];
}

/** Autoscalers scale every kind that can be scaled, and read metrics, whose names are the resources of their API groups. */
function needsWildcard({ apiGroups, resources }: Entry, field: 'verbs' | 'resources' | 'apiGroups'): boolean {
  if (field === 'apiGroups') return resources.every((one) => one === '*/scale');
  return field === 'resources' && apiGroups.every((group) => METRICS.includes(group));
}

const METRICS = ['custom.metrics.k8s.io', 'external.metrics.k8s.io'];

const WORDS = { verbs: 'verbs', resources: 'resources', apiGroups: 'API groups' } as const;

/** The verbs of the API (kubernetes.io/docs, "Authorization", request verbs), in its words; others as they are written. */
const API_VERBS = ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'];

function verbsIn(verbs: readonly string[]): Message {
  return listOf(verbs.map((verb) => (API_VERBS.includes(verb) ? words(verb) : message`${verb}`)));
}

function groupsIn(groups: readonly string[]): Message {
  if (groups.includes(ALL)) return words('every API group');
  if (groups.length === 1 && groups[0] === '') return words('the core API group');
  const names = groups.map((group) => (group === '' ? words('core') : message`${group}`));
  return message`the API ${words(groups.length === 1 ? 'group' : 'groups')} ${listOf(names)}`;
}

function escalation(entry: Entry, one: Escalation, isNamespaced: boolean): RiskyRight[] {
  // The wildcards say it.
  if (entry.verbs.includes(ALL) && entry.resources.includes(ALL)) return [];
  if (!coversGroup(entry, one.group)) return [];
  const resources = one.resources.filter(
    (resource) => coversResource(entry, resource, one) && !(isNamespaced && one.ofCluster.includes(resource)),
  );
  const isHarmless = entry.isLimited && !entry.names.some((name) => one.worstNames.includes(name));
  const verbs = one.verbs.filter(
    (verb) => coversVerb(entry, verb) && !(isHarmless && one.limitable.includes(verb)),
  );
  if (resources.length === 0 || verbs.length === 0) return [];
  return [
    {
      allows: message`${listOf(verbs.map(words))} on ${listOf(resources.map(words))}, ${words(one.effect)}`,
      remedy: words(one.remedy),
    },
  ];
}

/**
 * Reading Secrets of any name. An entry with resourceNames is limited, for list and watch too: they then are allowed with
 * a field selector for the name alone (kubernetes.io/docs, "Using RBAC Authorization", referring to resources).
 */
function allSecrets(entry: Entry, isNamespaced: boolean): RiskyRight[] {
  if (entry.isLimited || !entry.resources.includes('secrets') || !coversGroup(entry, '')) return [];
  // The wildcards say it.
  if (entry.resources.includes(ALL)) return [];
  const verbs = READING.filter((verb) => coversVerb(entry, verb));
  if (verbs.length === 0) return [];
  return [
    {
      allows: message`${listOf(verbs.map(words))} on all Secrets${words(isNamespaced ? ' of its namespace' : '')}`,
      remedy: words('remove secrets from the entry, or list the Secrets in an entry with resourceNames'),
    },
  ];
}

/** Reading every URL shows health and metrics; a ClusterRole for that is common. */
function allUrls({ verbs }: Entry, urls: readonly string[], isNamespaced: boolean): RiskyRight[] {
  if (isNamespaced || !verbs.includes(ALL) || !urls.some((url) => url === ALL || url === '/*')) return [];
  return [
    {
      allows: words('every verb on every URL ("*" in verbs and nonResourceURLs)'),
      remedy: words('list the verbs and URLs that are needed'),
    },
  ];
}

function coversVerb({ verbs }: Entry, verb: string): boolean {
  return verbs.includes(verb) || verbs.includes(ALL);
}

function coversGroup({ apiGroups }: Entry, group: string): boolean {
  return apiGroups.includes(group) || apiGroups.includes(ALL);
}

/** Whether an entry names a resource, or names a verb for all resources that only such resources have. */
function coversResource(
  { resources, verbs }: Entry,
  resource: string,
  { verbs: risky }: Escalation,
): boolean {
  if (resources.includes(resource)) return true;
  const [, subresource] = resource.split('/');
  if (subresource !== undefined && resources.includes(`*/${subresource}`)) return true;
  const isOwnVerb = risky.length === 1 && risky[0] !== 'create';
  return resources.includes(ALL) && isOwnVerb && risky.some((verb) => verbs.includes(verb));
}

export function stringsIn(value: YamlValue | undefined): string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
