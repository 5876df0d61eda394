import { GuardrailsError, InputError } from '../../functions/guardrails/errors';
import { type Finding, fingerprintOf } from '../../functions/guardrails/findings/finding';
import { describeError, messageOf, printMessage } from '../../functions/guardrails/findings/print';
import { joinMessages, message, words } from '../../functions/guardrails/message';

const plain = (text: string) => text;

const FINDING: Finding = {
  rule: 'privilege-escalation',
  severity: 'error',
  problem: message`container "web" is privileged`,
  remedy: words('remove the field privileged'),
  resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', namespace: 'shop' },
  container: 'web',
  field: ['spec', 'template', 'spec', 'containers', 0, 'securityContext', 'privileged'],
  overlays: ['overlays/prod'],
  source: { file: 'base/web.yaml', line: 12, column: 5 },
};

describe('a finding is one line that says what, where and how', () => {
  it.each<[string, Partial<Finding>, string]>([
    [
      'in an overlay',
      {},
      'overlays/prod: Deployment/web container "web" is privileged (base/web.yaml:12); remove the field privileged',
    ],
    [
      'in two overlays',
      { overlays: ['overlays/dev', 'overlays/prod'] },
      'overlays/dev, overlays/prod: Deployment/web container "web" is privileged (base/web.yaml:12); remove the field privileged',
    ],
    [
      'in a stream without paths',
      { overlays: [], source: undefined },
      'Deployment/web container "web" is privileged; remove the field privileged',
    ],
    [
      'caused by an entry of a kustomization',
      { source: { file: 'kustomization.yaml', line: 7, entry: ['patches', 0] } },
      'overlays/prod: Deployment/web container "web" is privileged (kustomization.yaml:7, patches[0]); remove the field privileged',
    ],
    [
      'exempt',
      { suppression: { by: 'exemption', reason: 'ticket 42' } },
      'overlays/prod: Deployment/web container "web" is privileged (base/web.yaml:12); exempt: ticket 42',
    ],
    [
      'turned off',
      { suppression: { by: 'configuration' } },
      'overlays/prod: Deployment/web container "web" is privileged (base/web.yaml:12); the configuration turns this rule off here',
    ],
    [
      'without a resource',
      {
        resource: undefined,
        problem: words('kustomize reports: old syntax'),
        remedy: undefined,
        source: undefined,
      },
      'overlays/prod: kustomize reports: old syntax',
    ],
  ])('%s', (_, more, expected) => {
    expect(printMessage(messageOf({ ...FINDING, ...more }), plain)).toBe(expected);
  });
});

describe('text of the input is escaped', () => {
  it.each([
    ['a terminal escape', 'a\u001b[31mb', 'a\\u{1b}[31mb'],
    ['an escape of one byte (C1)', 'a\u009b31mb', 'a\\u{9b}31mb'],
    ['a line feed', 'a\nb', 'a\\u{a}b'],
    ['a carriage return', 'a\rb', 'a\\u{d}b'],
    ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
    ['a right-to-left override', 'a\u202eb', 'a\\u{202e}b'],
    ['a zero-width space', 'a\u200bb', 'a\\u{200b}b'],
    ['a lone surrogate', 'a\ud800b', 'a\\u{d800}b'],
    ['text in other scripts stays', 'größe-日本', 'größe-日本'],
  ])('%s', (_, text, expected) => {
    expect(printMessage(message`overlay ${text}: ok`, plain)).toBe(`overlay ${expected}: ok`);
  });

  it.each([
    ['a workflow command at the start of a line', '::error::x', '\\u{3a}:error::x'],
    ['one after spaces', '  ::warning file=a::x', '  \\u{3a}:warning file=a::x'],
    ['the older form', 'a ##[error]x', 'a #\\u{23}[error]x'],
    ['an IPv6 range stays', '::/0', '::/0'],
    ['an IPv6 address stays', 'fd00::1', 'fd00::1'],
  ])('for GitHub Actions: %s', (_, text, expected) => {
    expect(printMessage(message`${text}`, plain)).toBe(expected);
  });

  it('a line feed between own words stays', () => {
    expect(printMessage(joinMessages([message`a ${'b'}`, message`c`], '\n'), plain)).toBe('a b\nc');
  });
});

