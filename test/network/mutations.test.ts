import { parse } from 'yaml';
import type { Result } from '../../functions/guardrails/krm/result';
import { readWire } from '../../functions/guardrails/krm/wire';
import { printKrmResults } from '../../functions/guardrails/formats/krm-results';
import { judge } from '../../functions/guardrails/pipeline';
import { readConfig } from '../../functions/guardrails/config/read-config';
import { run } from '../../functions/guardrails/run';
import { type PackageFiles, repositoryFiles, resourceList, withEdit } from '../support/package-files';
import { findKustomizeForTests } from '../support/tools';

const PROD = 'overlays/prod/kustomization.yaml';

function kustomize() {
  return Promise.resolve(findKustomizeForTests());
}

/** The complete function, which adds missing fields and policies before it verifies. */
async function render(
  files: PackageFiles,
): Promise<{ exitCode: number; stdout: string; reported: string[] }> {
  const { exitCode, stdout } = await run(Buffer.from(resourceList(files)), kustomize);
  const { results = [] } = parse(stdout) as { results?: Result[] };
  const reported = results.map(lineOf).filter((line) => !line.startsWith('[info] judged: '));
  return { exitCode, stdout, reported };
}

/** The verification alone, of a package as it is. */
async function verified(files: PackageFiles): Promise<string[]> {
  const { items, functionConfig } = readWire(resourceList(files));
  const { findings } = await judge(items, readConfig(functionConfig), {
    findKustomize: kustomize,
    asIs: true,
  });
  return printKrmResults(findings, (text) => text).map(lineOf);
}

function lineOf({ severity, message }: Result): string {
  return `[${severity}] ${message}`;
}

/** Prod with one JSON 6902 operation on one of its policies. */
function patched(policy: string, operation: string): PackageFiles {
  const patch = `  - target: { kind: NetworkPolicy, name: ${policy} }\n    patch: |-\n      [${operation}]\n`;
  const files = repositoryFiles();
  return { ...files, [PROD]: `${files[PROD] ?? ''}${patch}` };
}

/** The index of the patch that `patched` adds. */
const ADDED_PATCH = (parse(repositoryFiles()[PROD] ?? '') as { patches: object[] }).patches.length;
/** Its line: the first after the end of the file. */
const ADDED_LINE = (repositoryFiles()[PROD] ?? '').split('\n').length;

const OF_TODO_APP = /^(?:default-deny|acme-solver|todo-backend|todo-frontend)$/;

test('the repository itself: no findings except where the configuration turns a rule off for dev', async () => {
  const { exitCode, reported } = await render(repositoryFiles());
  expect(exitCode).toBe(0);
  expect(reported.filter((line) => !line.startsWith('[info] overlays/dev: '))).toEqual([]);
  expect(
    reported.filter((line) => /\/(todo-backend|todo-frontend|backend-secrets) /.test(line)),
  ).toHaveLength(3);
});

