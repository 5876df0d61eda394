import { type Placed, annotationsOf, resourceRef } from '../krm/resource';
import { type Container, type PodSpec, isRunning } from '../kubernetes/workload';
import { valueAt } from '../yaml/field-path';
import { type YamlObject, objectAt, objectsIn, textOf } from '../yaml/yaml';
import { areUndecided, controllerLabels } from './controller-labels';
import { append } from './multimap';
import { type Labels, isLabels, stringsIn } from './selector';
import { containerPortsIn, isService, targetPort } from './services';
import { canHaveLabels, labelsPath } from './workload-index';

/** A Service that selects pods. */
export interface SelectingService {
  readonly name: string;
  readonly namespace: string;
  readonly spec: YamlObject;
  readonly selector: Labels;
  readonly annotations: YamlObject;
}

/** A port of a container to which a Service sends traffic. */
export interface ServedPort {
  readonly service: SelectingService;
  /** Of the Service's port; `''`: it has none. */
  readonly name: string;
  readonly protocol: string;
  /** As the Service names it: a number, or the name of a container port. */
  readonly target: number | string;
  readonly container: Container;
}

/** The Services of a build by the pods that they select. What has no namespace may be in any. */
export class ServiceIndex {
  private readonly byLabel = new Map<string, SelectingService[]>();

  /** @param resources a build, or resources of a package that are built together */
  constructor(resources: readonly Placed[]) {
    for (const { resource } of resources) {
      const spec = objectAt(resource, 'spec');
      if (!isService(resource) || spec.type === 'ExternalName' || !isLabels(spec.selector)) continue;
      const selector = stringsIn(spec.selector);
      const [label] = Object.entries(selector);
      const { name, namespace = '' } = resourceRef(resource);
      if (label !== undefined && !areUndecided(selector))
        append(this.byLabel, label.join('='), {
          name,
          namespace,
          spec,
          selector,
          annotations: annotationsOf(resource),
        });
    }
  }

  /** The Services that select pods of a workload. */
  selecting(resource: YamlObject, pod: PodSpec): readonly SelectingService[] {
    if (this.byLabel.size === 0) return [];
    const own = stringsIn(valueAt(resource, labelsPath(pod)));
    const added = controllerLabels(resource);
    const { namespace: home = '' } = resourceRef(resource);
    const labels = new Set(
      [...Object.entries(own), ...Object.entries(added)].map((label) => label.join('=')),
    );
    const candidates = [...labels].flatMap((label) => this.byLabel.get(label) ?? []);
    return candidates.filter(
      ({ selector, namespace }) =>
        (namespace === home || namespace === '' || home === '') && canHaveLabels(own, added, selector),
    );
  }

  /**
   * The ports of a workload's containers to which Services send traffic, in the order of the Services. A number that no
   * container declares is a port of the only container, and of one that is not known where there are several.
   */
  portsServedBy(resource: YamlObject, pod: PodSpec): readonly ServedPort[] {
    const serving = pod.containers.filter(isRunning);
    return this.selecting(resource, pod).flatMap((service) =>
      objectsIn(service.spec.ports).flatMap((port): ServedPort[] => {
        const found = targetPort(port);
        if (found === undefined) return [];
        const { target, protocol } = found;
        const declaring = serving.find(({ value }) =>
          containerPortsIn(value).some(
            (one) => one.protocol === protocol && (one.port === target || one.name === target),
          ),
        );
        const main = serving.filter(({ sort }) => sort === 'container');
        const container =
          declaring ?? (typeof target === 'number' && main.length === 1 ? main[0] : undefined);
        const name = port.name === undefined ? '' : textOf(port.name);
        return container === undefined ? [] : [{ service, name, protocol, target, container }];
      }),
    );
  }
}
