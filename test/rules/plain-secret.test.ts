import { parse } from 'yaml';
import type { Result } from '../../functions/guardrails/krm/result';
import { run } from '../../functions/guardrails/run';

type Resource = Record<string, unknown>;

/** The findings of the rule in a stream: `warning Pod/web spec...: <problem>`; and all that is printed. */
async function judge(item: Resource): Promise<{ findings: string[]; printed: string }> {
  const list = { apiVersion: 'config.kubernetes.io/v1', kind: 'ResourceList', items: [item] };
  const { stdout, stderr } = await run(Buffer.from(JSON.stringify(list)), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  const { results = [] } = parse(stdout) as { results?: Result[] };
  const findings = results
    .filter(({ tags }) => tags?.rule === 'plain-secret')
    .map(({ severity, field, message }) => {
      const [problem = ''] = message.split('; ');
      return `${severity} ${field?.path ?? ''}: ${problem.replace(/^\S+ /, '')}`;
    });
  return { findings, printed: JSON.stringify(results) + stderr };
}

const podWith = (container: Resource, metadata: Resource = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers: [{ name: 'web', image: 'web:1.0', ...container }] },
});
const env = (name: string, value: unknown) => podWith({ env: [{ name, value }] });
const configMap = (data: Resource) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'web' },
  data,
});

describe('a literal under the name of a secret is a warning, and its value is never printed', () => {
  it.each([
    'DB_PASSWORD',
    'POSTGRES_PASSWORD',
    'DB_PASS',
    'MYSQL_PWD',
    'API_TOKEN',
    'CLIENT_SECRET',
    'STRIPE_API_KEY',
    'AWS_SECRET_ACCESS_KEY',
    'SECRET_KEY_BASE',
    'JWT_PRIVATE_KEY',
    'GOOGLE_CREDENTIALS',
    'dbPassword',
    'spring.datasource.password',
    'Auth__ClientSecret',
    'DB_PASSWORD_2',
  ])('%s', async (name) => {
    const value = 'correct-horse';
    const ofEnv = await judge(env(name, value));
    expect(ofEnv.findings).toEqual([
      `warning spec.containers[0].env[0].value: container "web" env ${name} holds a literal value, and its name is that of a secret`,
    ]);
    const ofData = await judge(configMap({ [name]: value }));
    expect(ofData.findings).toEqual([
      expect.stringContaining(`data key ${name} holds a literal value, and its name is that of a secret`),
    ]);
    expect(ofEnv.printed + ofData.printed).not.toContain(value);
  });

  it.each(['12345678', 'p@ss/word', 'changeme', 'Tr0ub4dor&3'])('the password %s', async (value) => {
    const { findings, printed } = await judge(env('DB_PASSWORD', value));
    expect(findings).toHaveLength(1);
    expect(printed).not.toContain(value);
  });

  it('in an init container', async () => {
    const pod = podWith({});
    const spec = {
      ...pod.spec,
      initContainers: [{ name: 'init', env: [{ name: 'API_TOKEN', value: 'horse' }] }],
    };
    expect((await judge({ ...pod, spec })).findings).toEqual([
      'warning spec.initContainers[0].env[0].value: initContainer "init" env API_TOKEN holds a literal value, and its name is that of a secret',
    ]);
  });
});

