import { whyNotPinned } from '../kubernetes/image-reference';
import { imagesOf } from '../kubernetes/images';
import { type Message, message, words } from '../message';
import type { YamlValue } from '../yaml/yaml';
import type { Rule } from './rule';

/** Every image has a digest, or a tag other than latest. */
export const pinnedImage: Rule = {
  id: 'pinned-image',
  summary: 'Every image has a digest, or a tag other than `latest` in any letter case',
  documentation: 'https://kubernetes.io/docs/concepts/containers/images/#image-names',
  check: (resource, { kustomization }) =>
    imagesOf(resource).flatMap(({ subject, field, image, container }) => {
      const problem = problemOf(image);
      if (problem === undefined) return [];
      const isInReach = typeof image === 'string' && !field.includes('ephemeralContainers');
      return [
        {
          problem: message`${subject} ${problem}`,
          remedy:
            kustomization !== undefined && isInReach
              ? message`pin it under images in ${kustomization}`
              : words('use a tag other than latest, or a digest'),
          field,
          currentValue: image,
          container,
        },
      ];
    }),
  // kustomize applies these after images, so that no entry of images changes what they set.
  remedyAt: ({ entry }) =>
    entry?.[0] === 'replacements' || entry?.[0] === 'transformers' ? words('pin the image there') : undefined,
};

function problemOf(image: YamlValue | undefined): Message | undefined {
  if (image === undefined || image === null) return words('has no image');
  if (typeof image !== 'string') return message`has an image that is not a string: ${JSON.stringify(image)}`;
  const reason = whyNotPinned(image);
  return reason === undefined ? undefined : message`runs ${image}, which ${words(reason)}`;
}
