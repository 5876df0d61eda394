import { type Placed, groupOf, resourceRef } from '../../krm/resource';
import { ANY, ServiceAccounts, accountIn, serviceAccountOf } from '../../kubernetes/service-accounts';
import { type PodSpec, podSpecOf } from '../../kubernetes/workload';
import { type Message, joinMessages, message, words } from '../../message';
import { type YamlObject, entriesIn, objectAt, objectsIn } from '../../yaml/yaml';
import { NAMED, listOf } from '../lists';
import { READING, stringsIn } from './rights';

const AGGREGATE_TO = 'rbac.authorization.k8s.io/aggregate-to-';

/** Who has the rights of a role. */
interface Holding {
  /** A sentence; undefined: the build does not show it. */
  readonly sentence: Message | undefined;
  /** Whether a binding of the build binds it. */
  readonly isBound: boolean;
}

/** Holders that have a role in the same way. */
interface Way {
  /** What counts once, also where several bindings bind it: an account, a user or a group. */
  readonly subject: string;
  /** The first of them. */
  readonly names: readonly string[];
  readonly count: number;
  /** The objects between the holders and the role: `ClusterRoleBinding/web`, `ServiceAccount/web`. */
  readonly through: readonly string[];
}

interface Binding {
  readonly resource: YamlObject;
  /** `RoleBinding/web`. */
  readonly name: string;
}

/** Joins the roles of a build with the workloads that have them, through its bindings and ServiceAccounts. */
export class RoleHolders {
  /** By kind and name of the role, and the namespace of the binding. */
  private readonly bindings = new Namespaced<Binding>();
  private readonly roles = new Namespaced<YamlObject>();
  /** The workloads whose pods get the token of an account. */
  private readonly workloads = new Namespaced<string>();
  /** ClusterRoles that have the rights of others too (aggregationRule), by one label that each of their selectors names. */
  private readonly aggregating = new Map<string, Aggregation[]>();
  /** Whether there are bindings whose role is not known: its name has a variable, or expressions select it. */
  private hasUnknownBindings = false;

  /** @param resources a build, Lists expanded */
  constructor(resources: readonly Placed[]) {
    const accounts = new ServiceAccounts(resources);
    for (const { resource } of resources) {
      if (groupOf(resource) === 'rbac.authorization.k8s.io') this.addRbac(resource);
      const pod = podSpecOf(resource);
      const { kind, name, namespace = '' } = resourceRef(resource);
      if (pod !== undefined && (accounts.mountsToken(pod, namespace) || projectsToken(pod)))
        this.workloads.add(serviceAccountOf(pod), namespace, `${kind}/${name}`);
    }
  }

  ofRole(role: YamlObject): Holding {
    const { kind, name, namespace = '' } = resourceRef(role);
    const ways = [
      ...this.waysTo(this.bindings.in(`${kind}/${name}`, namespace), []),
      ...this.aggregatingOf(role).flatMap((one) => this.waysThrough(one)),
    ];
    if (ways.length > 0) return { sentence: sentenceOf(ways), isBound: true };
    const aggregate = labelsOf(role).find(([key, value]) => key.startsWith(AGGREGATE_TO) && value === 'true');
    if (aggregate !== undefined)
      return {
        sentence: message`a label adds it to ClusterRole/${aggregatedName(aggregate[0])}`,
        isBound: false,
      };
    const sentence = this.hasUnknownBindings ? undefined : words('no binding of this build binds it');
    return { sentence, isBound: false };
  }

  /**
   * Who has a role through a binding; undefined: nobody.
   *
   * @param except indices of subjects that do not count
   */
  ofBinding(binding: YamlObject, except: readonly unknown[]): Message | undefined {
    const subjects = entriesIn(binding.subjects).filter((_, i) => !except.includes(i));
    const { namespace = '' } = resourceRef(binding);
    const ways = subjects.flatMap((subject) => this.wayOf(subject, namespace, []));
    return ways.length === 0 ? undefined : sentenceOf(ways);
  }

  /** Whether the build shows that the role of a binding only reads objects that it names, and no Secrets. */
  readsNamedObjects(binding: YamlObject): boolean {
    const { kind, name } = objectAt(binding, 'roleRef');
    if (typeof kind !== 'string' || typeof name !== 'string') return false;
    const { namespace = '' } = resourceRef(binding);
    const roles = this.roles.in(`${kind}/${name}`, kind === 'Role' ? namespace : '');
    return (
      roles.length > 0 &&
      roles.every(({ rules }) =>
        entriesIn(rules).every(
          (entry) =>
            stringsIn(entry.resourceNames).length > 0 &&
            stringsIn(entry.verbs).every((verb) => READING.includes(verb)) &&
            !stringsIn(entry.resources).some((resource) => resource === '*' || resource === 'secrets'),
        ),
      )
    );
  }

