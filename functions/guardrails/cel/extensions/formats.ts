import { hasLabelForm, isSubdomain } from '../../kubernetes/dns-name';
import { hasNameForm } from '../../kubernetes/label-syntax';
import type { Library } from '../library';
import { Opaque, Optional } from '../value';
import { isUrl } from './url';

/** A named format. `problems` says what is wrong with a text. */
class Format extends Opaque {
  readonly type = 'kubernetes.NamedFormat';
  constructor(
    readonly key: string,
    readonly problems: (text: string) => readonly string[],
  ) {
    super();
  }
}

const LABEL_1035 = /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/;

/** The messages are those of k8s.io/apimachinery, util/validation. */
const TOO_LONG = (most: number) => `must be no more than ${most} characters`;
const LABEL_PROBLEM =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN_PROBLEM =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_1035_PROBLEM =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED_PROBLEM =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const VALUE_PROBLEM =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";

function limited(most: number, isValid: (text: string) => boolean, problem: string) {
  return (text: string): string[] => [
    ...(text.length > most ? [TOO_LONG(most)] : []),
    ...(isValid(text) ? [] : [problem]),
  ];
}

const dns1123Label = limited(63, hasLabelForm, LABEL_PROBLEM);
const dns1123Subdomain = limited(253, (text) => text.split('.').every(hasLabelForm), SUBDOMAIN_PROBLEM);
const dns1035Label = limited(63, (text) => LABEL_1035.test(text), LABEL_1035_PROBLEM);

/** A prefix of a generated name may end in a dash. */
const prefixed = (problems: (text: string) => readonly string[]) => (text: string) =>
  problems(text.endsWith('-') ? `${text.slice(0, -1)}a` : text);

function qualifiedName(text: string): string[] {
  const parts = text.split('/');
  if (parts.length > 2)
    return [
      `a qualified name ${QUALIFIED_PROBLEM.slice('name part '.length)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  const name = parts.at(-1) ?? '';
  const prefix = parts.length === 2 ? parts[0] : undefined;
  return [
    ...(prefix === '' ? ['prefix part must be non-empty'] : []),
    ...(prefix === undefined || prefix === '' || isSubdomain(prefix)
      ? []
      : [`prefix part ${SUBDOMAIN_PROBLEM}`]),
    ...(name === '' ? ['name part must be non-empty'] : []),
    ...(name.length > 63 ? [`name part ${TOO_LONG(63)}`] : []),
    ...(hasNameForm(name) ? [] : [QUALIFIED_PROBLEM]),
  ];
}

const FORMATS: Readonly<Record<string, (text: string) => readonly string[]>> = {
  dns1123Label,
  dns1123Subdomain,
  dns1035Label,
  qualifiedName,
  dns1123LabelPrefix: prefixed(dns1123Label),
  dns1123SubdomainPrefix: prefixed(dns1123Subdomain),
  dns1035LabelPrefix: prefixed(dns1035Label),
  labelValue: limited(63, (text) => text === '' || hasNameForm(text), VALUE_PROBLEM),
  uri: (text) => (isUrl(text) ? [] : ['invalid URI for request']),
  uuid: (text) =>
    /^[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$/.test(text)
      ? []
      : ['does not match the UUID format'],
  byte: (text) =>
    /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text) ? [] : ['invalid base64'],
  date: (text) => (isDate(text) ? [] : ['invalid date']),
  datetime: (text) =>
    /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d)$/.test(text) &&
    isDate(text.slice(0, 10))
      ? []
      : ['invalid datetime'],
};

/** A day of the calendar. */
function isDate(text: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return false;
  const time = Date.parse(text);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}

function formatNamed(name: string): Format | undefined {
  const problems = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  return problems && new Format(name, problems);
}

/** The library format of Kubernetes. */
export const formatFunctions: Library = {
  global: {
    'format.named': (name = null) => (typeof name === 'string' ? new Optional(formatNamed(name)) : undefined),
    ...Object.fromEntries(Object.keys(FORMATS).map((name) => [`format.${name}`, () => formatNamed(name)])),
  },
  methods: {
    validate: (format = null, text = null) => {
      if (!(format instanceof Format) || typeof text !== 'string') return undefined;
      const problems = format.problems(text);
      return new Optional(problems.length === 0 ? undefined : problems);
    },
  },
};
