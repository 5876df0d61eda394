import * as v from 'valibot';
import { type Config, DEFAULTS } from './config';
import { ConfigError } from '../errors';
import { message } from '../message';
import { compareQuantities, parseQuantity } from '../kubernetes/quantity';
import { RESOURCE_DEFAULTS, type ResourceDefaults } from '../kubernetes/resource-defaults';
import { readIpRange } from '../network/ip-range';
import { valueAt } from '../yaml/field-path';
import { type YamlValue, isObject } from '../yaml/yaml';
import { RULES } from '../rules';

export const CONFIG_API_VERSION = 'todo.example.com/v1alpha1';
export const CONFIG_KIND = 'Guardrails';

const RULE_IDS = RULES.map(({ id }) => id);
const AMOUNTS = v.strictObject({ cpu: v.exactOptional(v.string()), memory: v.exactOptional(v.string()) });
const FOREIGN_PODS = {
  namespace: v.exactOptional(v.string()),
  podLabels: v.exactOptional(v.record(v.string(), v.string())),
};
const CIDR = v.pipe(
  v.string(),
  v.check((text) => readIpRange(text) !== undefined, 'a range of addresses, such as 169.254.20.10/32'),
);
const NETWORK = v.strictObject({
  ingressController: v.optional(v.strictObject(FOREIGN_PODS)),
  gateways: v.optional(v.strictObject(FOREIGN_PODS)),
  dns: v.optional(v.strictObject({ ...FOREIGN_PODS, addresses: v.exactOptional(v.array(CIDR)) })),
});
const SPEC = v.strictObject({
  environments: v.optional(
    v.record(v.string(), v.strictObject({ allow: v.optional(v.array(v.picklist(RULE_IDS))) })),
  ),
  environment: v.optional(v.string()),
  complete: v.optional(v.boolean()),
  network: v.optional(NETWORK),
  resources: v.optional(v.strictObject({ requests: v.optional(AMOUNTS), limits: v.optional(AMOUNTS) })),
  neverExempt: v.optional(v.array(v.picklist(RULE_IDS))),
});
const GUARDRAILS = v.strictObject({
  apiVersion: v.literal(CONFIG_API_VERSION),
  kind: v.literal(CONFIG_KIND),
  metadata: v.optional(v.unknown()),
  spec: v.optional(SPEC),
});
const CONFIG_MAP = v.object({
  data: v.optional(
    v.strictObject({
      environment: v.optional(v.string()),
      complete: v.optional(v.picklist(['true', 'false'])),
    }),
  ),
});

/**
 * Reads a functionConfig: a Guardrails, or the ConfigMap that `kpt fn eval -- key=value` sends; without one, the defaults.
 *
 * @throws ConfigError an unknown key, a wrong type or an unknown rule; the message lists what is allowed
 */
export function readConfig(functionConfig: YamlValue | undefined): Config {
  if (functionConfig === undefined || functionConfig === null) return DEFAULTS;
  if (isObject(functionConfig) && functionConfig.kind === 'ConfigMap') {
    const { data } = parse(CONFIG_MAP, functionConfig, 'ConfigMap');
    return { ...DEFAULTS, environment: data?.environment, complete: data?.complete === 'true' };
  }
  const { spec } = parse(GUARDRAILS, functionConfig, CONFIG_KIND);
  const environments = new Map(
    Object.entries(spec?.environments ?? {}).map(([overlay, { allow }]) => [
      overlay,
      new Set<string>(allow ?? []),
    ]),
  );
  // valibot passes over these keys in silence. No overlay has such a name, and that is then told.
  for (const key of ['__proto__', 'constructor', 'prototype'])
    if (valueAt(functionConfig, ['spec', 'environments', key]) !== undefined)
      environments.set(key, new Set());
  return {
    environments,
    environment: spec?.environment,
    complete: spec?.complete ?? false,
    resourceDefaults: resourceDefaults(spec?.resources),
    network: {
      ingressController: { ...DEFAULTS.network.ingressController, ...spec?.network?.ingressController },
      gateways: { ...DEFAULTS.network.gateways, ...spec?.network?.gateways },
      dns: { ...DEFAULTS.network.dns, ...spec?.network?.dns },
    },
    neverExempt: spec?.neverExempt === undefined ? DEFAULTS.neverExempt : new Set(spec.neverExempt),
  };
}

function resourceDefaults(spec: v.InferOutput<typeof SPEC>['resources']): ResourceDefaults {
  const defaults = {
    requests: { ...RESOURCE_DEFAULTS.requests, ...spec?.requests },
    limits: { ...RESOURCE_DEFAULTS.limits, ...spec?.limits },
  };
  for (const name of ['cpu', 'memory'] as const) {
    const [request, limit] = (['requests', 'limits'] as const).map((side) => {
      const quantity = parseQuantity(defaults[side][name]);
      if (quantity !== undefined && quantity.digits >= 0n) return quantity;
      throw new ConfigError(
        message`configuration: ${CONFIG_KIND}.spec.resources.${side}.${name} is ${defaults[side][name]}; allowed: a quantity, such as 100m or 128Mi`,
      );
    });
    if (request !== undefined && limit !== undefined && compareQuantities(request, limit) > 0)
      throw new ConfigError(
        message`configuration: ${CONFIG_KIND}.spec.resources: the request for ${name}, ${defaults.requests[name]}, is above its limit, ${defaults.limits[name]}`,
      );
  }
  return defaults;
}

function parse<T extends v.GenericSchema>(schema: T, value: unknown, kind: string): v.InferOutput<T> {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const messages = result.issues.map((issue) => {
    const path = (issue.path ?? []).map(({ key }) => String(key));
    const where = [kind, ...path].join('.');
    if (issue.type === 'strict_object' && issue.expected === 'never')
      return `${where} is not known; allowed: ${keysAt(schema, path.slice(0, -1)).join(', ')}`;
    return `${where} is ${issue.received}; allowed: ${issue.expected ?? 'nothing'}`;
  });
  throw new ConfigError(message`configuration: ${messages.join('; ')}`);
}

/** The keys that a schema allows in the mapping at a path. */
function keysAt(schema: v.GenericSchema, path: readonly string[]): string[] {
  let at: unknown = schema;
  for (const key of [...path, undefined]) {
    while (hasSchema(at, 'wrapped')) at = at.wrapped;
    if (hasSchema(at, 'entries')) {
      if (key === undefined) return Object.keys(at.entries as object);
      at = (at.entries as Record<string, unknown>)[key];
    } else if (hasSchema(at, 'value')) at = at.value;
  }
  return [];
}

function hasSchema<K extends string>(schema: unknown, key: K): schema is Record<K, unknown> {
  return typeof schema === 'object' && schema !== null && key in schema;
}
