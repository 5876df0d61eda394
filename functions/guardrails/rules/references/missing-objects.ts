import type { PlacedReport } from '../../findings/finding';
import { type Placed, resourceRef } from '../../krm/resource';
import type { Severity } from '../../krm/result';
import { isMisspelt } from '../../kubernetes/near-name';
import { type Message, message, words } from '../../message';
import { listOf } from '../lists';
import type { BuiltObject } from './built-objects';
import type { Lookup } from './lookup';
import { type Reference, referencesIn } from './references';
import { isName, isNameOf } from './texts';

/** What is wrong with a reference. */
interface Flaw {
  readonly reference: Reference;
  readonly severity: Severity;
  /** The end of a sentence: `refers to ConfigMap/web, <...>`. */
  readonly clause: Message;
  readonly remedy: Message;
}

/** Kinds that HorizontalPodAutoscalers scale and that authors write; others are those of operators. */
const SCALED = ['Deployment', 'StatefulSet', 'ReplicaSet', 'ReplicationController', 'DaemonSet', 'Rollout'];

/** The references of a build to objects, or to keys of objects, that are not there. */
export function missingObjects(resources: readonly Placed[], lookup: Lookup): PlacedReport[] {
  const flaws = resources.flatMap((at) => referencesIn(at)).flatMap((one) => flawOf(one, lookup) ?? []);
  const groups = new Map<string, [Flaw, ...Flaw[]]>();
  for (const flaw of flaws) {
    const { at, kind, namespace, name } = flaw.reference;
    // A warning is about the object, which others may create; an error about each resource that refers to it.
    const owner = flaw.severity === 'error' ? resourceRef(at.resource) : undefined;
    const key = JSON.stringify([kind, namespace, name, flaw.severity, flaw.clause.raw, owner]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [flaw]);
    else group.push(flaw);
  }
  return [...groups.values()].map(reportOf);
}

function flawOf(reference: Reference, lookup: Lookup): Flaw | undefined {
  const { kind, name, namespace } = reference;
  if (!isNameOf(kind, name)) return undefined;
  const { objects } = lookup;
  const found = objects.find(kind, name, namespace);
  if (found.length > 0) return keyFlaw(reference, found);
  if (lookup.isElsewhere(kind, name, namespace)) return undefined;
  // Bindings name accounts of other packages.
  if (!objects.hasNamespace(namespace)) return undefined;
  const { overlays, unlisted } = lookup.elsewhere(kind, name, namespace);
  if (overlays.length > 0)
    return {
      reference,
      // A scaler belongs to what it scales.
      severity: isScaled(reference) ? 'warning' : 'info',
      clause: message`which another overlay builds: ${listOf(overlays)}`,
      remedy: message`apply both, and list ${kind}/${name} under spec.external`,
    };
  const severity = objects.hasDeployer ? leastOf('warning', reference.severity) : severityOf(reference);
  if (unlisted !== undefined)
    return {
      reference,
      // Its author knows of it, and may apply it by other means.
      severity: leastOf('warning', severity),
      clause: message`which is in ${unlisted}, and no kustomization lists this file`,
      remedy: message`list the file under resources, or ${kind}/${name} under spec.external if it is applied by other means`,
    };
  const near = lookup.nearMiss(kind, name, namespace);
  if (near !== undefined) return { reference, severity: 'error', ...near };
  const [other] = objects.named(kind, name);
  if (reference.isOneOf === true && other === undefined) return undefined;
  if (other !== undefined)
    return {
      reference,
      severity,
      clause: message`which the build has in namespace ${other.namespace} alone`,
      remedy: message`refer to the one in that namespace, or add it to ${namespace}`,
    };
  return {
    reference,
    severity,
    clause: words('which is not in the build'),
    remedy: remedyOf(reference, severity, lookup),
  };
}

function leastOf(one: Severity, other: Severity): Severity {
  return other === 'info' ? other : one;
}

function isScaled({ part }: Reference): boolean {
  return part.raw === 'scaleTargetRef' || part.raw === 'targetRef';
}

function severityOf(reference: Reference): Severity {
  return isScaled(reference) && !SCALED.includes(reference.kind) ? 'warning' : reference.severity;
}

function remedyOf(reference: Reference, severity: Severity, { objects }: Lookup): Message {
  const { kind, name, namespace } = reference;
  const other = isScaled(reference)
    ? SCALED.find((one) => one !== kind && objects.find(one, name, namespace).length > 0)
    : undefined;
  if (other !== undefined) return message`set kind: ${other}, which the build has`;
  const external = message`list ${kind}/${name} under spec.external if it exists outside of the package`;
  return severity === 'error' ? message`correct the name, or add the ${kind}; ${external}` : external;
}

/** A key that none of the objects has. */
function keyFlaw(reference: Reference, found: readonly BuiltObject[]): Flaw | undefined {
  const { key } = reference;
  if (key === undefined || !isName(key)) return undefined;
  const keys = found.map((one) => one.keys);
  if (keys.some((one) => one === undefined || one.has(key))) return undefined;
  const all = [...new Set(keys.flatMap((one) => [...(one ?? [])]))];
  const right = all.find((one) => isMisspelt(key.toLowerCase(), one.toLowerCase()));
  return {
    reference,
    severity: 'error',
    clause: message`which has no key ${key}; its keys are ${listOf(all)}`,
    remedy:
      right === undefined ? words('use one of its keys, or add the key') : message`did you mean ${right}?`,
  };
}

/** One report at the first of some resources; the others are named. */
function reportOf([first, ...more]: [Flaw, ...Flaw[]]): PlacedReport {
  const { reference, severity, clause, remedy } = first;
  const { at, field, kind, name } = reference;
  const all = [first, ...more].map((one) => one.reference);
  const own = all.filter((one) => one.at === at);
  const others = [
    ...new Map(all.filter((one) => one.at !== at).map((one) => [one.at, subjectOf(one)])).values(),
  ];
  const also =
    others.length === 0
      ? words('')
      : message`; ${listOf(others)} ${words(others.length === 1 ? 'refers' : 'refer')} to it, too`;
  const parts = [...new Map(own.map(({ part }) => [part.raw, part])).values()];
  const containers = new Set(own.map(({ container }) => container));
  const verb = words(parts.length === 1 && !isPlural(parts[0]) ? 'refers to' : 'refer to');
  return {
    at,
    report: {
      problem: message`${subjectsOf(parts)} ${verb} ${kind}/${name}, ${clause}${also}`,
      remedy,
      field,
      severity,
      container: containers.size === 1 ? reference.container : undefined,
    },
  };
}

function isPlural(part: Message | undefined): boolean {
  return ['imagePullSecrets', 'subjects', 'secrets'].includes(part?.raw ?? '');
}

/** `env A of container "web"`, `env A and env B of container "web"`: without what repeats. */
function subjectsOf(parts: readonly Message[]): Message {
  return listOf(parts);
}

function subjectOf({ at }: Reference): Message {
  const { kind, name } = resourceRef(at.resource);
  return message`${kind}/${name}`;
}
