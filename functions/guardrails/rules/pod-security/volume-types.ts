import type { Report } from '../../findings/finding';
import type { PodSpec } from '../../kubernetes/workload';
import { message, words } from '../../message';
import { entriesIn, isAbsent, textOf } from '../../yaml/yaml';
import type { ControlCheck } from './control-check';

const ALLOWED = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
];

export const hostPathVolumes: ControlCheck = {
  id: 'hostPathVolumes',
  violations: (pod) => sourcesOf(pod, (source) => source === 'hostPath'),
};

/** A volume without a source is an emptyDir: the API server sets that before admission (SetDefaults_Volume). */
export const restrictedVolumes: ControlCheck = {
  id: 'restrictedVolumes',
  violations: (pod) => sourcesOf(pod, (source) => !ALLOWED.includes(source)),
};

function sourcesOf({ value, path }: PodSpec, isRefused: (source: string) => boolean): Report[] {
  return entriesIn(value.volumes).flatMap((volume, i) =>
    Object.keys(volume)
      .filter((key) => key !== 'name' && !isAbsent(volume[key]) && isRefused(key))
      .map((source) => ({
        problem: message`volume "${textOf(volume.name)}" has a source of type ${source}`,
        remedy: words(`use one of ${ALLOWED.join(', ')}`),
        field: [...path, 'volumes', i, source],
      })),
  );
}
