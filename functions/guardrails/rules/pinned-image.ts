import type { Report } from '../findings/finding';
import type { TemplateMark } from '../kubernetes/image-kinds';
import { parseImageReference, whyNotPinned } from '../kubernetes/image-reference';
import { type ImageUse, imagesOf } from '../kubernetes/images';
import { type Message, message, words } from '../message';
import { textOf } from '../yaml/yaml';
import type { Rule } from './rule';

const TAG_REMEDY = words('use a tag other than latest, or a digest');
const DIGEST_REMEDY = words('add a digest, such as @sha256:...');
const NO_DIGEST = words('has no digest, which spec.images.digest requires');
const TEMPLATE_REMEDY = words('replace the template with an image that has a tag or a digest');
/** Parameters that a controller replaces. */
const PARAMETERS = {
  '{{': /\{\{[^{}]*\}\}/g,
  '$(': /\$\([^()]*\)/g,
  $ARGOCD: /\$(?:ARGOCD_\w+|\{ARGOCD_\w+\})/g,
} as const;
/** No image reference has these characters. */
const TEMPLATE = /\{\{|\$/;
/** A value of a parameter, as part of a name or a tag. */
const ANY_VALUE = 'any-value';
/** In overrides of kustomize: keep the name or the tag. */
const KEEP = '*';

/** Every image has a digest, or a tag other than latest. */
export const pinnedImage: Rule = {
  id: 'pinned-image',
  summary:
    'Every image has a digest, or a tag other than `latest` in any letter case; with `spec.images.digest: required`, a digest',
  documentation: 'https://kubernetes.io/docs/concepts/containers/images/#image-names',
  check: (resource, { kustomization, images }) =>
    imagesOf(resource).flatMap((use): Report[] => {
      const needsDigest = images.digest === 'required';
      const reason = reasonOf(use) ?? (needsDigest && lacksDigest(use) ? NO_DIGEST : undefined);
      if (reason === undefined) return [];
      const { subject, field, image, container, form } = use;
      const report = { field, currentValue: image, container };
      if (reason === 'template')
        return [
          {
            ...report,
            problem: message`${subject} ${valueOf(use)}, a template whose value is unknown`,
            remedy: TEMPLATE_REMEDY,
            // A template that the controller of the kind does not replace.
            severity: TEMPLATE.test(withAnyValues(textOf(image), use.templates)) ? 'error' : 'warning',
          },
        ];
      // The images of kustomize apply to lists of containers at any depth, and to image volumes.
      const isInReach = form === 'container' || form === 'volume';
      const isPinnable = isInReach && typeof image === 'string' && !field.includes('ephemeralContainers');
      return [
        {
          ...report,
          problem: message`${subject} ${reason === NO_DIGEST ? message`${valueOf(use)}, which ${reason}` : reason}`,
          remedy:
            kustomization !== undefined && isPinnable
              ? message`${words(needsDigest ? 'set its digest' : 'pin it')} under images in ${kustomization}`
              : needsDigest
                ? DIGEST_REMEDY
                : TAG_REMEDY,
        },
      ];
    }),
  // kustomize applies these after images, so that no entry of images changes what they set.
  remedyAt: ({ entry }) =>
    entry?.[0] === 'replacements' || entry?.[0] === 'transformers' ? words('pin the image there') : undefined,
};

/** Why an image is not pinned, as a clause about its subject; `template` if that is unknown. */
function reasonOf(use: ImageUse): Message | 'template' | undefined {
  const { image, form, templates } = use;
  if (image === undefined || image === null) return words('has no image');
  if (typeof image !== 'string')
    return form === 'tag' || form === 'override'
      ? undefined
      : message`has an image that is not a string: ${JSON.stringify(image)}`;
  const isLatest = form === 'tag' && image.toLowerCase() === 'latest';
  if (isLatest) return message`is ${image}`;
  const isTemplate = TEMPLATE.test(image);
  if (form === 'tag') return isTemplate ? 'template' : undefined;
  const text = form === 'override' ? overrideOf(image) : image;
  if (isTemplate && isUnknown(text, templates)) return 'template';
  const reason = whyNotPinned(isTemplate ? withAnyValues(text, templates) : text);
  // An override without a tag keeps the one of the package.
  if (reason === undefined || (form === 'override' && reason === 'has no tag')) return undefined;
  return message`${valueOf(use)}, which ${words(reason)}`;
}

/** Whether an image that is pinned has a tag alone. */
function lacksDigest({ image, form, templates }: ImageUse): boolean {
  if (typeof image !== 'string') return false;
  if (form === 'tag') return image !== '';
  const text = withAnyValues(form === 'override' ? overrideOf(image) : image, templates);
  const reference = parseImageReference(text);
  if ('invalid' in reference || reference.digest !== undefined) return false;
  // An override without a tag keeps the one of the package.
  return form !== 'override' || reference.tag !== undefined;
}

function valueOf({ image, form }: ImageUse): Message {
  const verb = form === 'container' ? 'runs' : form === 'volume' ? 'mounts' : 'is';
  return message`${words(verb)} ${textOf(image)}`;
}

/** Whether the tag of a template is unknown: not for `$(params.registry)/app:1.2`. */
function isUnknown(text: string, templates: TemplateMark | undefined): boolean {
  if (/:latest$/i.test(text)) return false;
  const reference = parseImageReference(withAnyValues(text, templates));
  if ('invalid' in reference) return true;
  return reference.digest === undefined && (reference.tag?.includes(ANY_VALUE) ?? true);
}

function withAnyValues(text: string, templates: TemplateMark | undefined): string {
  return templates === undefined ? text : text.replace(PARAMETERS[templates], ANY_VALUE);
}

/** The image that an override sets: `registry/web:v2` for `web=registry/web:v2`. */
function overrideOf(text: string): string {
  const image = text.slice(text.indexOf('=') + 1);
  const named = image.startsWith(KEEP) ? `${ANY_VALUE}${image.slice(KEEP.length)}` : image;
  return named.endsWith(`:${KEEP}`) ? named.slice(0, -`:${KEEP}`.length) : named;
}
