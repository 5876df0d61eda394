// What the generated policies of a repository do to the traffic that its builds show. It reads the builds by itself: with
// another YAML library, another evaluation of NetworkPolicies and other patterns of hosts than the function.
import { parseAllDocuments } from 'yaml';
import { kustomizeHere, readPackage } from '../../functions/guardrails/cli/read-package';
import {
  fileOfGuardrails,
  functionConfigIn,
  readFunctionConfig,
} from '../../functions/guardrails/config/function-config';
import { readConfig } from '../../functions/guardrails/config/read-config';
import { describeError, messageOf, printMessage } from '../../functions/guardrails/findings/print';
import { judge } from '../../functions/guardrails/pipeline';

// Manifests of others have any shape.
/* eslint-disable @typescript-eslint/no-explicit-any, @typescript-eslint/no-unsafe-assignment, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-argument, @typescript-eslint/no-unsafe-call, @typescript-eslint/no-unsafe-return */
type Resource = any;

interface Pods {
  readonly id: string;
  readonly namespace: string;
  readonly labels: Record<string, string>;
  readonly spec: Resource;
}

/** Something that a build shows, and whose pods must be open there or be named in a finding. */
interface Shown {
  readonly sort: string;
  readonly what: string;
  readonly pods: Pods;
  readonly direction: 'ingress' | 'egress';
}

export interface Outcome {
  readonly problem?: string;
  readonly overlays: number;
  readonly policies: number;
  readonly workloads: number;
  /** Of these, those that a policy isolates in both directions. */
  readonly isolated: number;
  /** Sort of what is shown to how often it is. */
  readonly shown: Readonly<Record<string, number>>;
  /** What is neither open nor named; policies of others' pods; several findings for one workload and direction. */
  readonly violations: readonly string[];
}

const list = (value: unknown): Resource[] => (Array.isArray(value) ? value : []);

function podsOf(resource: Resource): Pods | undefined {
  const { kind, metadata = {}, spec = {} } = resource;
  const template =
    kind === 'Pod' ? resource : kind === 'CronJob' ? spec.jobTemplate?.spec?.template : spec.template;
  if (!Array.isArray(template?.spec?.containers) || template.spec.hostNetwork === true) return undefined;
  const labels = template.metadata?.labels ?? {};
  return { id: `${kind}/${metadata.name}`, namespace: metadata.namespace ?? '', labels, spec: template.spec };
}

function matches(selector: Resource, labels: Record<string, string>): boolean {
  const equal = Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value);
  return (
    equal &&
    list(selector?.matchExpressions).every(({ key, operator, values }) => {
      if (operator === 'In') return values.includes(labels[key]);
      if (operator === 'NotIn') return !values.includes(labels[key]);
      return operator === 'Exists' ? key in labels : !(key in labels);
    })
  );
}

/** The policies that isolate pods in a direction. */
function isolating(pods: Pods, direction: Shown['direction'], policies: readonly Resource[]): Resource[] {
  return policies.filter(
    ({ metadata, spec }) =>
      (metadata.namespace ?? '') === pods.namespace &&
      matches(spec.podSelector, pods.labels) &&
      list(spec.policyTypes).includes(direction === 'ingress' ? 'Ingress' : 'Egress'),
  );
}

const isDns = ({ ports }: Resource) =>
  list(ports).length > 0 && list(ports).every(({ port }) => port === 53 || port === 5353);

/** Whether nothing isolates pods, or a rule for something else than DNS opens them. */
function isOpen({ pods, direction }: Shown, policies: readonly Resource[]): boolean {
  const own = isolating(pods, direction, policies);
  return own.length === 0 || own.some(({ spec }) => list(spec[direction]).some((rule) => !isDns(rule)));
}

