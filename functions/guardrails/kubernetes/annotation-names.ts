import { LONGEST_SUBDOMAIN, isSubdomain } from './dns-name';

/** The default of spec.annotationDomain. */
export const DEFAULT_DOMAIN = 'todo.example.com';
/** What precedes the domain in the key of an exemption, with the dot after it: `exempt.todo.example.com/volumes`. */
const EXEMPT = 'exempt.';
/** Characters of a domain: an exemption puts EXEMPT before it, and both are the prefix of a key, which is a DNS subdomain. */
export const LONGEST_DOMAIN = LONGEST_SUBDOMAIN - EXEMPT.length;
/** Prefixes that Kubernetes reserves, with all domains below them (kubernetes.io/docs, "Labels and Selectors"). */
const RESERVED_DOMAINS = ['kubernetes.io', 'k8s.io'];

/** The names of the annotations, without their domain, in the order in which a misspelt key is compared to them. */
export const ANNOTATIONS = [
  'harden',
  'writable-paths',
  'connects-to',
  'internet-egress',
  'accepts-from',
] as const;
const GENERATED_BY = 'generated-by';

/**
 * The keys of the annotations and of the label of the function. `isAnnotationDomain` holds for their domain, so `words()`
 * may print them.
 */
export interface AnnotationNames {
  readonly domain: string;
  /** Domains that the package had, or may have had: their keys have no effect, and are errors. */
  readonly formerDomains: ReadonlySet<string>;
  /** Overrides spec.harden for a workload. */
  readonly harden: string;
  readonly writablePaths: string;
  readonly connectsTo: string;
  readonly internetEgress: string;
  readonly acceptsFrom: string;
  /** What precedes the rule in the key of an exemption: `exempt.todo.example.com/`. */
  readonly exemptionPrefix: string;
  /** The label of generated policies. */
  readonly generatedBy: string;
}

/**
 * @param domain one for which `isAnnotationDomain` holds
 * @param others domains that generated policies have; the default domain counts as a former one anyway
 */
export function annotationNames(
  domain: string = DEFAULT_DOMAIN,
  others: readonly string[] = [],
): AnnotationNames {
  const former = new Set<string>([DEFAULT_DOMAIN, ...others]);
  former.delete(domain);
  const keyOf = (name: (typeof ANNOTATIONS)[number]) => `${domain}/${name}`;
  return {
    domain,
    formerDomains: former,
    harden: keyOf('harden'),
    writablePaths: keyOf('writable-paths'),
    connectsTo: keyOf('connects-to'),
    internetEgress: keyOf('internet-egress'),
    acceptsFrom: keyOf('accepts-from'),
    exemptionPrefix: `${EXEMPT}${domain}/`,
    generatedBy: generatedLabel(domain),
  };
}

/** The label of policies that are generated with a domain. */
function generatedLabel(domain: string): string {
  return `${domain}/${GENERATED_BY}`;
}

/** Whether a text can be the domain of annotations: a DNS subdomain that is short enough and that Kubernetes does not reserve. */
export function isAnnotationDomain(text: string): boolean {
  const isReserved = RESERVED_DOMAINS.some((one) => text === one || text.endsWith(`.${one}`));
  return text.length <= LONGEST_DOMAIN && isSubdomain(text) && !isReserved;
}

/** The domain in the key of a label of generated policies, whichever it is; undefined for any other key. */
export function domainOfLabel(key: string): string | undefined {
  const domain = key.slice(0, -GENERATED_BY.length - 1);
  return key === generatedLabel(domain) && isAnnotationDomain(domain) ? domain : undefined;
}
