import { textOf } from '../yaml/yaml';
import { type Fix, formatPath } from '../yaml/field-path';
import {
  type Container,
  type PodSpec,
  isAbsent,
  objectAt,
  objectsIn,
  podSpecOf,
} from '../kubernetes/workload';
import { WRITABLE_PATHS, type WritablePath, covers, writablePathsOf } from '../kubernetes/writable-paths';
import type { Finding, Rule } from './rule';

/** Nobody changes a program while it runs; what has to be written goes to an emptyDir of a limited size. */
export const readOnlyRootFilesystem: Rule = {
  id: 'read-only-root-filesystem',
  summary: '`readOnlyRootFilesystem: true`, with an emptyDir at `/tmp` and at each writable path',
  why: 'https://kubernetes.io/docs/concepts/security/linux-kernel-security-constraints/',
  fixes: true,
  check: (resource) => {
    const pod = podSpecOf(resource);
    if (pod === undefined || pod.isWindows) return [];
    const paths = writablePathsOf(resource);
    if ('problem' in paths)
      return [
        {
          what: `has an annotation ${WRITABLE_PATHS} that cannot be read: ${paths.problem}`,
          mend: 'write "/path=size", several with commas between',
          field: formatPath(['metadata', 'annotations', WRITABLE_PATHS]),
        },
      ];
    return pod.containers.flatMap((container) => checkContainer(container, pod, paths));
  },
};

function checkContainer(
  { name, subject, value, path }: Container,
  pod: PodSpec,
  paths: readonly WritablePath[],
): Finding[] {
  const readOnly = objectAt(value, 'securityContext').readOnlyRootFilesystem;
  const at = [...path, 'securityContext', 'readOnlyRootFilesystem'];
  if (!isAbsent(readOnly) && readOnly !== true)
    return [
      {
        what: `${subject} sets readOnlyRootFilesystem to other than true`,
        mend: `set it to true; name the folders that it writes to in the annotation ${WRITABLE_PATHS}`,
        field: formatPath(at),
        currentValue: readOnly,
        container: name,
      },
    ];
  const findings: Finding[] = [];
  if (isAbsent(readOnly))
    findings.push({
      what: `${subject} can write to its root file system: no readOnlyRootFilesystem`,
      mend: 'set readOnlyRootFilesystem: true in its securityContext',
      field: formatPath(at),
      container: name,
      fixes: [{ path: at, value: true }],
    });
  // A mount and its volume come together: neither where something else than a list stands.
  const hasPlace = [value.volumeMounts, pod.value.volumes].every(
    (one) => isAbsent(one) || Array.isArray(one),
  );
  const mounted = objectsIn(value.volumeMounts).map(({ mountPath }) => textOf(mountPath));
  for (const { path: folder, volume, sizeLimit } of paths) {
    if (mounted.some((mount) => covers(mount, folder))) continue;
    mounted.push(folder);
    const fixes: Fix[] = [
      { path: [...path, 'volumeMounts', '-'], value: { name: volume, mountPath: folder } },
    ];
    if (!objectsIn(pod.value.volumes).some((one) => one.name === volume))
      fixes.push({
        path: [...pod.path, 'volumes', '-'],
        value: { name: volume, emptyDir: { sizeLimit } },
      });
    findings.push({
      what: `${subject} has nothing writable at ${folder}`,
      mend: 'mount an emptyDir there',
      field: formatPath([...path, 'volumeMounts']),
      container: name,
      ...(hasPlace ? { fixes } : {}),
    });
  }
  return findings;
}
