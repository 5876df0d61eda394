import * as v from 'valibot';
import { ConfigError } from '../errors';
import type { Source } from '../findings/finding';
import { annotationNames } from '../kubernetes/annotation-names';
import { type ImagePolicy, RegistryPattern } from '../kubernetes/image-policy';
import { compareQuantities, parseQuantity } from '../kubernetes/quantity';
import type { PodSecurity } from '../kubernetes/pod-security';
import type { ResourceDefaults } from '../kubernetes/resource-defaults';
import { type Message, joinMessages, message, words } from '../message';
import { API_SERVER_PORTS, type ExternalPeers } from '../network/external-peers';
import type { ExemptionLimits } from '../rules/exemptions';
import type { Level } from '../rules/inspect';
import { type FieldPath, formatPath, valueAt } from '../yaml/field-path';
import { type YamlObject, type YamlValue, isObject } from '../yaml/yaml';
import { type Config, DEFAULTS, type Levels, type Settings } from './config';
import { CONFIG_MAP, GUARDRAILS, type WrittenSettings, type WrittenSpec } from './schema';

/** Where a field of the configuration is; undefined: it is in no file that is known. */
export type Locate = (field: FieldPath) => Source | undefined;
export type PrintLocation = (field: FieldPath) => Message;

/**
 * Reads a functionConfig: a Guardrails, or the ConfigMap that `kpt fn eval -- key=value` sends; without one, the defaults.
 *
 * @param defaults what holds where it says nothing
 * @throws ConfigError an unknown key, a wrong type or an unknown rule; the message lists what is allowed
 */
export function readConfig(
  functionConfig: YamlValue | undefined,
  locateSource: Locate = () => undefined,
  defaults: Config = DEFAULTS,
): Config {
  if (functionConfig === undefined || functionConfig === null) return defaults;
  const locate: PrintLocation = (field) => locationOf(locateSource(field));
  if (isObject(functionConfig) && functionConfig.kind === 'ConfigMap')
    return { ...defaults, complete: completeIn(functionConfig, locate) ?? defaults.complete };
  const { spec = {} } = parse(GUARDRAILS, functionConfig, locate);
  const environments = Object.entries(spec.environments ?? {});
  const outdated = environments.flatMap(([overlay, { allow }]) => {
    if (allow === undefined) return [];
    const field = ['spec', 'environments', overlay, 'allow'];
    const rules = allow.map((id) => `${id}: off`).join(', ');
    return [message`${locate(field)}: ${formatPath(field)} is deprecated; write rules: {${words(rules)}}`];
  });
  const top = settingsIn(spec, defaults, ['spec'], locate);
  const own = environments.map(([overlay, { allow = [], ...written }]) => {
    const base = { ...top, levels: new Map([...top.levels, ...allow.map((id) => [id, 'off'] as const)]) };
    return [overlay, settingsIn(written, base, ['spec', 'environments', overlay], locate)] as const;
  });
  const closed = [
    ...closedDns(spec, top, ['spec'], locate),
    ...own.flatMap(([overlay, settings]) => {
      const written = spec.environments?.[overlay] ?? {};
      return closedDns(written, settings, ['spec', 'environments', overlay], locate);
    }),
  ];
  // valibot skips these keys without an issue. No overlay has such a name, which is reported later.
  const skipped = ['__proto__', 'constructor', 'prototype']
    .filter((key) => valueAt(functionConfig, ['spec', 'environments', key]) !== undefined)
    .map((key) => [key, top] as const);
  return {
    ...top,
    environments: new Map([...own, ...skipped]),
    environment: spec.environment,
    complete: spec.complete ?? defaults.complete,
    exemptions: limitsIn(spec, defaults.exemptions),
    overlays: spec.overlays ?? [],
    bases: spec.bases ?? [],
    policyFiles: spec.policies ?? [],
    kustomizeVersion: spec.kustomizeVersion ?? defaults.kustomizeVersion,
    schemaFiles: spec.schemas ?? [],
    definitions: [],
    annotations:
      spec.annotationDomain === undefined ? defaults.annotations : annotationNames(spec.annotationDomain),
    warnings: [...outdated, ...closed],
    loosenings: [],
  };
}