describe("an overlay's patch of a generated policy is refused, with its name and the patch", () => {
  // The rules of todo-backend: from the ingress controller, from the frontend; to the internet, to DNS.
  const FROM_CONTROLLER = '/spec/ingress/0/from';
  const FROM_FRONTEND = '/spec/ingress/1';
  const TO_INTERNET = '/spec/egress/0';
  const TO_DNS = '/spec/egress/1';
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': 'ingress-nginx' } };
  const podSelector = {
    matchExpressions: [
      { key: 'app.kubernetes.io/name', operator: 'In', values: ['ingress-nginx'] },
      { key: 'app.kubernetes.io/component', operator: 'In', values: ['controller'] },
    ],
  };

  test.each<[string, string, object, string[]]>([
    [
      "a peer's two selectors in two entries: or",
      'todo-frontend',
      { op: 'replace', path: FROM_CONTROLLER, value: [{ namespaceSelector }, { podSelector }] },
      ['allows traffic from any pod in namespace ingress-nginx to Deployment/todo-frontend on TCP 3000'],
    ],
    [
      'one more value in an expression',
      'todo-frontend',
      { op: 'add', path: `${FROM_CONTROLLER}/0/podSelector/matchExpressions/0/values/-`, value: 'webhook' },
      [
        'allows traffic from pods with app.kubernetes.io/component=webhook, app.kubernetes.io/name=ingress-nginx in namespace ingress-nginx to Deployment/todo-frontend on TCP 3000',
      ],
    ],
    [
      "the Service's port for the pod's",
      'todo-backend',
      { op: 'replace', path: `${FROM_FRONTEND}/ports/0/port`, value: 80 },
      [
        'blocks required ingress traffic from Deployment/todo-frontend to Deployment/todo-backend on TCP port 8000',
        'allows traffic from Deployment/todo-frontend to Deployment/todo-backend on TCP 80',
      ],
    ],
    [
      'UDP 53 missing',
      'todo-backend',
      { op: 'remove', path: `${TO_DNS}/ports/0` },
      [
        'blocks required egress traffic from Deployment/todo-backend to DNS on UDP port 53',
        'blocks required egress traffic from Deployment/todo-backend to DNS (169.254.20.10) on UDP port 53',
      ],
    ],
    [
      'an empty list of peers: any source',
      'todo-backend',
      { op: 'replace', path: `${FROM_FRONTEND}/from`, value: [] },
      ['allows traffic from any source to Deployment/todo-backend on TCP 8000'],
    ],
    [
      'the unknown field _from',
      'todo-backend',
      { op: 'move', from: `${FROM_FRONTEND}/from`, path: `${FROM_FRONTEND}/_from` },
      ['has the unknown field spec.ingress[1]._from'],
    ],
    [
      'an egress rule without Egress in policyTypes',
      'todo-backend',
      { op: 'replace', path: '/spec/policyTypes', value: ['Ingress'] },
      ['has egress rules without effect: spec.policyTypes does not contain Egress'],
    ],
    [
      'a range that is not excepted any more',
      'todo-backend',
      { op: 'remove', path: `${TO_INTERNET}/to/0/ipBlock/except/0` },
      ['allows traffic from Deployment/todo-backend to 0.0.0.0 on TCP 443'],
    ],
    [
      'a range of the internet that is excepted',
      'todo-backend',
      { op: 'add', path: `${TO_INTERNET}/to/0/ipBlock/except/-`, value: '104.16.0.0/13' },
      [
        'blocks required egress traffic from Deployment/todo-backend to the internet (104.16.0.0) on TCP port 443',
      ],
    ],
    [
      'a longer range of ports',
      'todo-backend',
      { op: 'add', path: `${TO_INTERNET}/ports/0/endPort`, value: 65535 },
      ['allows traffic from Deployment/todo-backend to 1.0.0.0 on TCP 444'],
    ],
  ])('%s', async (_, policy, operation, findings) => {
    const files = patched(policy, JSON.stringify(operation));
    const { exitCode, reported } = await render(files);
    const errors = reported.filter((line) => line.startsWith('[error]'));
    expect(exitCode).toBe(1);
    for (const finding of findings)
      expect(errors).toContainEqual(
        expect.stringMatching(
          new RegExp(
            `^\\[error\\] overlays/prod: NetworkPolicy/${policy} ${escaped(finding)}.*\\(overlays/prod/kustomization\\.yaml:${ADDED_LINE}, patches\\[${ADDED_PATCH}\\]\\)`,
          ),
        ),
      );
    for (const line of errors) expect(line).toContain(`NetworkPolicy/${policy} `);
  });
});