function shownIn(resources: readonly Resource[]): Shown[] {
  const all = resources.flatMap((one) => podsOf(one) ?? []);
  const selected = (labels: Record<string, string> | undefined, namespace: string) =>
    labels === undefined || Object.keys(labels).length === 0
      ? []
      : all.filter((pods) => pods.namespace === namespace && matches({ matchLabels: labels }, pods.labels));
  const services = resources.filter(({ apiVersion, kind }) => apiVersion === 'v1' && kind === 'Service');
  const ofService = (name: string, namespace: string) =>
    services
      .filter(({ metadata }) => metadata.name === name && (metadata.namespace ?? '') === namespace)
      .flatMap(({ spec }) => selected(spec?.selector, namespace));
  const ingress = (sort: string, what: string, pods: readonly Pods[]): Shown[] =>
    pods.map((one) => ({ sort, what, pods: one, direction: 'ingress' }));
  return resources.flatMap((resource): Shown[] => {
    const { kind, metadata = {}, spec = {} } = resource;
    const namespace = metadata.namespace ?? '';
    const what = `${kind}/${metadata.name}`;
    if (kind === 'Service' && resource.apiVersion === 'v1')
      return ingress('Service', what, selected(spec.selector, namespace));
    if (kind === 'ServiceMonitor' || kind === 'PodMonitor') {
      const names =
        spec.namespaceSelector?.any === true
          ? undefined
          : (spec.namespaceSelector?.matchNames ?? [namespace]);
      const inScope = (one: string) => names === undefined || names.includes(one);
      const pods =
        kind === 'PodMonitor'
          ? all.filter((one) => inScope(one.namespace) && matches(spec.selector, one.labels))
          : services
              .filter(
                ({ metadata: own }) =>
                  inScope(own.namespace ?? '') && matches(spec.selector, own.labels ?? {}),
              )
              .flatMap(({ metadata: own, spec: service }) =>
                selected(service?.selector, own.namespace ?? ''),
              );
      return ingress('monitor', what, pods);
    }
    if (/^(Validating|Mutating)WebhookConfiguration$/.test(kind))
      return list(resource.webhooks).flatMap(({ clientConfig }) =>
        ingress(
          'webhook',
          what,
          ofService(clientConfig?.service?.name, clientConfig?.service?.namespace ?? ''),
        ),
      );
    if (kind === 'RoleBinding' || kind === 'ClusterRoleBinding')
      return list(resource.subjects)
        .filter((subject) => subject.kind === 'ServiceAccount')
        .flatMap((subject) => {
          const home = subject.namespace ?? namespace;
          return all
            .filter(
              (pods) =>
                pods.namespace === home && (pods.spec.serviceAccountName ?? 'default') === subject.name,
            )
            .filter((pods) => pods.spec.automountServiceAccountToken !== false)
            .map((pods) => ({ sort: 'bound account', what, pods, direction: 'egress' as const }));
        });
    const pods = podsOf(resource);
    return pods === undefined ? [] : hostsOf(pods);
  });
}