describe('what is not secret', () => {
  it.each([
    'DB_PASSWORD_FILE',
    'PASSWORD_PATH',
    'TOKEN_URL',
    'SECRET_NAME',
    'TOKEN_TTL',
    'PASSWORD_MIN_LENGTH',
    'TOKEN_AUDIENCE',
    'API_KEY_ID',
    'AWS_ACCESS_KEY_ID',
    'IMAGE_PULL_SECRET',
    'TLS_SECRET',
    'PUBLIC_KEY',
    'NEXT_PUBLIC_API_KEY',
    'REACT_APP_API_KEY',
    'STRIPE_PUBLISHABLE_API_KEY',
    'PWD',
    'OLD_PWD',
    'BYPASS',
    'PASSENGER',
    'MAX_TOKENS',
    'KEYBOARD',
    'SORT_KEY',
    'CACHE_KEY',
  ])('the name %s', async (name) => {
    expect((await judge(env(name, 'correct-horse'))).findings).toEqual([]);
  });

  it.each([
    '',
    ' ',
    '$(DB_SECRET)',
    'prefix-$(DB_SECRET)',
    '${DB_SECRET}',
    '$DB_SECRET',
    '{{ .Values.secret }}',
    '<your-token>',
    '__TOKEN__',
    'REPLACE_ME',
    'your-token-here',
    'xxxxxx',
    '***',
    'true',
    'disabled',
    '/run/secrets/token',
    './token',
    'https://auth.example.com/token',
    'vault:secret/data/web#token',
    'projects/1/secrets/web',
    'ENC[AES256_GCM,data:x]',
    'web-credentials',
    'web-tls',
    '30s',
    '4096',
  ])('the value %j', async (value) => {
    expect((await judge(env('API_TOKEN', value))).findings).toEqual([]);
  });

  it('a reference', async () => {
    const valueFrom = { secretKeyRef: { name: 'web', key: 'password' } };
    expect((await judge(podWith({ env: [{ name: 'DB_PASSWORD', valueFrom }] }))).findings).toEqual([]);
  });

  it('a file in a ConfigMap', async () => {
    expect(
      (await judge(configMap({ password: 'first\nsecond\n', 'nginx.conf': 'proxy_pass http://web;' })))
        .findings,
    ).toEqual([]);
  });
});

describe('a URL with a password is a warning', () => {
  it.each([
    'postgres://web:horse@db:5432/web',
    'amqp://:horse@queue',
    'jdbc:postgresql://web:horse@db/web',
    'http://a:80,redis://web:horse@db',
  ])('%s', async (value) => {
    const { findings, printed } = await judge(env('DATABASE_URL', value));
    expect(findings).toEqual([
      'warning spec.containers[0].env[0].value: container "web" env DATABASE_URL holds a URL with a password',
    ]);
    expect(printed).not.toContain('horse');
  });

  it.each([
    'postgres://db:5432/web',
    'postgres://web@db/web',
    'postgres://web:$(PASSWORD)@db/web',
    'postgres://web:${PASSWORD}@db/web',
    'postgres://web:<password>@db/web',
    'postgres://USER:{{ password }}@db/web',
    'https://web.example.com/a:b@c',
    'https://web.example.com:8080/users/@me',
  ])('not: %s', async (value) => {
    expect((await judge(env('DATABASE_URL', value))).findings).toEqual([]);
  });
});

// Written in parts, so that no scanner takes them for real ones.
const LETTERS = 'aB3dE6gH9jK2mN5pQ8rS1tU4vW7xY0zA3cD6fG9hJ2kL5';
const KEY_BODY = `MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n${LETTERS}`;
const privateKey = (kind: string, line = '\n') =>
  `-----BEGIN ${kind}PRIVATE KEY-----${line}${KEY_BODY.replace('\n', line)}${line}-----END ${kind}PRIVATE KEY-----${line}`;

