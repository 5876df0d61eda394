import type { Field } from '../../network/decode';

/** Whether a field is true. */
export function isTrue({ value }: Field): boolean {
  return value === true;
}

/** A variable of Flux, Argo CD or a template, or content that the function does not have. */
const NOT_A_NAME = /[${}<>]/;

/** Roles have names of other letters too. */
const OBJECT_NAME = /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/;

/** Whether a text can be the name of an object of a kind, and not one that something fills in after the build. */
export function isNameOf(kind: string, text: string): boolean {
  return isName(text) && (kind.endsWith('Role') || OBJECT_NAME.test(text));
}

/** Whether a text can be a name, and not one that something fills in after the build. */
export function isName(text: string): boolean {
  return text !== '' && !NOT_A_NAME.test(text);
}