const URL_HOST =
  /\b(https?|redis|postgres(?:ql)?|mysql|mongodb|amqp|nats|grpc|kafka):\/\/(?:[^\s/@'"]*@)?([a-z0-9.-]+)/gi;
const OWN = /^(?:localhost|127\.|0\.0\.0\.0|::1)/;

function hostsOf(pods: Pods): Shown[] {
  return list(pods.spec.containers).flatMap(({ env, args, command }: Resource) => {
    const texts = [
      ...list(env).map(({ name, value }) => [name, value]),
      ...[...list(args), ...list(command)].map((one) => ['', one]),
    ];
    return texts.flatMap(([name, text]) => {
      if (typeof text !== 'string' || /ORIGIN|CORS|^NEXT_PUBLIC_|^VITE_|^REACT_APP_/i.test(name)) return [];
      const hosts = [...text.matchAll(URL_HOST)].map(([, , host = '']) => host.toLowerCase());
      return hosts
        .filter((host) => !OWN.test(host))
        .map((host) => ({ sort: 'host', what: `${name} ${host}`, pods, direction: 'egress' as const }));
    });
  });
}

async function tryOn(root: string): Promise<Outcome> {
  const outcome = { overlays: 0, policies: 0, workloads: 0, isolated: 0, shown: {}, violations: [] };
  try {
    const { items, directory } = await readPackage(root);
    const config = readFunctionConfig(items, readConfig);
    const configFile = fileOfGuardrails(items, functionConfigIn(items)?.value);
    const judged = await judge(items, config, { findKustomize: kustomizeHere(), directory, configFile });
    const shown: Record<string, number> = {};
    const violations: string[] = [];
    const counts = { overlays: 0, policies: 0, workloads: 0, isolated: 0 };
    for (const { overlay = '', manifests } of judged.builds) {
      const resources = parseAllDocuments(manifests, { logLevel: 'silent', maxAliasCount: -1 } as never)
        .map((one) => (one as { toJS: () => unknown }).toJS() as Resource)
        .filter((one) => typeof one?.kind === 'string')
        .flatMap((one) => (one.kind === 'List' ? list(one.items) : [one]));
      const policies = resources.filter(
        ({ kind, apiVersion }) => kind === 'NetworkPolicy' && /^networking/.test(apiVersion),
      );
      const ours = policies.filter(
        ({ metadata }) => metadata.labels?.['todo.example.com/generated-by'] === 'guardrails',
      );
      if (ours.length === 0) continue;
      counts.overlays++;
      counts.policies += ours.length;
      const workloads = resources.flatMap((one) => podsOf(one) ?? []);
      counts.workloads += workloads.length;
      counts.isolated += workloads.filter((pods) =>
        (['ingress', 'egress'] as const).every(
          (direction) => isolating(pods, direction, policies).length > 0,
        ),
      ).length;
      const namespaces = new Set(
        resources.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name),
      );
      for (const { metadata, spec } of ours) {
        const labels = Object.keys(spec.podSelector.matchLabels ?? {}).length;
        const isSolver = JSON.stringify(spec.podSelector).includes('acme.cert-manager.io');
        const isOwn = workloads.some(
          (pods) => pods.namespace === (metadata.namespace ?? '') && matches(spec.podSelector, pods.labels),
        );
        const isOwnNamespace =
          namespaces.has(metadata.namespace) && !/^(default|kube-.*)$/.test(metadata.namespace);
        if (labels === 0 ? !isSolver && !isOwnNamespace : !isOwn)
          violations.push(
            `${overlay}: NetworkPolicy/${metadata.name} selects pods that the package does not own`,
          );
      }
      const findings = judged.findings.filter((one) => one.overlays.includes(overlay));
      const texts = findings.map((one) => ({ text: printMessage(messageOf(one), (text) => text), one }));
      for (const one of shownIn(resources)) {
        shown[one.sort] = (shown[one.sort] ?? 0) + 1;
        const isNamed = texts.some(({ text }) => text.includes(one.pods.id) || text.includes(one.what));
        if (!isOpen(one, policies) && !isNamed)
          violations.push(`${overlay}: ${one.pods.id} is closed for ${one.sort} ${one.what}`);
      }
      const perDirection = new Map<string, number>();
      for (const { one } of texts) {
        if (one.rule !== 'network-policy' || one.counts !== 'not isolated') continue;
        for (const direction of ['ingress', 'egress'])
          if (one.problem.raw.split(':')[0]?.includes(direction) === true) {
            const key = `${one.resource?.namespace ?? ''} ${one.resource?.kind}/${one.resource?.name} ${direction}`;
            perDirection.set(key, (perDirection.get(key) ?? 0) + 1);
          }
      }
      for (const [key, n] of perDirection) if (n > 1) violations.push(`${overlay}: ${n} findings for ${key}`);
    }
    return { ...counts, shown, violations };
  } catch (error) {
    return { ...outcome, problem: printMessage(describeError(error).text, (text) => text) };
  }
}

void tryOn(process.argv[2] ?? '.').then((outcome) => {
  process.stdout.write(JSON.stringify(outcome));
});
