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
import type { Finding } from '../../functions/guardrails/findings/finding';
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

interface Outcome {
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
  // What controllers add, as far as policies select it.
  const added =
    kind === 'Job' ? { 'batch.kubernetes.io/job-name': metadata.name, 'job-name': metadata.name } : {};
  const labels = { ...added, ...template.metadata?.labels };
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

/** What one build has. */
interface Build {
  readonly overlay: string;
  readonly resources: readonly Resource[];
  readonly policies: readonly Resource[];
  readonly workloads: readonly Pods[];
  readonly findings: readonly { readonly text: string; readonly finding: Finding }[];
}

function resourcesIn(manifests: string): Resource[] {
  return parseAllDocuments(manifests, { logLevel: 'silent' })
    .map((one) => ('toJS' in one ? one.toJS({ maxAliasCount: -1 }) : undefined))
    .filter((one) => typeof one?.kind === 'string')
    .flatMap((one) => (one.kind === 'List' ? list(one.items) : [one]));
}

const isOurs = ({ metadata }: Resource) =>
  metadata.labels?.['todo.example.com/generated-by'] === 'guardrails';

/** Generated policies that apply to pods which the package does not own. */
function foreignPolicies({ overlay, resources, policies, workloads }: Build): string[] {
  const own = resources.filter(({ kind }) => kind === 'Namespace').map(({ metadata }) => metadata.name);
  return policies.filter(isOurs).flatMap(({ metadata, spec }) => {
    const isForAll = Object.keys(spec.podSelector).length === 0;
    const isSolver = JSON.stringify(spec.podSelector).includes('acme.cert-manager.io');
    const isOwnNamespace =
      own.includes(metadata.namespace) && !/^(default|kube-.*)$/.test(metadata.namespace);
    const isOwn = workloads.some(
      (pods) => pods.namespace === (metadata.namespace ?? '') && matches(spec.podSelector, pods.labels),
    );
    if (isForAll ? isOwnNamespace : isOwn || isSolver) return [];
    return [`${overlay}: NetworkPolicy/${metadata.name} selects pods that the package does not own`];
  });
}

/** What is closed and that no finding names. */
function closedInSilence(build: Build, shown: readonly Shown[]): string[] {
  const { overlay, policies, findings } = build;
  return shown
    .filter((one) => !isOpen(one, policies))
    .filter(({ what, pods }) => !findings.some(({ text }) => text.includes(pods.id) || text.includes(what)))
    .map(({ sort, what, pods }) => `${overlay}: ${pods.id} is closed for ${sort} ${what}`);
}

function repeatedFindings({ overlay, findings }: Build): string[] {
  const counts = new Map<string, number>();
  for (const { finding } of findings) {
    if (finding.counts !== 'not isolated') continue;
    const { kind, name, namespace = '' } = finding.resource ?? { kind: '', name: '' };
    for (const direction of ['ingress', 'egress']) {
      if (finding.problem.raw.split(':')[0]?.includes(direction) !== true) continue;
      const key = `${namespace} ${kind}/${name} ${direction}`;
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  }
  return [...counts].filter(([, n]) => n > 1).map(([key, n]) => `${overlay}: ${n} findings for ${key}`);
}

async function tryOn(root: string): Promise<Outcome> {
  const { items, directory } = await readPackage(root);
  const config = readFunctionConfig(items, readConfig);
  const configFile = fileOfGuardrails(items, functionConfigIn(items)?.value);
  const judged = await judge(items, config, { findKustomize: kustomizeHere(), directory, configFile });
  const builds = judged.builds.map(({ overlay = '', manifests }): Build => {
    const resources = resourcesIn(manifests);
    return {
      overlay,
      resources,
      policies: resources.filter(
        ({ kind, apiVersion }) => kind === 'NetworkPolicy' && apiVersion.startsWith('networking'),
      ),
      workloads: resources.flatMap((one) => podsOf(one) ?? []),
      findings: judged.findings
        .filter(({ overlays }) => overlays.includes(overlay))
        .map((finding) => ({ finding, text: printMessage(messageOf(finding), (text) => text) })),
    };
  });
  const written = builds.filter(({ policies }) => policies.some(isOurs));
  const workloads = written.flatMap((build) => build.workloads.map((pods) => ({ pods, build })));
  const isIsolated = ({ pods, build: { policies } }: { pods: Pods; build: Build }) =>
    (['ingress', 'egress'] as const).every((direction) => isolating(pods, direction, policies).length > 0);
  const shown = written.map((build) => ({ build, shown: shownIn(build.resources) }));
  const counts: Record<string, number> = {};
  for (const { sort } of shown.flatMap((one) => one.shown)) counts[sort] = (counts[sort] ?? 0) + 1;
  return {
    overlays: written.length,
    policies: written.flatMap(({ policies }) => policies.filter(isOurs)).length,
    workloads: workloads.length,
    isolated: workloads.filter(isIsolated).length,
    shown: counts,
    violations: shown.flatMap(({ build, shown: all }) => [
      ...foreignPolicies(build),
      ...closedInSilence(build, all),
      ...repeatedFindings(build),
    ]),
  };
}

tryOn(process.argv[2] ?? '.').then(
  (outcome) => process.stdout.write(JSON.stringify(outcome)),
  (error: unknown) => {
    process.stderr.write(printMessage(describeError(error).text, (text) => text));
    process.exitCode = 1;
  },
);
