import { whyNotPinned } from '../kubernetes/image-reference';
import { imagesOf } from '../kubernetes/images';
import type { YamlValue } from '../yaml/yaml';
import type { Rule } from './rule';

/** Every image has a tag other than latest, or a digest. */
export const pinnedImage: Rule = {
  id: 'pinned-image',
  summary: 'Every image names a version: a tag other than `latest`, or a digest',
  why: 'https://kubernetes.io/docs/concepts/containers/images/#image-names',
  check: (resource, { kustomization }) =>
    imagesOf(resource).flatMap(({ subject, field, image, container }) => {
      const reason = reasonAgainst(image);
      if (reason === undefined) return [];
      return [
        {
          what: `${subject} runs ${typeof image === 'string' ? image : 'no image'} (${reason})`,
          mend:
            kustomization === undefined || typeof image !== 'string' || isOutOfReach(field)
              ? 'give it a version or a digest'
              : `pin it under images in ${kustomization}`,
          field,
          ...(image === undefined ? {} : { currentValue: image }),
          ...(container === undefined ? {} : { container }),
        },
      ];
    }),
};

/** kustomize's `images` knows containers and initContainers alone. */
function isOutOfReach(field: string): boolean {
  return field.includes('ephemeralContainers[');
}

function reasonAgainst(image: YamlValue | undefined): string | undefined {
  if (image === undefined || image === null) return 'no image is named';
  if (typeof image !== 'string') return 'invalid: an image is a string';
  return whyNotPinned(image);
}
