import * as v from 'valibot';
import { ConfigError } from './errors';
import { type YamlValue, isObject } from './krm/yaml';
import { RULES } from './rules';

export const CONFIG_API_VERSION = 'todo.example.com/v1alpha1';
export const CONFIG_KIND = 'Guardrails';

export interface Config {
  /** Overlay folder to the ids of the rules that it is allowed to break. What is not named is held to every rule. */
  readonly environments: ReadonlyMap<string, ReadonlySet<string>>;
  /** The environment that a stream belongs to; undefined: every rule holds. */
  readonly environment: string | undefined;
}

const RULE_IDS = RULES.map(({ id }) => id);
const SPEC = v.strictObject({
  environments: v.optional(
    v.record(v.string(), v.strictObject({ allow: v.optional(v.array(v.picklist(RULE_IDS))) })),
  ),
  environment: v.optional(v.string()),
});
const GUARDRAILS = v.strictObject({
  apiVersion: v.literal(CONFIG_API_VERSION),
  kind: v.literal(CONFIG_KIND),
  metadata: v.optional(v.unknown()),
  spec: v.optional(SPEC),
});
const CONFIG_MAP = v.object({ data: v.optional(v.strictObject({ environment: v.optional(v.string()) })) });

/**
 * Reads a functionConfig: a Guardrails, or the ConfigMap that `kpt fn eval -- key=value` sends. Without one every rule
 * holds everywhere.
 *
 * @throws ConfigError an unknown key, a wrong type or an unknown rule; the message lists what is allowed
 */
export function readConfig(functionConfig: YamlValue | undefined): Config {
  if (functionConfig === undefined || functionConfig === null)
    return { environments: new Map(), environment: undefined };
  if (isObject(functionConfig) && functionConfig.kind === 'ConfigMap') {
    const { data } = parse(CONFIG_MAP, functionConfig, 'ConfigMap');
    return { environments: new Map(), environment: data?.environment };
  }
  const { spec } = parse(GUARDRAILS, functionConfig, CONFIG_KIND);
  const environments = new Map(
    Object.entries(spec?.environments ?? {}).map(([overlay, { allow }]) => [
      overlay,
      new Set<string>(allow ?? []),
    ]),
  );
  return { environments, environment: spec?.environment };
}

function parse<T extends v.GenericSchema>(schema: T, value: unknown, kind: string): v.InferOutput<T> {
  // valibot looks for plain prototypes.
  const result = v.safeParse(schema, structuredClone(JSON.parse(JSON.stringify(value))));
  if (result.success) return result.output;
  const messages = result.issues.map((issue) => {
    const where = [kind, ...(issue.path ?? []).map(({ key }) => String(key))].join('.');
    if (issue.type === 'strict_object' && issue.expected === 'never') {
      const allowed = Object.keys((issue as unknown as { requirement?: object }).requirement ?? {});
      return `${where} is not known${allowed.length > 0 ? `; allowed: ${allowed.join(', ')}` : ''}`;
    }
    return `${where} is ${issue.received}; allowed: ${issue.expected ?? 'nothing'}`;
  });
  throw new ConfigError(`configuration: ${messages.join('; ')}. ${ALLOWED}`);
}

const ALLOWED =
  `Keys: spec.environments.<overlay folder>.allow (rules: ${RULE_IDS.join(', ')}), spec.environment; ` +
  'in a ConfigMap: data.environment';

/** The rules that an overlay, or a stream, is allowed to break. */
export function allowedRules(config: Config, overlay: string | undefined): ReadonlySet<string> {
  const name = overlay ?? config.environment;
  return (name === undefined ? undefined : config.environments.get(name)) ?? new Set();
}