const DEPLOYMENT = (name: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  selector:
    matchLabels:
      app: ${name}
  template:
    metadata:
      labels:
        app: ${name}
    spec:
      containers:
        - name: ${name}
          image: registry.example.com/${name}:v1
          ports:
            - name: http
              containerPort: 8080
`;
const SERVICE = (name: string) => `apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  selector:
    app: ${name}
  ports:
    - port: 80
      targetPort: http
`;
const ALLOW_ALL = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: allow-all
spec:
  podSelector: {}
  policyTypes:
    - Ingress
    - Egress
  ingress:
    - {}
  egress:
    - {}
`;

/** Prod with more resources and patches. */
function prodWith(resources: Readonly<Record<string, string>>, patches = ''): PackageFiles {
  const lines = Object.keys(resources).map((file) => `  - ${file}\n`);
  const files = withEdit(repositoryFiles(), PROD, 'images:\n', `${lines.join('')}images:\n`);
  const added = Object.entries(resources).map(([file, text]) => [`overlays/prod/${file}`, text] as const);
  const all = { ...files, ...Object.fromEntries(added) };
  return { ...all, [PROD]: `${all[PROD] ?? ''}${patches}` };
}

function json6902(kind: string, name: string, ...operations: object[]): string {
  return `  - target: { kind: ${kind}, name: ${name} }\n    patch: |-\n      ${JSON.stringify(operations)}\n`;
}

const TO_REPORT = json6902('Ingress', 'todo-ingress', {
  op: 'replace',
  path: '/spec/rules/0/http/paths/1/backend/service/name',
  value: 'report',
});

describe('a change of an overlay that the policies do not follow is reported', () => {
  const REPORT = { 'report.yaml': DEPLOYMENT('report'), 'report-service.yaml': SERVICE('report') };

  test.each<[string, PackageFiles, string[]]>([
    [
      'a workload that no policy allows traffic to, and the Ingress routed to its Service',
      prodWith(REPORT, TO_REPORT),
      [
        'NetworkPolicy/default-deny blocks required ingress traffic from the ingress controller to Deployment/report on TCP port 8080: Ingress/todo-ingress requires it',
        'NetworkPolicy/todo-frontend allows traffic from pods with app.kubernetes.io/component=controller, app.kubernetes.io/name=ingress-nginx in namespace ingress-nginx to Deployment/todo-frontend on TCP 3000',
      ],
    ],
    [
      'another port of the container and of the Service',
      prodWith(
        {},
        json6902('Deployment', 'todo-backend', {
          op: 'replace',
          path: '/spec/template/spec/containers/0/ports/0/containerPort',
          value: 8001,
        }) +
          json6902('Service', 'todo-backend', {
            op: 'replace',
            path: '/spec/ports/0/targetPort',
            value: 8001,
          }),
      ),
      [
        'NetworkPolicy/todo-backend blocks required ingress traffic from Deployment/todo-frontend to Deployment/todo-backend on TCP port 8001',
        'NetworkPolicy/todo-frontend blocks required egress traffic from Deployment/todo-frontend to Deployment/todo-backend on TCP port 8001',
        'NetworkPolicy/todo-backend blocks required ingress traffic from the ingress controller to Deployment/todo-backend on TCP port 8001',
        'NetworkPolicy/todo-backend allows traffic from pods with app.kubernetes.io/component=controller, app.kubernetes.io/name=ingress-nginx in namespace ingress-nginx to Deployment/todo-backend on TCP 8000',
        'NetworkPolicy/todo-frontend allows traffic from Deployment/todo-frontend to Deployment/todo-backend on TCP 8000',
      ],
    ],
    [
      'a renamed label',
      prodWith(
        {},
        json6902(
          'Deployment',
          'todo-backend',
          { op: 'replace', path: '/spec/selector/matchLabels/app', value: 'todo-api' },
          { op: 'replace', path: '/spec/template/metadata/labels/app', value: 'todo-api' },
        ) +
          json6902('Service', 'todo-backend', {
            op: 'replace',
            path: '/spec/selector/app',
            value: 'todo-api',
          }),
      ),
      [
        // The policies keep the names of their workloads.
        'NetworkPolicy/todo-backend blocks required ingress traffic from Deployment/todo-frontend to Deployment/todo-backend on TCP port 8000',
        'NetworkPolicy/todo-backend blocks required egress traffic from Deployment/todo-backend to the internet (1.0.0.0) on TCP port 443',
        'NetworkPolicy/todo-frontend blocks required egress traffic from Deployment/todo-frontend to Deployment/todo-backend on TCP port 8000',
        'NetworkPolicy/todo-backend allows traffic from pods with app.kubernetes.io/component=controller, app.kubernetes.io/name=ingress-nginx in namespace ingress-nginx to pods with app=todo-backend in namespace todo-prod on TCP 8000',
      ],
    ],
  ])('%s', async (_, files, findings) => {
    const errors = (await verified(files)).filter((line) => line.startsWith('[error]'));
    for (const finding of findings)
      expect(errors).toContainEqual(expect.stringContaining(`[error] overlays/prod: ${finding}`));
    // A render adds the missing policies, for prod only, so that no error about policies is left.
    const { reported } = await render(files);
    expect(reported.filter((line) => line.includes('NetworkPolicy/') && line.startsWith('[error]'))).toEqual(
      [],
    );
  });

  test.each<[string, PackageFiles, string]>([
    [
      'a missing Service',
      prodWith({}, TO_REPORT),
      'Ingress/todo-ingress refers to Service/report, which is not in the build',
    ],
    [
      'an unknown port name',
      prodWith(
        {},
        json6902('Service', 'todo-backend', {
          op: 'replace',
          path: '/spec/ports/0/targetPort',
          value: 'web',
        }),
      ),
      'Service/todo-backend has the targetPort web, which no container of Deployment/todo-backend has; Deployment/todo-frontend (env API_INTERNAL_URL) and Ingress/todo-ingress lead to it',
    ],
    [
      'a label that the Service does not select',
      prodWith(
        {},
        json6902('Deployment', 'todo-frontend', {
          op: 'replace',
          path: '/spec/template/metadata/labels/app',
          value: 'todo-web',
        }),
      ),
      'Service/todo-frontend selects no pods: Deployment/todo-frontend selects app: todo-frontend, and its pod template does not have that label; Ingress/todo-ingress leads to it',
    ],
  ])('%s: no policy can be generated', async (_, files, finding) => {
    const { exitCode, reported } = await render(files);
    expect(exitCode).toBe(1);
    expect(reported).toContainEqual(expect.stringContaining(`[error] overlays/prod: ${finding} `));
  });
});

describe('the policies file', () => {
  /** The comments of a ResourceList but that of prod's own policy. */
  const commentsOfBase = (stdout: string) =>
    commentsIn(stdout).filter((one) => one !== '# Ingress/todo-ingress -> solver of cert-manager');

  test('is generated again after it was deleted', async () => {
    const { 'base/network-policies.yaml': gone, ...files } = repositoryFiles();
    expect(await verified(files)).toEqual([
      '[error] overlays/dev, overlays/prod: base/kustomization.yaml: resources names base/network-policies.yaml, which is not in the package; remove the entry',
    ]);
    const { exitCode, stdout } = await render(files);
    expect(exitCode).toBe(0);
    expect(policiesIn(stdout, 'base/network-policies.yaml')).toEqual(
      (gone ?? '').split('---\n').map((document) => parse(document) as unknown),
    );
    expect(commentsOfBase(stdout)).toEqual(commentsIn(gone ?? ''));
  });

  test('has the reason of each rule as a comment, which is kept current', async () => {
    const files = repositoryFiles();
    const text = files['base/network-policies.yaml'] ?? '';
    // A workload that is added later has reasons of its own.
    const ofTodoApp = [
      '# Ingress/todo-ingress /api -> Service/todo-backend',
      '# Deployment/todo-frontend env API_INTERNAL_URL -> Service/todo-backend',
      '# annotation todo.example.com/internet-egress',
      '# DNS',
      '# Ingress/todo-ingress / -> Service/todo-frontend',
      '# Deployment/todo-frontend env API_INTERNAL_URL -> Service/todo-backend',
      '# DNS',
    ];
    expect(commentsIn(text).filter((one) => ofTodoApp.includes(one))).toEqual(ofTodoApp);
    const stale = text.replace('todo-ingress /api ->', 'todo-ingress /old ->').replace(/ +# DNS\n/, '');
    const { exitCode, stdout } = await render({ ...files, 'base/network-policies.yaml': stale });
    expect(exitCode).toBe(0);
    expect(commentsOfBase(stdout)).toEqual(commentsIn(text));
  });

  test('with a hand-written policy: it comes first and is kept when the others are generated again', async () => {
    const files = repositoryFiles();
    const [, ...ours] = (files['base/network-policies.yaml'] ?? '').split('---\n');
    const own = ALLOW_ALL.replace('name: allow-all', 'name: own');
    const mixed = [...ours, own].join('---\n');
    const first = await render({ ...files, 'base/network-policies.yaml': mixed });
    expect(first.exitCode).toBe(0);
    const names = policiesIn(first.stdout, 'base/network-policies.yaml').map(({ metadata }) => metadata.name);
    expect(names.slice(0, 2)).toEqual(['own', 'default-deny']);
    expect(names).toHaveLength(ours.length + 2);
  });

  test('of an overlay on an overlay does not repeat the policies of the lower one', async () => {
    const files = repositoryFiles();
    const eu = `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: todo-eu\nresources:\n  - ../prod\n`;
    const { exitCode, reported } = await render({ ...files, 'overlays/prod-eu/kustomization.yaml': eu });
    expect(reported.filter((line) => !line.includes('overlays/dev: '))).toEqual([]);
    expect(exitCode).toBe(0);
  });

  test('copied to another file with its label: refused', async () => {
    const { 'overlays/prod/network-policies.yaml': original = '' } = repositoryFiles();
    const copy = original.replace('name: acme-solver', 'name: copied-acme-solver');
    const { exitCode, reported } = await render(prodWith({ 'copied.yaml': copy }));
    expect(exitCode).toBe(1);
    expect(reported).toContain(
      '[error] NetworkPolicy/copied-acme-solver has the label todo.example.com/generated-by in a file that the function does not write (overlays/prod/copied.yaml); remove the label',
    );
  });

  test.each(['default-deny', 'todo-backend'])(
    'has another name for %s if a hand-written one has the name, which is kept',
    async (name) => {
      const deny = ALLOW_ALL.replace('allow-all', name).replace(/ {2}ingress:\n(.*\n)*/, '');
      const files = prodWith({ 'deny.yaml': deny });
      const first = await render(files);
      expect(first).toMatchObject({ exitCode: 0 });
      const names = policiesIn(first.stdout, 'base/network-policies.yaml').map(
        ({ metadata }) => metadata.name,
      );
      expect(names).toContain(`${name}-2`);
      expect(names).not.toContain(name);
      expect(policiesIn(first.stdout, 'overlays/prod/deny.yaml')).toHaveLength(1);
    },
  );

  test('loses a policy that nothing requires any more; the command that deletes it in a cluster is reported', async () => {
    const files = withEdit(repositoryFiles(), PROD, '  - path: add-ingress-tls.patch.yaml\n', '');
    const { exitCode, stdout, reported } = await render(files);
    expect(exitCode).toBe(0);
    expect(policiesIn(stdout, 'overlays/prod/network-policies.yaml')).toEqual([]);
    expect(reported).toContain(
      '[info] removed network policies stay in a cluster to which builds are applied without pruning; run `kubectl delete networkpolicy acme-solver` in each namespace that has them',
    );
  });

  test('that another file replaces: nobody is asked to delete a policy that the builds still have', async () => {
    const files = repositoryFiles();
    const dev = 'overlays/dev/kustomization.yaml';
    const labels = 'commonLabels:\n  env: dev\n';
    const { exitCode, stdout, reported } = await render({ ...files, [dev]: `${files[dev] ?? ''}${labels}` });
    expect(exitCode).toBe(0);
    for (const overlay of ['dev', 'prod'])
      expect(
        policiesIn(stdout, `overlays/${overlay}/network-policies.yaml`).map(({ metadata }) => metadata.name),
      ).toEqual(expect.arrayContaining(['todo-backend', 'todo-frontend']));
    expect(reported.filter((line) => line.includes('kubectl delete networkpolicy'))).toEqual([]);
  });
});

describe('pods without labels', () => {
  const pod = `apiVersion: v1\nkind: Pod\nmetadata:\n  name: bare\nspec:\n  containers:\n    - name: c\n      image: registry.example.com/c:v1\n`;
  const namespace = `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n`;
  const kustomization = (...resources: string[]) =>
    `apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nnamespace: shop\nresources: [${resources.join(', ')}]\n`;
  const errorsOf = async (files: PackageFiles) =>
    (await render(files)).reported.filter((line) => line.startsWith('[error]'));

  const error =
    '[error] .: Pod/bare has pods that no NetworkPolicy isolates for ingress and egress (pod.yaml:5); add a label of its own to the pod template, so that a NetworkPolicy can select the pods';

  test('are an error', async () => {
    expect(await errorsOf({ 'kustomization.yaml': kustomization('pod.yaml'), 'pod.yaml': pod })).toEqual([
      error,
    ]);
  });

  test('are one in a namespace of the build too: a default deny would close their DNS', async () => {
    const files = { 'kustomization.yaml': kustomization('pod.yaml', 'namespace.yaml'), 'pod.yaml': pod };
    expect(await errorsOf({ ...files, 'namespace.yaml': namespace })).toEqual([error]);
  });

  test('are isolated by hand-written policies that select every pod and allow DNS', async () => {
    const policies = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: dns-alone
spec:
  podSelector: {}
  policyTypes:
    - Ingress
    - Egress
  egress:
    - ports:
        - port: 53
          protocol: UDP
        - port: 53
          protocol: TCP
`;
    const files = { 'kustomization.yaml': kustomization('pod.yaml', 'policies.yaml'), 'pod.yaml': pod };
    expect(await errorsOf({ ...files, 'policies.yaml': policies })).toEqual([]);
  });
});

test('a hand-written policy that allows all traffic is reported and kept', async () => {
  const files = prodWith({ 'allow-all.yaml': ALLOW_ALL });
  const { exitCode, reported } = await render(files);
  expect(exitCode).toBe(0);
  expect(reported).toContainEqual(
    expect.stringContaining(
      '[warning] overlays/prod: NetworkPolicy/allow-all lets every source connect to Deployment/todo-backend, Deployment/todo-frontend',
    ),
  );
});

describe('labels that kustomize adds to selectors and that external peers do not have', () => {
  const peerIn = (namespace: string, labels: readonly (readonly [string, string])[]) => ({
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    podSelector: {
      matchExpressions: labels.map(([key, value]) => ({ key, operator: 'In', values: [value] })),
    },
  });

  test.each<[string, string, string]>([
    ['commonLabels of an overlay', 'overlays/dev/kustomization.yaml', 'commonLabels:\n  env: dev\n'],
    ['commonLabels of the base', 'base/kustomization.yaml', 'commonLabels:\n  env: all\n'],
    [
      'labels with includeSelectors',
      'base/kustomization.yaml',
      'labels:\n  - pairs:\n      env: all\n    includeSelectors: true\n',
    ],
  ])('%s: the policies still select the peers, and a second run changes nothing', async (_, file, labels) => {
    const files = repositoryFiles();
    const first = await render({ ...files, [file]: `${files[file] ?? ''}${labels}` });
    expect(first.reported.filter((line) => line.startsWith('[error]'))).toEqual([]);
    expect(first.exitCode).toBe(0);
    expect(externalPeersIn(first.stdout)).toEqual([
      peerIn('ingress-nginx', [
        ['app.kubernetes.io/component', 'controller'],
        ['app.kubernetes.io/name', 'ingress-nginx'],
      ]),
      peerIn('kube-system', [['k8s-app', 'kube-dns']]),
    ]);
    const second = await run(Buffer.from(first.stdout), kustomize);
    expect(itemsIn(second.stdout)).toEqual(itemsIn(first.stdout));
  });
});

describe('an overlay for which network-policy is off', () => {
  const withRuleOff = (more: string) =>
    withEdit(
      repositoryFiles(),
      'base/guardrails.yaml',
      '        plain-secret: off\n',
      `        plain-secret: off\n        network-policy: off\n${more}`,
    );
  const namesIn = (stdout: string, file: string) =>
    policiesIn(stdout, file).map(({ metadata }) => metadata.name);

  test('has no policies: those of the others move to where it does not build them', async () => {
    const { exitCode, stdout, reported } = await render(withRuleOff(''));
    expect(reported.filter((line) => line.startsWith('[error]'))).toEqual([]);
    expect(exitCode).toBe(0);
    expect(namesIn(stdout, 'base/network-policies.yaml')).toEqual([]);
    expect(namesIn(stdout, 'overlays/dev/network-policies.yaml')).toEqual([]);
    const names = namesIn(stdout, 'overlays/prod/network-policies.yaml');
    // A workload that is added later has policies of its own.
    expect(names.filter((name) => OF_TODO_APP.test(name))).toEqual([
      'default-deny',
      'acme-solver',
      'todo-backend',
      'todo-frontend',
    ]);
  });

  test('and if it is off for all: no policies are left', async () => {
    const { exitCode, stdout } = await render(
      withRuleOff('    overlays/prod:\n      rules:\n        network-policy: off\n'),
    );
    expect(exitCode).toBe(0);
    for (const place of ['base', 'overlays/dev', 'overlays/prod'])
      expect(namesIn(stdout, `${place}/network-policies.yaml`)).toEqual([]);
    expect(stdout).not.toContain('- network-policies.yaml');
  });
});

describe('a Service that is exposed outside the cluster', () => {
  const PUBLIC = (type: string) =>
    `apiVersion: v1\nkind: Service\nmetadata:\n  name: public\nspec:\n  type: ${type}\n  selector:\n    app: todo-frontend\n  ports:\n    - port: 80\n      targetPort: 3000\n`;
  const OPEN = ALLOW_ALL.replace(
    'podSelector: {}',
    'podSelector:\n    matchLabels:\n      app: todo-frontend',
  )
    .replace('    - Egress\n', '')
    .replace(
      / {2}ingress:\n(.*\n)*/,
      '  ingress:\n    - from:\n        - ipBlock:\n            cidr: 0.0.0.0/0\n      ports:\n        - port: 3000\n',
    );
  const isOfProd = (line: string) => !line.startsWith('[info] ') && !line.includes('overlays/dev: ');

  test.each(['LoadBalancer', 'NodePort'])(
    '%s: an error, because its clients are not known, and nothing isolates the pods for ingress',
    async (type) => {
      const files = prodWith({ 'public.yaml': PUBLIC(type) });
      const line = `overlays/prod: Deployment/todo-frontend is not isolated for ingress: Service/public is of type ${type} (base/frontend/frontend-deployment.yaml:7); name its clients in todo.example.com/accepts-from, such as NAMESPACE/app=client:3000 or 10.0.0.0/8:3000, or none`;
      const refused = await render(files);
      expect({ ...refused, reported: refused.reported.filter(isOfProd) }).toMatchObject({
        exitCode: 1,
        reported: [`[error] ${line}`],
      });
      const environments = 'environments:\n';
      const unresolved = `${environments}    overlays/prod:\n      network:\n        unresolved: warning\n`;
      const lowered = await render(withEdit(files, 'base/guardrails.yaml', environments, unresolved));
      expect({ ...lowered, reported: lowered.reported.filter(isOfProd) }).toMatchObject({
        exitCode: 0,
        reported: [`[warning] ${line}`],
      });
      const typesIn = (file: string) =>
        policiesIn(lowered.stdout, file).map(({ metadata: { name }, spec }) => [name, spec.policyTypes]);
      expect(typesIn('base/network-policies.yaml')).toEqual([
        ['todo-backend', ['Ingress', 'Egress']],
        ['todo-frontend', ['Egress']],
      ]);
      // What is known in dev alone.
      expect(typesIn('overlays/dev/network-policies.yaml')).toEqual([
        ['default-deny', ['Ingress', 'Egress']],
        ['todo-frontend-dev', ['Ingress']],
      ]);
    },
  );

  test('with a policy that allows clients: no finding', async () => {
    const { exitCode, reported } = await render(
      prodWith({ 'public.yaml': PUBLIC('LoadBalancer'), 'open.yaml': OPEN }),
    );
    expect({ exitCode, reported: reported.filter(isOfProd) }).toEqual({ exitCode: 0, reported: [] });
  });

  test('that an Ingress refers to: no warning', async () => {
    const files = repositoryFiles();
    const service = withEdit(
      files,
      'base/frontend/frontend-service.yaml',
      'type: ClusterIP',
      'type: NodePort',
    );
    const { exitCode, reported } = await render(service);
    expect(exitCode).toBe(0);
    expect(
      reported.filter((line) => line.startsWith('[warning]') && !line.includes('overlays/dev: ')),
    ).toEqual([]);
  });
});

interface PolicyItem {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Record<string, string> };
  readonly spec: Readonly<Partial<Record<'ingress' | 'egress', readonly PolicyRule[]>>> & {
    readonly policyTypes: readonly string[];
  };
}

interface PolicyRule {
  readonly from?: readonly object[];
  readonly to?: readonly object[];
}

function itemsIn(stdout: string): unknown {
  return (parse(stdout) as { items: unknown }).items;
}

/** The items of a file in a ResourceList, without their annotations. */
function policiesIn(stdout: string, file: string): PolicyItem[] {
  const { items } = parse(stdout) as { items: PolicyItem[] };
  return items
    .filter(({ metadata }) => metadata.annotations?.['internal.config.kubernetes.io/path'] === file)
    .map(({ metadata, ...item }) => {
      const { annotations, ...rest } = metadata;
      return { ...item, metadata: annotations === undefined ? metadata : rest };
    });
}

/** The peers in other namespaces that the policies of a ResourceList name, each once. */
function externalPeersIn(stdout: string): unknown[] {
  const { items } = parse(stdout) as { items: PolicyItem[] };
  const policies = items.filter(({ kind }) => kind === 'NetworkPolicy');
  const peers = policies
    .flatMap(({ spec: { ingress = [], egress = [] } }) => [...ingress, ...egress])
    .flatMap(({ from = [], to = [] }) => [...from, ...to])
    .filter((peer) => 'namespaceSelector' in peer);
  return [...new Set(peers.map((peer) => JSON.stringify(peer)))]
    .sort()
    .map((one) => JSON.parse(one) as unknown);
}

/** The comments above rules of policies, in a file or in a ResourceList. */
function commentsIn(text: string): string[] {
  return [...text.matchAll(/^ +(# .*)\n +- (?:from|to):$/gm)].map(([, comment = '']) => comment);
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
