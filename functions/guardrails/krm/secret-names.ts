/** Last words of a name that is that of a secret. */
const WORDS = new Set(
  (
    'PASSWORD PASSWD PASSPHRASE SECRET TOKEN CREDENTIAL CREDENTIALS APIKEY SECRETKEY PRIVATEKEY ACCESSTOKEN AUTHTOKEN ' +
    'CLIENTSECRET ROOTPASSWORD DBPASSWORD USERPASSWORD REQUIREPASS'
  ).split(' '),
);
/** The same after another word: `PWD` alone is a folder, and `PASS` alone may be a step of a pipeline. */
const AFTER_OTHERS = new Set(['PASS', 'PWD', 'PW']);
/** What precedes `KEY` in the name of a secret. An access key without `SECRET` is the name of a user. */
const KEYS = new Set(
  'API PRIVATE SECRET ENCRYPTION DECRYPTION SIGNING MASTER AUTH SESSION JWT HMAC WEBHOOK COOKIE APP'.split(
    ' ',
  ),
);
/** Words that make a value public, or the name of an object: what browsers get, and Secrets with certificates. */
const PUBLIC = new Set(['PUBLIC', 'PUBLISHABLE', 'VITE', 'REACT']);
const OBJECTS = new Set([
  'PULL',
  'TLS',
  'CERT',
  'CERTS',
  'CERTIFICATE',
  'CA',
  'SSL',
  'K8S',
  'KUBERNETES',
  'EXISTING',
]);

/** A part of each of the words above. */
const MAY_NAME = /pass|pwd|pw|secret|token|credential|key|base/i;

/**
 * Whether a name of a variable or a key says that its value is a secret: its last words do, such as `DB_PASSWORD`,
 * `apiKey` or `spring.datasource.password`, and not `DB_PASSWORD_FILE`, `TOKEN_URL` or `SECRET_NAME`.
 */
export function namesSecret(name: string): boolean {
  if (!MAY_NAME.test(name)) return false;
  const words = wordsOf(name);
  while (words.length > 1 && /^\d+$/.test(words.at(-1) ?? '')) words.pop();
  const [last = '', previous = '', before = ''] = words.toReversed();
  if (words.some((word) => PUBLIC.has(word))) return false;
  if (last === 'SECRET') return !OBJECTS.has(previous);
  if (WORDS.has(last)) return true;
  if (AFTER_OTHERS.has(last)) return previous !== '' && previous !== 'PROXY' && previous !== 'OLD';
  if (last === 'KEY') return KEYS.has(previous) || (previous === 'ACCESS' && before === 'SECRET');
  // Of Rails.
  return last === 'BASE' && previous === 'KEY' && before === 'SECRET';
}

/** Whether the name of a secret is that of a password, which may be a number. */
function namesPassword(name: string): boolean {
  return /^(?:.*(?:PASSWORD|PASSWD)|PASSPHRASE|PASS|PWD)$/.test(wordsOf(name).at(-1) ?? '');
}

/** `dbPassword` and `db.password` as `DB`, `PASSWORD`. */
function wordsOf(name: string): string[] {
  if (name.length > 256) return [];
  return name
    .replace(/(?<=[a-z0-9])(?=[A-Z])/g, '_')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => word !== '');
}

/** A variable or a template of some program, or what its author is to replace. */
const TEMPLATE = /\$\(|\$\{|^\$\w+$|\{\{|^<.*>$|^%\w+%$|^__\w+__$|^@\w+@$|^\[.*\]$/s;
const PLACEHOLDER =
  /^(?:[x*.#_-]+|todo|tbd|fixme|placeholder|redacted|dummy|fake|n\/a|(?:replace|insert|enter|fill|put|your|my)[-_ ].*|replaceme|insert-?here|.*[-_](?:here|placeholder|goes-here))$/i;
const SWITCH =
  /^(?:true|false|yes|no|on|off|none|null|nil|undefined|disabled?|enabled?|optional|required|auto|default|unset|header|cookie|bearer|basic)$/i;
const NUMBER = /^[-+]?[\d.]+(?:ms|s|m|h|d|k|Ki|Mi|Gi)?$/i;
const FILE = /^(?:~|\.{0,2})\/[\w./@:-]*$|^file:/;
const URL_WITHOUT_PASSWORD = /^[a-z][a-z0-9+.-]*:\/\/[^@\s]*$/i;
/** What a program reads from a store of secrets, and what is encrypted (sops, Spring Cloud Config, Argo CD Vault Plugin). */
const STORED =
  /^(?:vault:|ref\+|secretref:|op:|sm:|awssm:|gcp-?sm:|akv|azurekeyvault|arn:aws|projects\/|keyring:|env:|k8s:|secret:|ENC[[(]|\{cipher\})/i;
/** The name of a Secret. */
const OBJECT_NAME =
  /^[a-z0-9]+(?:[-.][a-z0-9]+)*[-.](?:secrets?|tls|certs?|creds|credentials?|tokens?|keys?|passwords?)$/;

/** Whether a text under the name of a secret may be one: no reference, template, switch, number, path or name. */
export function isSecretText(text: string, name: string): boolean {
  const value = text.trim();
  if (value === '' || value.includes('\n') || value.length > 4096) return false;
  if (
    [TEMPLATE, PLACEHOLDER, SWITCH, FILE, URL_WITHOUT_PASSWORD, STORED, OBJECT_NAME].some((one) =>
      one.test(value),
    )
  )
    return false;
  return NUMBER.test(value) ? namesPassword(name) && value.length >= 4 : true;
}

/** `postgres://user:password@host`. */
const USERINFO = /[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/?#'"]{0,100}:([^\s@/?#'"]{1,200})@[^\s@]/i;

/** The password in the user information of a URL in a text; undefined: there is none, or it is a variable. */
export function passwordInUrl(text: string): string | undefined {
  if (!text.includes('://')) return undefined;
  const [, password] = USERINFO.exec(text) ?? [];
  if (password === undefined || TEMPLATE.test(password) || PLACEHOLDER.test(password)) return undefined;
  return /^[$%{[<]/.test(password) ? undefined : password;
}