  private addRbac(resource: YamlObject): void {
    const { kind, name, namespace = '' } = resourceRef(resource);
    const selectors = objectsIn(objectAt(resource, 'aggregationRule').clusterRoleSelectors);
    if (kind === 'Role' || kind === 'ClusterRole')
      this.roles.add(`${kind}/${name}`, kind === 'Role' ? namespace : '', resource);
    for (const selector of selectors) {
      const labels = Object.entries(objectAt(selector, 'matchLabels'));
      if (labels[0] !== undefined) push(this.aggregating, labelOf(labels[0]), { role: resource, labels });
    }
    if (selectors.some(({ matchExpressions }) => matchExpressions !== undefined))
      this.hasUnknownBindings = true;
    if (kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') return;
    const role = objectAt(resource, 'roleRef');
    if (typeof role.kind !== 'string' || typeof role.name !== 'string') return;
    if (/\$[({]|\{\{/.test(role.name)) this.hasUnknownBindings = true;
    // A ClusterRole is in no namespace, and a binding in any may bind it.
    const of = role.kind === 'Role' ? namespace : '';
    this.bindings.add(`${role.kind}/${role.name}`, of, { resource, name: `${kind}/${name}` });
  }

  /** The ClusterRoles whose selectors select a ClusterRole by labels; expressions are not read. */
  private aggregatingOf(role: YamlObject): YamlObject[] {
    if (role.kind !== 'ClusterRole') return [];
    const labels = labelsOf(role);
    const own = new Set(labels.map(labelOf));
    const selecting = labels
      .flatMap((label) => this.aggregating.get(labelOf(label)) ?? [])
      .filter((one) => one.role !== role && one.labels.every((label) => own.has(labelOf(label))));
    return [...new Set(selecting.map((one) => one.role))];
  }

  private waysThrough(aggregating: YamlObject): Way[] {
    const { kind, name } = resourceRef(aggregating);
    return this.waysTo(this.bindings.in(`${kind}/${name}`, ''), [`${kind}/${name}`]);
  }

  private waysTo(bindings: readonly Binding[], through: readonly string[]): Way[] {
    return bindings.flatMap(({ resource, name }) => {
      const { namespace = '' } = resourceRef(resource);
      return objectsIn(resource.subjects).flatMap((one) => this.wayOf(one, namespace, [...through, name]));
    });
  }

  private wayOf(subject: YamlObject, home: string, through: readonly string[]): Way[] {
    if (typeof subject.kind !== 'string' || typeof subject.name !== 'string') return [];
    const account = accountIn(subject, home);
    const name = `${subject.kind}/${subject.name}`;
    if (account === undefined || account.name === ANY)
      return [{ subject: name, names: [name], count: 1, through }];
    const { name: accountName, namespace } = account;
    const key = JSON.stringify([namespace, accountName]);
    const ofAccount = `ServiceAccount/${accountName}`;
    const { first, count } = this.workloads.some(accountName, namespace);
    return [
      count > 0
        ? { subject: key, names: first, count, through: [...through, ofAccount] }
        : { subject: key, names: [ofAccount], count: 1, through },
    ];
  }
}

/** `Deployment/a gets it through RoleBinding/a and ServiceAccount/a, ...`, of three holders at most. */
function sentenceOf(ways: readonly Way[]): Message {
  const seen = new Set<string>();
  // By what is between them and the role.
  const named = new Map<string, { readonly names: string[]; readonly through: readonly string[] }>();
  let left = NAMED;
  let more = 0;
  for (const { subject, names, count, through } of ways) {
    if (seen.has(subject)) continue;
    seen.add(subject);
    const taken = names.slice(0, left);
    left -= taken.length;
    more += count - taken.length;
    if (taken.length === 0) continue;
    const key = JSON.stringify(through);
    const same = named.get(key) ?? { names: [], through };
    named.set(key, same);
    same.names.push(...taken);
  }
  const parts = [...named.values()].map(({ names, through }) => {
    const verb = words(names.length === 1 ? 'gets it' : 'get it');
    const by = through.length === 0 ? words('') : message` through ${listOf(through)}`;
    return message`${listOf(names)} ${verb}${by}`;
  });
  const sentence = joinMessages(parts, ', ');
  return more === 0 ? sentence : message`${sentence}, and ${more} more`;
}

/** The ClusterRole that a label names; the built-in ones are words of the function. */
function aggregatedName(label: string): Message {
  const name = label.slice(AGGREGATE_TO.length);
  return ['admin', 'edit', 'view'].includes(name) ? words(name) : message`${name}`;
}

/** Whether a volume of a pod holds a token of its account. */
function projectsToken({ value }: PodSpec): boolean {
  return objectsIn(value.volumes).some((volume) =>
    objectsIn(objectAt(volume, 'projected').sources).some((one) => one.serviceAccountToken !== undefined),
  );
}

type Label = readonly [string, unknown];

/** One of the selectors of a ClusterRole with an aggregationRule. */
interface Aggregation {
  readonly role: YamlObject;
  readonly labels: readonly Label[];
}

/** A label as the key of a map. */
function labelOf(label: Label): string {
  return JSON.stringify(label);
}

function labelsOf(resource: YamlObject): Label[] {
  return Object.entries(objectAt(objectAt(resource, 'metadata'), 'labels'));
}

/** Values by a name and a namespace; a namespace that is not set may be any. */
class Namespaced<T> {
  private readonly values = new Map<string, Map<string, T[]>>();
  private readonly everywhere = new Map<string, T[]>();

  add(name: string, namespace: string, value: T): void {
    const byNamespace = this.values.get(name) ?? new Map<string, T[]>();
    this.values.set(name, byNamespace);
    push(byNamespace, namespace, value);
    push(this.everywhere, name, value);
  }

  in(name: string, namespace: string): readonly T[] {
    if (namespace === '') return this.everywhere.get(name) ?? [];
    const byNamespace = this.values.get(name);
    const [own = [], ofAny = []] = [byNamespace?.get(namespace), byNamespace?.get('')];
    return ofAny.length === 0 ? own : [...own, ...ofAny];
  }

  /** The first of them, and how many there are, without a copy of all. */
  some(name: string, namespace: string): { readonly first: readonly T[]; readonly count: number } {
    const byNamespace = this.values.get(name);
    const lists =
      namespace === ''
        ? [this.everywhere.get(name) ?? []]
        : [byNamespace?.get(namespace) ?? [], byNamespace?.get('') ?? []];
    return {
      first: lists.flatMap((list) => list.slice(0, NAMED)).slice(0, NAMED),
      count: lists.reduce((sum, { length }) => sum + length, 0),
    };
  }
}

function push<T>(lists: Map<string, T[]>, key: string, value: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