/** What a ConfigMap says of a stream; undefined: nothing. */
function completeIn(configMap: YamlObject, locate: PrintLocation): boolean | undefined {
  const { data } = parse(CONFIG_MAP, configMap, locate);
  if (data?.environment !== undefined)
    throw new ConfigError(
      message`${locate(['data', 'environment'])}: data.environment has no environments to select from; set spec.environment of a Guardrails, and pass its file with --fn-config`,
    );
  return data?.complete === undefined ? undefined : data.complete === 'true';
}

function limitsIn({ neverExempt, exemptions }: WrittenSpec, base: ExemptionLimits): ExemptionLimits {
  const days = exemptions?.maxDays;
  return {
    neverExempt:
      neverExempt === undefined
        ? base.neverExempt
        : new Map(neverExempt.map((id) => [id, words('the configuration')])),
    maxDays: days === undefined ? base.maxDays : { ...base.maxDays, days },
  };
}

/** `base/guardrails.yaml:9` */
export function locationOf(source: Source | undefined): Message {
  if (source === undefined) return words('functionConfig');
  return message`${source.file}${source.line === undefined ? '' : message`:${source.line}`}`;
}

/** Merges written settings over `base`. */
function settingsIn(
  written: WrittenSettings,
  base: Settings,
  field: FieldPath,
  locate: PrintLocation,
): Settings {
  const { rules, podSecurity, resources, network, substitute, kubernetesVersion } = written;
  return {
    levels: new Map([...base.levels, ...levelsIn(rules)]),
    podSecurity: { ...base.podSecurity, ...podSecurityIn(podSecurity) },
    resourceDefaults: resourceDefaults(resources, base.resourceDefaults, [...field, 'resources'], locate),
    harden: written.harden ?? base.harden,
    knownImages: written.knownImages ?? base.knownImages,
    network: networkIn(network, base.network),
    images: imagesIn(written.images, base.images),
    probes: { ...base.probes, ...written.probes },
    substitute: substitute ?? base.substitute,
    kubernetesMinor: kubernetesVersion === undefined ? base.kubernetesMinor : minorOf(kubernetesVersion),
    // What exists everywhere exists in an environment, too.
    external: [...base.external, ...(written.external ?? [])],
  };
}

function imagesIn(written: WrittenSettings['images'] = {}, base: ImagePolicy): ImagePolicy {
  return {
    registries: written.registries?.map((one) => new RegistryPattern(one)) ?? base.registries,
    digest: written.digest ?? base.digest,
  };
}

function networkIn(written: WrittenSettings['network'] = {}, base: ExternalPeers): ExternalPeers {
  const { apiServer, monitoring, ingressControllers = {} } = written;
  const controllers = Object.entries(ingressControllers).map(
    ([name, { namespace = '', podLabels = {}, cidrs }]) =>
      [name, cidrs === undefined ? { namespace, podLabels } : { cidrs }] as const,
  );
  return {
    ingressController: { ...base.ingressController, ...written.ingressController },
    ingressControllers: new Map([...base.ingressControllers, ...controllers]),
    gateways: { ...base.gateways, ...written.gateways },
    router: { ...base.router, ...written.router },
    dns: { ...base.dns, ...written.dns },
    apiServer: apiServer === undefined ? base.apiServer : { ports: API_SERVER_PORTS, ...apiServer },
    monitoring: monitoring === undefined ? base.monitoring : { podLabels: {}, ...monitoring },
    mesh: written.mesh ?? base.mesh,
    unresolved: written.unresolved ?? base.unresolved,
    defaultDeny: written.defaultDeny ?? base.defaultDeny,
  };
}

