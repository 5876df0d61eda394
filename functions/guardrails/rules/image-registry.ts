import type { Report } from '../findings/finding';
import { parseImageReference } from '../kubernetes/image-reference';
import type { RegistryPattern } from '../kubernetes/image-policy';
import { type ImageUse, imagesOf } from '../kubernetes/images';
import { type Message, joinMessages, message } from '../message';
import type { Rule } from './rule';

/** What no image reference has: a template, or the name that kustomize keeps. */
const UNKNOWN = /[${}*]/;

/** Images come from registries that the configuration lists. */
export const imageRegistry: Rule = {
  id: 'image-registry',
  summary: 'With `spec.images.registries`: every image is from one of these registries or repositories',
  documentation: 'https://kubernetes.io/docs/concepts/containers/images/#image-names',
  check: (resource, { images: { registries } }) => {
    if (registries === undefined) return [];
    return imagesOf(resource).flatMap((use): Report[] => {
      const problem = problemOf(use, registries);
      if (problem === undefined) return [];
      const { subject, field, image, container } = use;
      const allowed = joinMessages(
        registries.map(({ text }) => text),
        ', ',
      );
      return [
        {
          problem: message`${subject} ${problem}`,
          remedy: message`use an image of ${allowed}, or add its registry to spec.images.registries`,
          field,
          currentValue: image,
          container,
        },
      ];
    });
  },
};

/** undefined: the image is allowed, it is not valid, which pinned-image reports, or no name is written. */
function problemOf({ image, form }: ImageUse, registries: readonly RegistryPattern[]): Message | undefined {
  if (typeof image !== 'string' || form === 'tag') return undefined;
  const text = form === 'override' ? newNameIn(image) : image;
  if (text === '') return undefined;
  const name = nameIn(text);
  if (UNKNOWN.test(name)) return message`has the image ${text}, whose registry is unknown`;
  const reference = parseImageReference(name);
  if ('invalid' in reference || registries.some((one) => one.allows(reference))) return undefined;
  return message`has the image ${text} of ${reference.domain}/${reference.path}, which spec.images.registries does not list`;
}

/** An override of kustomize, `[name=]newName[:tag][@digest]`, without the name that it replaces; `*` keeps that. */
function newNameIn(override: string): string {
  const name = override.slice(override.indexOf('=') + 1);
  return name.startsWith('*') ? '' : name;
}

/** An image without tag and digest, which may be templates. */
function nameIn(image: string): string {
  const [name = ''] = image.split('@');
  const tag = /:[^:/]*$/.exec(
    name.replace(/\$\{[^{}]*\}|\$\([^()]*\)|\{\{[^{}]*\}\}/g, (one) => '$'.repeat(one.length)),
  );
  return tag === null ? name : name.slice(0, tag.index);
}
