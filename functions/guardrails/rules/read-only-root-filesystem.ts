import type { Report } from '../findings/finding';
import type { AnnotationNames } from '../kubernetes/annotation-names';
import { type Container, type PodSpec, podSpecOf } from '../kubernetes/workload';
import { type WritablePath, mountPathsOf, writablePath, writablePathsOf } from '../kubernetes/writable-paths';
import { message, words } from '../message';
import type { Fix } from '../yaml/field-path';
import { type YamlValue, isAbsent, objectAt, objectsIn, textOf } from '../yaml/yaml';
import { scratchFolders } from './image-needs';
import type { Rule } from './rule';

/** The root file system is read-only; what has to be written goes to an emptyDir with a size limit. */
export const readOnlyRootFilesystem: Rule = {
  id: 'read-only-root-filesystem',
  summary: '`readOnlyRootFilesystem: true`, with an emptyDir at `/tmp` and at each writable path',
  adds: '`readOnlyRootFilesystem: true`, an emptyDir of 64Mi at `/tmp` and one at each writable path',
  documentation: 'https://kubernetes.io/docs/concepts/security/linux-kernel-security-constraints/',
  check: (resource, { knownImages, annotations }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined || pod.isWindows) return [];
    const paths = writablePathsOf(resource, annotations);
    if ('problem' in paths)
      return [
        {
          problem: message`annotation ${words(annotations.writablePaths)}: ${paths.problem}`,
          remedy: paths.remedy,
          field: ['metadata', 'annotations', annotations.writablePaths],
        },
      ];
    const volumes = new Set(objectsIn(pod.value.volumes).map(({ name }) => name));
    return pod.containers.flatMap((container) => {
      const ofImage = knownImages === 'apply' ? scratchFolders(container) : [];
      const others = ofImage
        .filter(([path]) => paths.every((one) => one.path !== path))
        .map(([path, size]) => writablePath(path, size));
      return checkContainer(container, pod, volumes, [...paths, ...others], annotations);
    });
  },
};

function checkContainer(
  { name: container, subject, value, path }: Container,
  pod: PodSpec,
  volumes: ReadonlySet<YamlValue | undefined>,
  paths: readonly WritablePath[],
  { writablePaths }: AnnotationNames,
): Report[] {
  const readOnly = objectAt(value, 'securityContext').readOnlyRootFilesystem;
  const field = [...path, 'securityContext', 'readOnlyRootFilesystem'];
  if (!isAbsent(readOnly) && readOnly !== true)
    return [
      {
        problem: message`${subject} sets readOnlyRootFilesystem to a value other than true`,
        remedy: words(
          `set it to true, and list the folders that the container writes to in the annotation ${writablePaths}`,
        ),
        field,
        currentValue: readOnly,
        container,
      },
    ];
  const reports: Report[] = [];
  if (isAbsent(readOnly))
    reports.push({
      problem: message`${subject} can write to its root file system: readOnlyRootFilesystem is missing`,
      remedy: words('set readOnlyRootFilesystem: true in the securityContext of the container'),
      field,
      container,
      fixes: [{ path: field, value: true }],
    });
  // A mount and its volume are added together, or not at all.
  const areLists = [value.volumeMounts, pod.value.volumes].every(
    (one) => isAbsent(one) || Array.isArray(one),
  );
  const mounted = mountPathsOf(value);
  const devices = objectsIn(value.volumeDevices);
  for (const { devicePath } of devices) mounted.add(textOf(devicePath));
  for (const { path: folder, volume, sizeLimit, isAnnotated } of paths) {
    const mount = mounted.at(folder);
    if (mount?.isReadOnly && isAnnotated)
      reports.push({
        problem: message`${subject} cannot write to ${folder}, because it lies in the read-only mount ${mount.path}`,
        remedy: message`mount a writable volume at ${folder}, or remove it from the annotation ${words(writablePaths)}`,
        field: ['metadata', 'annotations', writablePaths],
        container,
      });
    if (mount !== undefined) continue;
    mounted.add(folder);
    const fixes: Fix[] = [
      { path: [...path, 'volumeMounts', '-'], value: { name: volume, mountPath: folder } },
    ];
    if (!volumes.has(volume))
      fixes.push({ path: [...pod.path, 'volumes', '-'], value: { name: volume, emptyDir: { sizeLimit } } });
    reports.push({
      problem: message`${subject} has no writable volume at ${folder}`,
      remedy: message`mount an emptyDir at ${folder}`,
      field: [...path, 'volumeMounts'],
      container,
      ...(areLists && !devices.some(({ name }) => name === volume) ? { fixes } : {}),
    });
  }
  return reports;
}
