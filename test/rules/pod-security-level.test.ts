import { parse } from 'yaml';
import type { Result } from '../../functions/guardrails/krm/result';
import { run } from '../../functions/guardrails/run';

/** A Deployment that restricted admits, with more fields of the pod and of its container. */
const deployment = (pod: string, securityContext = '') => `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
${pod === '' ? '' : `      ${pod}\n`}      containers:
      - name: web
        image: web:v1
        resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}
        securityContext: {readOnlyRootFilesystem: true${securityContext}}
        volumeMounts: [{name: scratch, mountPath: /tmp}]
      volumes: [{name: scratch, emptyDir: {}}]
`;
const RESTRICTED = 'securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}';
const CONTAINER = ', allowPrivilegeEscalation: false, capabilities: {drop: [ALL]';

async function judge(text: string, podSecurity: string) {
  const item = `- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`;
  const config = `functionConfig: {apiVersion: todo.example.com/v1alpha1, kind: Guardrails, spec: ${podSecurity}}\n`;
  const list = `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${item}${config}`;
  const { exitCode, stdout, stderr } = await run(Buffer.from(list), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  const { results = [] } = parse(stdout) as { results?: Result[] };
  const found = results
    .filter(({ tags, severity }) => tags?.rule !== 'network-policy' && severity !== 'info')
    .map(({ severity, tags, field }) => `${severity} ${tags?.rule ?? ''} ${field?.path ?? ''}`);
  const fixed = results.filter(({ severity }) => severity === 'info').map(({ field }) => field?.path);
  return { exitCode, stderr, found, fixed };
}

const SYSCTL = deployment(
  `${RESTRICTED}, sysctls: [{name: net.ipv4.tcp_keepalive_time, value: "60"}]}`,
  `${CONTAINER}}`,
);
const ROOT_IN_USER_NAMESPACE = deployment(
  `hostUsers: false\n      ${RESTRICTED.replace('true', 'false')}}`,
  `${CONTAINER}}`,
);
const PROBE = deployment(`${RESTRICTED}}`, `${CONTAINER}}`).replace(
  '        volumeMounts',
  '        livenessProbe: {tcpSocket: {port: 1, host: 10.0.0.1}}\n        volumeMounts',
);
const ENGINE = deployment(`${RESTRICTED}, seLinuxOptions: {type: container_engine_t}}`, `${CONTAINER}}`);
const TEMPLATE = 'spec.template.spec';

describe('the version of the standards', () => {
  it.each<[string, string, string, string, string]>([
    ['a sysctl, from v1.29', SYSCTL, 'v1.28', 'v1.29', `${TEMPLATE}.securityContext.sysctls[0].name`],
    [
      'an SELinux type, from v1.31',
      ENGINE,
      'v1.30',
      'v1.31',
      `${TEMPLATE}.securityContext.seLinuxOptions.type`,
    ],
    [
      'the host of a probe, up to v1.33',
      PROBE,
      'v1.34',
      'v1.33',
      `${TEMPLATE}.containers[0].livenessProbe.tcpSocket.host`,
    ],
  ])('%s', async (_, text, refusedBy, allowedBy, field) => {
    expect(await judge(text, `{podSecurity: {version: ${refusedBy}}}`)).toMatchObject({
      exitCode: 1,
      found: [`error pod-security ${field}`],
    });
    expect(await judge(text, `{podSecurity: {version: ${allowedBy}}}`)).toMatchObject({
      exitCode: 0,
      found: [],
    });
  });

  it('root in a user namespace, from v1.35', async () => {
    expect(await judge(ROOT_IN_USER_NAMESPACE, '{podSecurity: {version: v1.34}}')).toMatchObject({
      exitCode: 1,
      found: [`error run-as-non-root ${TEMPLATE}.securityContext.runAsNonRoot`],
    });
    for (const spec of ['{podSecurity: {version: v1.35}}', '{podSecurity: {version: latest}}', '{}'])
      expect(await judge(ROOT_IN_USER_NAMESPACE, spec)).toMatchObject({ exitCode: 0, found: [] });
  });

  it('an environment has its own', async () => {
    const spec = (version: string) =>
      `{podSecurity: {version: v1.28}, environment: overlays/dev, environments: {overlays/dev: {podSecurity: {${version}}}}}`;
    expect(await judge(SYSCTL, spec('version: v1.37'))).toMatchObject({ exitCode: 0, found: [] });
    expect(await judge(SYSCTL, spec('level: restricted'))).toMatchObject({ exitCode: 1 });
  });
});

describe('the level baseline', () => {
  const BASELINE = '{podSecurity: {level: baseline}}';

  it('hardens as restricted does', async () => {
    expect(await judge(deployment(''), BASELINE)).toMatchObject({
      exitCode: 0,
      found: [],
      fixed: [
        `${TEMPLATE}.securityContext.runAsNonRoot`,
        `${TEMPLATE}.securityContext.seccompProfile.type`,
        `${TEMPLATE}.containers[0].securityContext.allowPrivilegeEscalation`,
        `${TEMPLATE}.containers[0].securityContext.capabilities.drop`,
      ],
    });
  });

  it('reports as a warning what restricted alone refuses', async () => {
    const text = deployment(
      'securityContext: {runAsNonRoot: false, runAsUser: 0, seccompProfile: {type: RuntimeDefault}}',
      ', allowPrivilegeEscalation: true, capabilities: {drop: [NET_RAW], add: [CHOWN]}',
    ).replace('volumes: [', 'volumes: [{name: share, nfs: {server: a, path: /}}, ');
    const container = `${TEMPLATE}.containers[0].securityContext`;
    expect(await judge(text, BASELINE)).toMatchObject({
      exitCode: 0,
      found: [
        `warning run-as-non-root ${TEMPLATE}.securityContext.runAsNonRoot`,
        `warning run-as-non-root ${TEMPLATE}.securityContext.runAsUser`,
        `warning privilege-escalation ${container}.allowPrivilegeEscalation`,
        `warning capabilities ${container}.capabilities.add`,
        `warning pod-security ${TEMPLATE}.volumes[0].nfs`,
      ],
    });
    expect(await judge(text, '{}')).toMatchObject({ exitCode: 1 });
  });

  it('reports as an error what baseline refuses', async () => {
    const text = deployment(
      `hostPID: true\n      ${RESTRICTED.replace('RuntimeDefault', 'Unconfined')}}`,
      ', privileged: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL], add: [NET_RAW, CHOWN]}, procMount: Unmasked',
    ).replace('volumes: [', 'volumes: [{name: node, hostPath: {path: /}}, ');
    const container = `${TEMPLATE}.containers[0].securityContext`;
    const { exitCode, found } = await judge(text, BASELINE);
    expect({ exitCode, found }).toEqual({
      exitCode: 1,
      found: [
        `error seccomp-profile ${TEMPLATE}.securityContext.seccompProfile.type`,
        `error privilege-escalation ${container}.privileged`,
        `error capabilities ${container}.capabilities.add`,
        `error pod-security ${TEMPLATE}.hostPID`,
        `error pod-security ${TEMPLATE}.volumes[0].hostPath`,
        `error pod-security ${container}.procMount`,
      ],
    });
  });
});

it.each([
  [
    '{podSecurity: {version: 1.30}}',
    /spec\.podSecurity\.version must be one of "v1\.25", "v1\.26", .*"v1\.37", "latest", found the number 1\.3\n/,
  ],
  ['{podSecurity: {version: v1.38}}', /found "v1\.38"\n/],
  [
    '{podSecurity: {level: privileged}}',
    /spec\.podSecurity\.level must be one of "restricted", "baseline", found "privileged"\n/,
  ],
  ['{podSecurity: {mode: warn}}', /spec\.podSecurity\.mode is an unknown key; allowed: level, version\n/],
])('%s is a configuration error', async (spec, expected) => {
  const { exitCode, stderr } = await judge(deployment(''), spec);
  expect(exitCode).toBe(3);
  expect(stderr).toMatch(expected);
});