/** The DNS pods of OpenShift listen on 5353, to which port 53 of their Service leads (openshift/cluster-dns-operator). */
function closedDns(
  { network }: WrittenSettings,
  settings: Settings,
  at: FieldPath,
  locate: PrintLocation,
): Message[] {
  const { namespace, ports } = settings.network.dns;
  if (network?.dns === undefined || namespace !== 'openshift-dns' || ports.includes(5353)) return [];
  const field = [...at, 'network', 'dns'];
  return [
    message`${locate(field)}: ${formatPath(field)} names openshift-dns, whose pods listen on port 5353; set ports: [5353] there`,
  ];
}

function podSecurityIn({
  level,
  version,
}: NonNullable<WrittenSettings['podSecurity']> = {}): Partial<PodSecurity> {
  return {
    ...(level === undefined ? {} : { level }),
    ...(version === undefined ? {} : { minor: minorOf(version) }),
  };
}

/** The minor version in `v1.31`; Infinity for `latest`. */
function minorOf(version: string): number {
  return version === 'latest' ? Infinity : Number(version.slice('v1.'.length));
}

function levelsIn(rules: WrittenSettings['rules']): Levels {
  return new Map(
    Object.entries<Level | false | undefined>(rules ?? {}).map(([id, level]) => [
      id,
      level === false ? 'off' : (level ?? 'error'),
    ]),
  );
}

function resourceDefaults(
  written: WrittenSettings['resources'],
  base: ResourceDefaults,
  field: FieldPath,
  locate: PrintLocation,
): ResourceDefaults {
  const defaults = {
    add: written?.add ?? base.add,
    requests: { ...base.requests, ...written?.requests },
    limits: { ...base.limits, ...written?.limits },
    max: { ...base.max, ...written?.max },
  };
  for (const name of ['cpu', 'memory'] as const) {
    const [request, limit] = [defaults.requests[name], defaults.limits[name]];
    const [least, most] = [parseQuantity(request), parseQuantity(limit)];
    if (request === null || limit === null || least === undefined || most === undefined) continue;
    if (compareQuantities(least, most) > 0)
      throw new ConfigError(
        message`${locate(field)}: ${formatPath(field)} has a ${name} request of ${request} that exceeds its limit of ${limit}; lower the request, or raise the limit`,
      );
  }
  return defaults;
}

/** Checks a value against a schema. @throws ConfigError with all problems, located */
export function parse<T extends v.GenericSchema>(
  schema: T,
  value: unknown,
  locate: PrintLocation,
): v.InferOutput<T> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const problems = result.issues.map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => (typeof key === 'number' ? key : String(key)));
    const field = path.length === 0 ? words('the configuration') : message`${formatPath(path)}`;
    return message`${locate(path)}: ${field} ${problemOf(issue)}`;
  });
  throw new ConfigError(joinMessages(problems, '\n'));
}

/** `must be a string, found the number 5; quote it`. */
function problemOf({ kind, type, expected, input, message: text }: v.BaseIssue<unknown>): Message {
  if (type === 'strict_object' && expected === 'never') return message`is an ${words(text)}`;
  // The name of the key is expected.
  if (type === 'strict_object' && expected !== 'Object') return words('is missing');
  const quote = expected === 'string' && ['number', 'boolean'].includes(typeof input) ? '; quote it' : '';
  const wanted = kind === 'validation' ? text : (EXPECTED.get(expected ?? '') ?? alternatives(expected));
  return message`must be ${words(wanted)}, found ${found(input)}${words(quote)}`;
}

const EXPECTED = new Map([
  ['string', 'a string'],
  ['number', 'a number'],
  ['boolean', 'true or false'],
  ['Object', 'a mapping'],
  ['Array', 'a list'],
]);

/** valibot writes `("a" | "b")`. */
function alternatives(expected: string | null): string {
  const list = (expected ?? '').replace(/[()]/g, '').split(' | ');
  return list.length === 1 ? list.join() : `one of ${list.join(', ')}`;
}

function found(input: unknown): Message {
  if (input === undefined || input === null) return words('nothing');
  if (Array.isArray(input)) return words('a list');
  if (typeof input === 'object') return words('a mapping');
  return typeof input === 'number' ? message`the number ${input}` : message`${JSON.stringify(input)}`;
}
