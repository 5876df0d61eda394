import type { Report } from '../../findings/finding';
import { groupOf } from '../../krm/resource';
import { podSpecOf } from '../../kubernetes/workload';
import { isSecretText, namesSecret, passwordInUrl } from '../../krm/secret-names';
import { type Message, message, words } from '../../message';
import type { FieldPath } from '../../yaml/field-path';
import { type YamlObject, entriesIn, objectAt, textOf } from '../../yaml/yaml';

/** A text under a name: a variable of a container, or a key of a ConfigMap. */
interface NamedText {
  readonly name: string;
  readonly text: string;
  readonly field: FieldPath;
  readonly container?: string;
  /** `container "web" env DB_PASSWORD`, `data.DB_PASSWORD`. */
  readonly place: () => Message;
}

/** Texts in env and in ConfigMaps whose name says that they are secret, and URLs with a password. */
export function literalSecrets(resource: YamlObject): Report[] {
  return [...envOf(resource), ...dataOf(resource)].flatMap(({ name, text, field, container, place }) => {
    const isNamed = namesSecret(name) && isSecretText(text, name);
    if (!isNamed && passwordInUrl(text) === undefined) return [];
    const problem = isNamed
      ? message`${place()} holds a literal value, and its name is that of a secret`
      : message`${place()} holds a URL with a password`;
    const remedy = words(
      container === undefined
        ? 'move it to a Secret that is not in the package'
        : 'read it from a Secret that is not in the package, with valueFrom.secretKeyRef',
    );
    return [{ problem, remedy, field, container, severity: 'warning' }];
  });
}

function envOf(resource: YamlObject): NamedText[] {
  return (podSpecOf(resource)?.containers ?? []).flatMap(({ value, path, subject, name: container }) =>
    entriesIn(value.env).flatMap(({ name, value: text }, i) => {
      if (typeof name !== 'string' || (typeof text !== 'string' && typeof text !== 'number')) return [];
      const field = [...path, 'env', i, 'value'];
      return [{ name, text: textOf(text), field, container, place: () => message`${subject} env ${name}` }];
    }),
  );
}

function dataOf(resource: YamlObject): NamedText[] {
  if (resource.kind !== 'ConfigMap' || groupOf(resource) !== '') return [];
  return Object.entries(objectAt(resource, 'data')).flatMap(([name, text]) =>
    // A file is read by a program, and its comments may have any URL.
    typeof text === 'string' && !(text.includes('\n') && text.trim().includes('\n'))
      ? [{ name, text, field: ['data', name], place: () => message`data key ${name}` }]
      : [],
  );
}