it('a piece of the input is cut at 200 characters, own words are not', () => {
  const long = 'x'.repeat(101) + 'y'.repeat(100);
  expect(printMessage(message`image ${long} is too long`, plain)).toBe(
    `image ${'x'.repeat(100)}...${'y'.repeat(100)} is too long`,
  );
  expect(printMessage(message`image ${'y'.repeat(200)}`, plain)).toBe(`image ${'y'.repeat(200)}`);
  expect(printMessage(words(long), plain)).toBe(long);
});

it('only pieces of the input are redacted, before they are cut', () => {
  const secret = 'hunter2hunter2';
  const redact = (text: string) => text.replaceAll(secret, '***').replaceAll('image', '***');
  expect(printMessage(message`image ${`${'x'.repeat(195)}${secret}`}`, redact)).toBe(
    `image ${'x'.repeat(195)}***`,
  );
});

describe('an error', () => {
  it('of the function is printed with its message and exit code', () => {
    const { text, exitCode } = describeError(new InputError(message`${'a.yaml'} is not valid UTF-8`));
    expect([printMessage(text, plain), exitCode]).toEqual(['a.yaml is not valid UTF-8', 2]);
    expect(describeError(new GuardrailsError(words('x'), 3)).exitCode).toBe(3);
  });

  it('that is unexpected is printed without its message, which may quote a Secret', () => {
    const { text, exitCode } = describeError(
      Object.assign(new Error('value hunter2'), { code: 'EIO', syscall: 'read' }),
    );
    expect(printMessage(text, plain)).toMatch(/^internal error: Error EIO in read at /);
    expect(printMessage(text, plain)).not.toContain('hunter2');
    expect(exitCode).toBe(2);
  });
});

describe('a fingerprint', () => {
  const original = fingerprintOf(FINDING);

  it('is a letter and 16 hexadecimal digits, which YAML does not read as a number', () => {
    expect(original).toMatch(/^f[0-9a-f]{16}$/);
  });

  it.each<[string, Partial<Finding>]>([
    ['the line moves', { source: { file: 'base/web.yaml', line: 90, column: 1 } }],
    ['the file is renamed', { source: { file: 'base/app.yaml', line: 12 } }],
    [
      'containers are reordered',
      { field: ['spec', 'template', 'spec', 'containers', 3, 'securityContext', 'privileged'] },
    ],
    ['another overlay has it too', { overlays: ['overlays/dev', 'overlays/prod'] }],
    [
      'the overlays have different namespaces',
      { resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' } },
    ],
    ['the remedy is reworded', { remedy: words('delete the line') }],
  ])('stays when %s', (_, more) => {
    expect(fingerprintOf({ ...FINDING, ...more })).toBe(original);
  });

  it.each<[string, Partial<Finding>]>([
    ['the rule', { rule: 'capabilities' }],
    ['the resource', { resource: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'api' } }],
    ['the container', { container: 'sidecar' }],
    ['the field', { field: ['spec', 'template', 'spec', 'containers', 0, 'securityContext'] }],
    ['the problem', { problem: words('container "web" adds capabilities') }],
  ])('changes with %s', (_, more) => {
    expect(fingerprintOf({ ...FINDING, ...more })).not.toBe(original);
  });

  it('of a finding without a resource changes with the file', () => {
    const of = (file: string) => fingerprintOf({ ...FINDING, resource: undefined, source: { file } });
    expect(of('overlays/dev/kustomization.yaml')).not.toBe(of('overlays/prod/kustomization.yaml'));
  });
});
