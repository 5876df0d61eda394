import { isSubdomain } from './dns-name';

/** Characters of a label value, and of a label key after its prefix (apimachinery, LabelValueMaxLength). */
const LONGEST = 63;
const NAME = /^[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?$/;

/** Whether a text has the letters of a label value, or of the name of a label key, of any length. */
export function hasNameForm(text: string): boolean {
  return NAME.test(text);
}

/** Whether a text is a label value to the API server (apimachinery, IsValidLabelValue). */
export function isLabelValue(text: string): boolean {
  return text === '' || (text.length <= LONGEST && NAME.test(text));
}

/** Whether a text is a label key to the API server: a name, or a DNS subdomain, `/` and a name (IsQualifiedName). */
export function isLabelKey(text: string): boolean {
  const [first = '', ...rest] = text.split('/');
  if (rest.length === 0) return NAME.test(first) && first.length <= LONGEST;
  const [name = '', ...more] = rest;
  return more.length === 0 && isSubdomain(first) && NAME.test(name) && name.length <= LONGEST;
}

/** Annotation keys are label keys that may have capital letters in their prefix (ValidateAnnotations). */
export function isAnnotationKey(text: string): boolean {
  return isLabelKey(text.toLowerCase());
}
