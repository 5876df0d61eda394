import type { FieldPath } from '../../yaml/field-path';
import type { YamlObject, YamlValue } from '../../yaml/yaml';

/** Something that is a secret wherever it is. */
export interface FoundToken {
  /** `a private key`. */
  readonly what: string;
  readonly field: FieldPath;
}

/** Forms that their issuers give to tokens, so that they are found. */
const TOKENS: readonly (readonly [what: string, form: RegExp])[] = [
  // https://docs.github.com/en/authentication/keeping-your-account-and-data-secure/about-authentication-to-github
  ['a GitHub token', /(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,})/],
  // https://docs.gitlab.com/security/tokens/#token-prefixes
  ['a GitLab token', /(?<!\w)gl(?:pat|dt|rt|ptt|cbt|ft)-[\w-]{20,}/],
  // https://docs.slack.dev/authentication/tokens
  ['a Slack token', /(?<!\w)xox[abposr]-[A-Za-z0-9-]{10,}/],
  [
    'a Slack webhook',
    /hooks\.slack\.com\/(?:services|workflows)\/T[A-Z0-9]{7,}\/[A-Z0-9]{7,}\/[A-Za-z0-9]{16,}/,
  ],
  // https://docs.stripe.com/keys
  ['a Stripe key', /(?<!\w)[rs]k_live_[A-Za-z0-9]{16,}/],
  ['an OpenAI or Anthropic key', /(?<![\w-])sk-(?:[a-z]+\d*-)*(?=[\w-]*[A-Z])(?=[\w-]*\d)[\w-]{32,}/],
  // https://cloud.google.com/docs/authentication/api-keys
  ['a Google API key', /(?<!\w)AIza[\w-]{35}(?![\w-])/],
  // https://github.blog/changelog/2021-09-23-npm-has-a-new-access-token-format/
  ['an npm token', /(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)/],
  ['a PyPI token', /(?<!\w)pypi-AgEIcHlwaS5vcmc[\w-]{50,}/],
  ['a Docker Hub token', /(?<!\w)dckr_[po]at_[\w-]{27,}/],
  ['a DigitalOcean token', /(?<!\w)do[opr]_v1_[a-f0-9]{64}/],
  ['a Hugging Face token', /(?<!\w)hf_[A-Za-z]{34}(?!\w)/],
  ['a SendGrid key', /(?<!\w)SG\.[\w-]{22}\.[\w-]{43}/],
];
/** What each of the above, a private key or an access key of AWS has in it. */
const ANY_PART =
  /PRIVATE KEY|A[KS]IA[A-Z0-9]|gh[pousr]_|github_pat_|gl(?:pat|dt|rt|ptt|cbt|ft)-|xox[abposr]-|hooks\.slack|k_live_|sk-|AIza|npm_|pypi-|dckr_|_v1_|hf_|SG\./;
const SHORTEST = 16;

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids */
const AWS_KEY_ID = /(?<![A-Z0-9])A[KS]IA[A-Z2-7]{16}(?![A-Z0-9])/;
const AWS_SECRET =
  /(?<![\w/+])(?=[a-z/+\d]*[A-Z])(?=[A-Z/+\d]*[a-z])(?=[A-Za-z/+]*\d)[A-Za-z0-9/+]{40}(?![\w/+=])/;
/** What documentation writes: AKIAIOSFODNN7EXAMPLE, and characters that repeat. */
const EXAMPLE = /EXAMPLE|example|(.)\1{5}/;

const BEGIN = /-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----/g;
/** Characters after the first line in which the key starts. */
const HEAD = 4096;

/**
 * Private keys and tokens of well-known form in the texts of a resource, one for each text. A key ID of AWS counts
 * with its secret in the same resource, and names the place of the secret.
 */
export function tokensIn(resource: YamlObject): FoundToken[] {
  const found: FoundToken[] = [];
  const keyIds: string[] = [];
  visitTexts(resource, [], (text, field) => {
    if (!ANY_PART.test(text)) return;
    const what = hasPrivateKey(text) ? 'a private key' : tokenIn(text);
    if (what !== undefined) found.push({ what, field: [...field] });
    const keyId = AWS_KEY_ID.exec(text)?.[0];
    if (keyId !== undefined && isReal(keyId)) keyIds.push(keyId);
  });
  if (keyIds.length === 0) return found;
  visitTexts(resource, [], (text, field) => {
    if (isReal(AWS_SECRET.exec(text)?.[0])) found.push({ what: 'an access key of AWS', field: [...field] });
  });
  return found;
}

function tokenIn(text: string): string | undefined {
  return TOKENS.find(([, form]) => isReal(form.exec(text)?.[0]))?.[0];
}

function isReal(token: string | undefined): boolean {
  return token !== undefined && !EXAMPLE.test(token);
}

/** Whether a text has a private key with its content: scripts and documentation have the first line alone. */
function hasPrivateKey(text: string): boolean {
  for (const { index, 0: begin } of text.matchAll(BEGIN)) {
    const lines = text.slice(index + begin.length, index + begin.length + HEAD).split(/\\r|\\n|[\r\n]/);
    // The lines of the header: `Proc-Type: 4,ENCRYPTED`.
    const content = lines.filter((line) => !line.includes(':')).map((line) => line.trim());
    const key = content.join('');
    if (/^[A-Za-z0-9+/=]{64}/.test(key) && !/EXAMPLE/i.test(key.slice(0, 64))) return true;
  }
  return false;
}

/** Calls a function with each text that may hold a token, and its path, which changes after the call. */
function visitTexts(
  value: YamlValue,
  path: (string | number)[],
  visit: (text: string, path: readonly (string | number)[]) => void,
): void {
  if (typeof value === 'string') {
    if (value.length >= SHORTEST) visit(value, path);
    return;
  }
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value)) {
    for (const [i, child] of value.entries()) {
      path.push(i);
      visitTexts(child, path, visit);
      path.pop();
    }
    return;
  }
  for (const key in value) {
    path.push(key);
    visitTexts(value[key] ?? null, path, visit);
    path.pop();
  }
}
