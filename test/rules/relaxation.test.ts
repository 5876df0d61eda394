import { parse } from 'yaml';
import { run } from '../../functions/guardrails/run';
import type { Result } from '../../functions/guardrails/krm/result';
import { findKustomizeForTests } from '../support/tools';

const RULE = 'read-only-root-filesystem';

/** A Pod without other findings, whose root file system is writable or not set. */
const pod = (annotations: Record<string, string>, readOnly: string) => `apiVersion: v1
kind: Pod
metadata:
  name: web
  annotations: ${JSON.stringify(annotations)}
spec:
  automountServiceAccountToken: false
  securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  containers:
  - name: web
    image: web:v1
    securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}${readOnly}}
    resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}
    volumeMounts: [{name: scratch, mountPath: /tmp}]
  volumes: [{name: scratch, emptyDir: {}}]
`;

const EXEMPT = { [`exempt.todo.example.com/${RULE}`]: 'ticket 42' };

async function judge(text: string, spec: string) {
  const item = `- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`;
  const config = `functionConfig: {apiVersion: todo.example.com/v1alpha1, kind: Guardrails, spec: ${spec}}\n`;
  const list = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${item}${config}`;
  const { exitCode, stdout, stderr } = await run(Buffer.from(list), () =>
    Promise.resolve(findKustomizeForTests()),
  );
  const { items, results = [] } = parse(stdout) as { items: unknown[]; results?: Result[] };
  const own = results.filter(({ tags }) => tags?.rule !== 'network-policy');
  const isFixed = JSON.stringify(items).includes('"readOnlyRootFilesystem":true');
  return { exitCode, stderr, own, isFixed };
}

/**
 * The precedence of relaxations: an environment's level goes before the top's, an exemption goes before a level, and
 * neverExempt forbids exemptions and nothing else.
 */
const TABLE: {
  top?: string;
  environment?: string;
  exempt?: boolean;
  never?: boolean;
  finding: string;
  isFixed: boolean;
  exitCode: number;
}[] = [
  { finding: 'error', isFixed: true, exitCode: 1 },
  { top: 'error', finding: 'error', isFixed: true, exitCode: 1 },
  { top: 'warning', finding: 'warning', isFixed: true, exitCode: 0 },
  { top: 'off', finding: 'info, by configuration', isFixed: false, exitCode: 0 },
  { environment: 'warning', finding: 'warning', isFixed: true, exitCode: 0 },
  { environment: 'off', finding: 'info, by configuration', isFixed: false, exitCode: 0 },
  { top: 'off', environment: 'error', finding: 'error', isFixed: true, exitCode: 1 },
  { top: 'off', environment: 'warning', finding: 'warning', isFixed: true, exitCode: 0 },
  { top: 'warning', environment: 'error', finding: 'error', isFixed: true, exitCode: 1 },
  { top: 'error', environment: 'off', finding: 'info, by configuration', isFixed: false, exitCode: 0 },
  { exempt: true, finding: 'info, exempt', isFixed: false, exitCode: 0 },
  { top: 'warning', exempt: true, finding: 'info, exempt', isFixed: false, exitCode: 0 },
  { top: 'off', exempt: true, finding: 'info, exempt', isFixed: false, exitCode: 0 },
  { never: true, finding: 'error', isFixed: true, exitCode: 1 },
  { never: true, exempt: true, finding: 'exemption error, error', isFixed: true, exitCode: 1 },
  { never: true, top: 'warning', finding: 'warning', isFixed: true, exitCode: 0 },
  { never: true, top: 'off', finding: 'info, by configuration', isFixed: false, exitCode: 0 },
  {
    never: true,
    top: 'off',
    exempt: true,
    finding: 'exemption error, info, by configuration',
    isFixed: false,
    exitCode: 1,
  },
  { never: true, environment: 'off', finding: 'info, by configuration', isFixed: false, exitCode: 0 },
];

const title = ({ top, environment, exempt, never }: (typeof TABLE)[number]) =>
  [
    `top ${top ?? 'unset'}`,
    `environment ${environment ?? 'unset'}`,
    exempt === true ? 'exempt' : 'not exempt',
    ...(never === true ? ['in neverExempt'] : []),
  ].join(', ');

const specOf = ({ top, environment, never }: (typeof TABLE)[number]) =>
  JSON.stringify({
    environment: 'overlays/dev',
    ...(top === undefined ? {} : { rules: { [RULE]: top } }),
    ...(environment === undefined
      ? {}
      : { environments: { 'overlays/dev': { rules: { [RULE]: environment } } } }),
    neverExempt: never === true ? [RULE] : [],
  });

function summary(own: readonly Result[]): string {
  return own
    .map(({ severity, message, tags }) => {
      if (tags?.rule === 'exemption') return `exemption ${severity}`;
      if (message.endsWith('; exempt: ticket 42')) return `${severity}, exempt`;
      return message.endsWith('; the configuration turns this rule off here')
        ? `${severity}, by configuration`
        : severity;
    })
    .join(', ');
}

describe('the precedence of relaxations', () => {
  describe('for a value that the author set', () => {
    it.each(TABLE.map((row) => [title(row), row] as const))('%s', async (_, row) => {
      const text = pod(row.exempt === true ? EXEMPT : {}, ', readOnlyRootFilesystem: false');
      const { exitCode, own } = await judge(text, specOf(row));
      expect({ exitCode, finding: summary(own) }).toEqual({ exitCode: row.exitCode, finding: row.finding });
    });
  });

  describe('for a value that is missing', () => {
    it.each(
      TABLE.filter(({ finding }) => !finding.includes('exemption')).map((row) => [title(row), row] as const),
    )('%s', async (_, row) => {
      const { exitCode, isFixed } = await judge(pod(row.exempt === true ? EXEMPT : {}, ''), specOf(row));
      expect({ exitCode, isFixed }).toEqual({ exitCode: 0, isFixed: row.isFixed });
    });
  });
});

it.each(['off', '"off"', 'false'])('a level %s means off', async (level) => {
  const { own } = await judge(pod({}, ', readOnlyRootFilesystem: false'), `{rules: {${RULE}: ${level}}}`);
  expect(summary(own)).toBe('info, by configuration');
});

it('allow still works, with a warning that says what to write', async () => {
  const spec = `{environment: overlays/dev, environments: {overlays/dev: {allow: [${RULE}]}}}`;
  const { exitCode, own, stderr } = await judge(pod({}, ', readOnlyRootFilesystem: false'), spec);
  expect(exitCode).toBe(0);
  expect(summary(own)).toBe('warning, info, by configuration');
  expect(stderr).toContain(
    `[warning] functionConfig: spec.environments.overlays/dev.allow is deprecated; write rules: {${RULE}: off}\n`,
  );
});

it('a level of rules goes before allow in the same environment', async () => {
  const spec = `{environment: overlays/dev, environments: {overlays/dev: {allow: [${RULE}], rules: {${RULE}: error}}}}`;
  const { exitCode } = await judge(pod({}, ', readOnlyRootFilesystem: false'), spec);
  expect(exitCode).toBe(1);
});

it.each([
  [
    'an unknown rule',
    '{rules: {no-such-rule: off}}',
    /functionConfig: spec\.rules\.no-such-rule is an unknown key; allowed: api-schema, pinned-image, /,
  ],
  [
    'an unknown level',
    '{rules: {pinned-image: info}}',
    /functionConfig: spec\.rules\.pinned-image must be one of "error", "warning", "off", false, found "info"\n/,
  ],
  [
    'an unknown rule in an environment',
    '{environments: {overlays/dev: {rules: {x: off}}}}',
    /spec\.environments\.overlays\/dev\.rules\.x is an unknown key; allowed: /,
  ],
  [
    'true',
    '{rules: {pinned-image: on}}',
    /spec\.rules\.pinned-image must be one of "error", "warning", "off", false, found true\n/,
  ],
])('%s is a configuration error', async (_, spec, expected) => {
  const { exitCode, stderr } = await judge(pod({}, ''), spec);
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(expected);
});
