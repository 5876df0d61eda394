import type { ServedPort } from '../network/service-index';
import { textOf } from '../yaml/yaml';

/** In the name of a Service, a port or a container that serves nothing but metrics. */
const METRICS = /metric|prom(?:etheus)?(?:-|$)|telemetr|monitor|exporter|statsd|pprof|debug/i;
/** Who collects metrics by annotations of Services finds the port there. */
const PORT = 'prometheus.io/port';

/** Whether a name, or an annotation of the Service, says that the clients of a port are those that collect metrics. */
export function isForMetrics({
  service: { name, annotations },
  container,
  target,
  name: portName,
}: ServedPort): boolean {
  if (annotations[PORT] !== undefined && textOf(annotations[PORT]) === String(target)) return true;
  return [name, portName, String(target), container.name].some((one) => METRICS.test(one));
}