describe('a private key or a token is an error, wherever it is', () => {
  it.each<[string, string, string]>([
    ['PKCS 8', privateKey(''), 'a private key'],
    ['RSA', privateKey('RSA '), 'a private key'],
    ['OpenSSH', privateKey('OPENSSH '), 'a private key'],
    [
      'OpenSSH, with the zeros of its header',
      privateKey('OPENSSH ').replace('MIIEvQ', 'b3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAAB'),
      'a private key',
    ],
    ['in JSON', `{"private_key": "${privateKey('', String.raw`\n`)}"}`, 'a private key'],
    ['of GitHub', `ghp_${LETTERS.slice(0, 36)}`, 'a GitHub token'],
    ['of GitHub, fine-grained', `github_pat_${LETTERS.slice(0, 22)}_${LETTERS}`, 'a GitHub token'],
    ['of GitLab', `glpat-${LETTERS.slice(0, 20)}`, 'a GitLab token'],
    ['of Slack', `xoxb-123456789012-123456789013-${LETTERS.slice(0, 24)}`, 'a Slack token'],
    ['of Stripe', `sk_live_${LETTERS.slice(0, 24)}`, 'a Stripe key'],
    ['of OpenAI', `sk-${LETTERS.slice(0, 20)}T3BlbkFJ${LETTERS.slice(0, 20)}`, 'an OpenAI or Anthropic key'],
    ['of OpenAI, of a project', `sk-proj-${LETTERS}`, 'an OpenAI or Anthropic key'],
    ['of Google', `AIza${LETTERS.slice(0, 35)}`, 'a Google API key'],
    ['of npm', `npm_${LETTERS.slice(0, 36)}`, 'an npm token'],
  ])('%s', async (_, token, what) => {
    const cases: [Resource, string][] = [
      [env('SOMETHING', token), 'spec.containers[0].env[0].value'],
      [podWith({ args: ['--something', `--with=${token}`] }), 'spec.containers[0].args[1]'],
      [podWith({}, { annotations: { note: token } }), 'metadata.annotations.note'],
      [configMap({ 'file.txt': `text\n${token}` }), 'data."file.txt"'],
      [
        {
          apiVersion: 'example.com/v1',
          kind: 'Thing',
          metadata: { name: 'web' },
          spec: { list: [{ deep: token }] },
        },
        'spec.list[0].deep',
      ],
    ];
    for (const [resource, field] of cases) {
      const { findings, printed } = await judge(resource);
      expect(findings).toEqual([`error ${field}: holds ${what} in ${field}`]);
      expect(printed).not.toContain(LETTERS.slice(0, 18));
    }
  });

  it('is one finding where the name is that of a secret', async () => {
    expect((await judge(env('GITHUB_TOKEN', `ghp_${LETTERS.slice(0, 36)}`))).findings).toEqual([
      'error spec.containers[0].env[0].value: holds a GitHub token in spec.containers[0].env[0].value',
    ]);
  });

  const KEY_ID = 'AKIA2OGYBAH6STMMNXQR';
  const SECRET = LETTERS.slice(0, 40);
  it('an access key of AWS, with its secret', async () => {
    const both = podWith({
      env: [
        { name: 'KEY_ID', value: KEY_ID },
        { name: 'OTHER', value: SECRET },
      ],
    });
    const { findings, printed } = await judge(both);
    expect(findings).toEqual([
      'error spec.containers[0].env[1].value: holds an access key of AWS in spec.containers[0].env[1].value',
    ]);
    expect(printed).not.toContain(SECRET);
    expect((await judge(env('KEY_ID', KEY_ID))).findings).toEqual([]);
    expect((await judge(env('OTHER', SECRET))).findings).toEqual([]);
  });

  it.each<[string, Resource]>([
    [
      'the first line of a key',
      configMap({ 'check.sh': 'grep -q "-----BEGIN PRIVATE KEY-----" key.pem\nexit 1' }),
    ],
    ['a public key', configMap({ key: privateKey('').replaceAll('PRIVATE', 'PUBLIC') })],
    ['a certificate', configMap({ crt: privateKey('').replaceAll('PRIVATE KEY', 'CERTIFICATE') })],
    [
      'the example of AWS',
      configMap({ 'credentials.txt': 'AKIAIOSFODNN7EXAMPLE\nwJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }),
    ],
    ['a token of documentation', env('SOMETHING', `ghp_${'x'.repeat(36)}`)],
    ['a key for tests of Stripe', env('SOMETHING', `sk_test_${LETTERS.slice(0, 24)}`)],
    ['a name', podWith({ args: ['--disk-name=task-frontend-with-a-name-that-is-quite-long-1'] })],
    ['a digest', env('SOMETHING', '0123456789abcdef0123456789abcdef01234567')],
    [
      'a schema',
      {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: 'things.example.com' },
        spec: { description: `such as ghp_${LETTERS.slice(0, 36)}` },
      },
    ],
  ])('not: %s', async (_, resource) => {
    expect((await judge(resource)).findings).toEqual([]);
  });
});
