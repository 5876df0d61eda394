import * as v from 'valibot';
import { NEWEST_MINOR, OLDEST_MINOR } from '../kubernetes/pod-security';
import { parseQuantity } from '../kubernetes/quantity';
import { readIpRange } from '../network/ip-range';
import { RULES } from '../rules';

const CONFIG_API_VERSION = 'todo.example.com/v1alpha1';
const CONFIG_KIND = 'Guardrails';

const RULE_IDS = RULES.map(({ id }) => id);
// YAML reads a plain `off` as false.
const LEVEL = v.union([v.picklist(['error', 'warning', 'off']), v.literal(false)]);
const LEVELS = strict(Object.fromEntries(RULE_IDS.map((id) => [id, v.exactOptional(LEVEL)])));
const QUANTITY = v.pipe(
  v.string(),
  v.check((text) => (parseQuantity(text)?.digits ?? -1n) >= 0n, 'a quantity, such as 100m or 128Mi'),
);
const AMOUNTS = strict({
  cpu: v.exactOptional(v.nullable(QUANTITY)),
  memory: v.exactOptional(v.nullable(QUANTITY)),
});
const EXTERNAL_PODS = {
  namespace: v.exactOptional(v.string()),
  podLabels: v.exactOptional(v.record(v.string(), v.string())),
};
const DAYS = v.pipe(
  v.number(),
  v.check((days) => Number.isInteger(days) && days > 0 && days <= 36_500, 'a number of days from 1 to 36500'),
);
const CIDR = v.pipe(
  v.string(),
  v.check((text) => readIpRange(text) !== undefined, 'a CIDR range, such as 169.254.20.10/32'),
);
const NETWORK = strict({
  ingressController: v.optional(strict(EXTERNAL_PODS)),
  gateways: v.optional(strict(EXTERNAL_PODS)),
  dns: v.optional(strict({ ...EXTERNAL_PODS, addresses: v.exactOptional(v.array(CIDR)) })),
});
const MINORS = Array.from({ length: NEWEST_MINOR - OLDEST_MINOR + 1 }, (_, i) => OLDEST_MINOR + i);
const POD_SECURITY = strict({
  level: v.exactOptional(v.picklist(['restricted', 'baseline'])),
  version: v.exactOptional(v.picklist([...MINORS.map((minor) => `v1.${minor}`), 'latest'])),
});
/** What the top and the environments have. */
const SETTINGS = {
  rules: v.optional(LEVELS),
  podSecurity: v.optional(POD_SECURITY),
  resources: v.optional(
    strict({
      add: v.optional(v.picklist(['all', 'requests', 'none'])),
      requests: v.optional(AMOUNTS),
      limits: v.optional(AMOUNTS),
    }),
  ),
  harden: v.optional(v.picklist(['all', 'safe'])),
  knownImages: v.optional(v.picklist(['propose', 'apply'])),
  network: v.optional(NETWORK),
  substitute: v.optional(v.string()),
};
const ENVIRONMENT = strict({ ...SETTINGS, allow: v.optional(v.array(v.picklist(RULE_IDS))) });
const SPEC = strict({
  ...SETTINGS,
  environments: v.optional(v.record(v.string(), ENVIRONMENT)),
  environment: v.optional(v.string()),
  complete: v.optional(v.boolean()),
  neverExempt: v.optional(v.array(v.picklist(RULE_IDS))),
  exemptions: v.optional(strict({ maxDays: v.optional(DAYS) })),
  overlays: v.optional(v.array(v.string())),
  bases: v.optional(v.array(v.string())),
  kustomizeVersion: v.optional(v.string()),
});
/** Settings of the top or of an environment, as they are written. */
export type WrittenSettings = Omit<v.InferOutput<typeof ENVIRONMENT>, 'allow'>;
/** The configuration file. */
export const GUARDRAILS = strict({
  apiVersion: v.literal(CONFIG_API_VERSION),
  kind: v.literal(CONFIG_KIND),
  metadata: v.optional(v.unknown()),
  spec: v.optional(SPEC),
});
/** The ConfigMap that `kpt fn eval -- key=value` sends. */
export const CONFIG_MAP = v.object({
  data: v.optional(
    strict({
      environment: v.optional(v.string()),
      complete: v.optional(v.picklist(['true', 'false'])),
    }),
  ),
});

/** An object whose unknown keys are errors that list the known ones. */
function strict<const Entries extends v.ObjectEntries>(entries: Entries) {
  const known = `unknown key; allowed: ${Object.keys(entries).join(', ')}`;
  return v.strictObject(entries, ({ expected }) => (expected === 'never' ? known : 'a mapping'));
}
