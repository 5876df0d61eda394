import type { PlacedReport } from '../../findings/finding';
import { type Placed, resourceRef } from '../../krm/resource';
import { message } from '../../message';
import type { MissingHost, Topology, Workload } from '../../network/connection';
import { isService } from '../../network/services';
import { stringsIn } from '../../network/selector';
import { objectAt } from '../../yaml/yaml';
import type { Lookup, NearMiss } from './lookup';
import { isName } from './texts';

/**
 * Hosts that are nearly the name of a Service of the build: the name that it has in a file, that of the workload which it
 * leads to, or a misspelt one. Any other host that is not in the build holds the isolation of the workload back, which
 * the rule network-policy reports.
 */
export function missingHosts(
  resources: readonly Placed[],
  topology: Topology,
  lookup: Lookup,
): PlacedReport[] {
  const found = new Map<string, PlacedReport>();
  for (const host of topology.missingHosts) {
    const { workload, part, field, name, namespace, isFile } = host;
    if (!isName(name) || lookup.objects.find('Service', name, namespace).length > 0) continue;
    if (lookup.isElsewhere('Service', name, namespace) || !lookup.objects.hasNamespace(namespace)) continue;
    const near = nearMissOf(host, resources, topology, lookup);
    if (near === undefined) continue;
    const key = JSON.stringify([resourceRef(workload.resource), part.raw, host.host]);
    const problem = message`${part} names the host ${host.host}, ${near.clause}`;
    const severity = isFile ? 'warning' : 'error';
    found.set(key, { at: workload, report: { problem, remedy: near.remedy, field, severity } });
  }
  return [...found.values()];
}

function nearMissOf(
  { name, namespace, isFile }: MissingHost,
  resources: readonly Placed[],
  topology: Topology,
  lookup: Lookup,
): NearMiss | undefined {
  const [renamed] = lookup.renamedTo('Service', name, namespace);
  if (renamed !== undefined)
    return {
      clause: message`the name of a Service which the build has as Service/${renamed}`,
      remedy: message`write ${renamed} for this overlay, such as by a patch or a replacement`,
    };
  if (isFile) return undefined;
  const workload = topology.workloads.find((one) => one.name === name && isIn(one, namespace));
  const service = workload && serviceOf(workload, resources, topology);
  if (workload !== undefined && service !== undefined)
    return {
      clause: message`the name of ${workload.kind}/${name}, and the Service that leads to it is Service/${service}`,
      remedy: message`write ${service}, or rename the Service`,
    };
  return lookup.nearMiss('Service', name, namespace);
}

/** The first Service that leads to a workload. */
function serviceOf(workload: Workload, resources: readonly Placed[], topology: Topology): string | undefined {
  for (const { resource } of resources) {
    if (!isService(resource)) continue;
    const { name, namespace = '' } = resourceRef(resource);
    const labels = stringsIn(objectAt(resource, 'spec').selector);
    if (Object.keys(labels).length > 0 && topology.selectedBy(labels, namespace).includes(workload))
      return name;
  }
  return undefined;
}

function isIn(workload: Workload, namespace: string): boolean {
  return workload.namespace === namespace || workload.namespace === '' || namespace === '';
}
