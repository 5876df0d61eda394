import type { PlacedReport } from '../../findings/finding';
import { resourceRef } from '../../krm/resource';
import { message } from '../../message';
import type { MissingBackend, Topology } from '../../network/connection';
import { isObject, objectAt, objectsIn, textOf } from '../../yaml/yaml';
import { valueAt } from '../../yaml/field-path';
import { listOf } from '../lists';
import type { Lookup } from '../references/lookup';
import { isName } from '../references/texts';

/** The name of a port with which a backend names an action of the AWS Load Balancer Controller, and no Service. */
const ACTION = 'use-annotation';

/** Services, and ports of Services, that Ingresses and routes name and the build does not have. */
export function missingBackends({ missingBackends: all }: Topology, lookup: Lookup): PlacedReport[] {
  return all.flatMap((one) => {
    if (isAction(one) || !isName(one.name)) return [];
    return one.service === undefined ? missingService(one, lookup) : [missingPort(one)];
  });
}

function isAction({ at, report }: MissingBackend): boolean {
  const backend = valueAt(at.resource, report.field);
  return isObject(backend) && objectAt(backend, 'port').name === ACTION;
}

function missingService({ at, report, name, namespace }: MissingBackend, lookup: Lookup): PlacedReport[] {
  if (lookup.isElsewhere('Service', name, namespace)) return [];
  const found = (
    problem: typeof report.problem,
    remedy: typeof report.remedy,
    severity = report.severity,
  ) => [{ at, report: { ...report, problem, remedy, severity: severity ?? ('error' as const) } }];
  const { overlays, unlisted } = lookup.elsewhere('Service', name, namespace);
  const external = message`list Service/${name} under spec.external`;
  const subject = message`refers to Service/${name}`;
  if (overlays.length > 0)
    return found(
      message`${subject}, which another overlay builds: ${listOf(overlays)}`,
      message`apply both, and ${external}`,
      'info',
    );
  const severity = lookup.objects.hasDeployer ? 'warning' : 'error';
  if (unlisted !== undefined)
    return found(
      message`${subject}, which is in ${unlisted}, and no kustomization lists this file`,
      message`list the file under resources, or ${external} if it is applied by other means`,
      severity,
    );
  const near = lookup.nearMiss('Service', name, namespace);
  if (near !== undefined) return found(message`${subject}, ${near.clause}`, near.remedy);
  return found(
    report.problem,
    message`${report.remedy}; ${external} if it exists outside of the package`,
    severity,
  );
}

/** The report of the topology, with the ports that there are. */
function missingPort({ at, report, service }: MissingBackend): PlacedReport {
  const { name } = resourceRef(service ?? {});
  const ports = objectsIn(objectAt(service ?? {}, 'spec').ports).map(({ port, name: own }) =>
    own === undefined ? message`${textOf(port)}` : message`${textOf(port)} (${textOf(own)})`,
  );
  const remedy =
    ports.length === 0
      ? message`add the port to spec.ports of Service/${name}`
      : message`use one of its ports, ${listOf(ports)}, or add the port to spec.ports of Service/${name}`;
  return { at, report: { ...report, remedy } };
}
