// Times whole processes, in turn with what they are compared to, and prints medians and ratios. `npm run bench`.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');
const FUNCTION = path.join(ROOT, 'dist/guardrails.js');
const WORKLOADS = 1000;
const ROUNDS = 5;

const scratch = mkdtempSync(path.join(tmpdir(), 'bench-'));
try {
  spawnSync(process.execPath, [path.join(ROOT, 'functions/build.mjs')], { stdio: 'inherit' });
  benchNetwork();
} finally {
  rmSync(scratch, { recursive: true });
}

/**
 * A package of 1,000 Deployments and Services, each behind the Ingress, calling the next and the internet: the function
 * makes five policies for each. Then they are read, compared with what is needed, and verified, with a kustomize that
 * prints the files as they are.
 */
function benchNetwork() {
  const resources = Array.from({ length: WORKLOADS }, (_, i) => [deployment(i), service(i)]).flat();
  const files = {
    'base/kustomization.yaml': 'resources:\n  - app.yaml\n  - network-policies.yaml\n',
    'base/app.yaml': [...resources, ingress()].join('---\n'),
  };
  const policies = itemsOf(run(resourceList(files)), 'base/network-policies.yaml');
  const input = resourceList({ ...files, 'base/network-policies.yaml': policies.join('---\n') });
  const times = { function: [], node: [] };
  for (let round = 0; round < ROUNDS; round++) {
    times.function.push(timed(() => run(input)));
    times.node.push(timed(() => spawnSync(process.execPath, ['-e', '0'])));
  }
  const [ours, empty] = [median(times.function), median(times.node)];
  print(
    `${WORKLOADS} workloads, ${WORKLOADS} Services, ${policies.length} policies (${(input.length / 1e6).toFixed(1)} MB)`,
    `${seconds(ours)} (${(ours / empty).toFixed(1)} x an empty node process, ${seconds(empty)})`,
  );
}

/** The function over a package, with a kustomize that prints the files of a folder as they are. */
function run(input) {
  const bin = path.join(scratch, 'bin');
  mkdirSync(bin, { recursive: true });
  const print = `#!/bin/sh\ncd "$2" && /bin/cat app.yaml && echo --- && /bin/cat network-policies.yaml\n`;
  writeFileSync(path.join(bin, 'kustomize'), print);
  chmodSync(path.join(bin, 'kustomize'), 0o755);
  const { status, stdout, stderr } = spawnSync(process.execPath, [FUNCTION], {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { PATH: bin },
  });
  if (status !== 0) throw new Error(`exit ${status}: ${stderr.slice(0, 2000)}`);
  return stdout;
}

function timed(work) {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

function seconds(value) {
  return `${value.toFixed(2)} s`;
}

function print(what, figure) {
  process.stdout.write(`${what}: ${figure}\n`);
}

function resourceList(files) {
  const items = Object.entries(files).flatMap(([file, text]) =>
    text.split('---\n').map((document, index) => {
      const wire = `    internal.config.kubernetes.io/path: ${file}\n    internal.config.kubernetes.io/index: '${index}'\n`;
      const annotated = document.includes('  annotations:\n')
        ? document.replace('  annotations:\n', `  annotations:\n${wire}`)
        : document.includes('metadata:\n')
          ? document.replace('metadata:\n', `metadata:\n  annotations:\n${wire}`)
          : `${document}metadata:\n  annotations:\n${wire}`;
      return `- ${annotated.trimEnd().replaceAll('\n', '\n  ')}\n`;
    }),
  );
  return `apiVersion: config.kubernetes.io/v1\nkind: ResourceList\nitems:\n${items.join('')}`;
}

/** The documents of a file in a ResourceList, as the function adds them. */
function itemsOf(list, file) {
  return list
    .split(/^- /m)
    .filter((item) => item.includes(`internal.config.kubernetes.io/path: ${file}\n`))
    .map((item) =>
      item
        .replace(/\nfunctionConfig:(.*\n)*/, '\n')
        .replace(/\nresults:\n(.*\n)*/, '\n')
        .replace(/^ {2}/gm, '')
        .replace(/^ {2}annotations:\n( {4}internal.*\n)+/m, ''),
    );
}

function deployment(i) {
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-${i}
  annotations:
    todo.example.com/internet-egress: '443'
spec:
  selector:
    matchLabels:
      app: app-${i}
  template:
    metadata:
      labels:
        app: app-${i}
    spec:
      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      automountServiceAccountToken: false
      containers:
        - name: app
          image: registry.example.com/app-${i}:v1
          ports:
            - containerPort: 8080
          env:
            - name: NEXT_URL
              value: http://app-${(i + 1) % WORKLOADS}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop:
                - ALL
            readOnlyRootFilesystem: true
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              cpu: 500m
              memory: 512Mi
          volumeMounts:
            - name: guardrails-tmp
              mountPath: /tmp
      volumes:
        - name: guardrails-tmp
          emptyDir:
            sizeLimit: 64Mi
`;
}

function service(i) {
  return `apiVersion: v1
kind: Service
metadata:
  name: app-${i}
spec:
  selector:
    app: app-${i}
  ports:
    - port: 80
      targetPort: 8080
`;
}

function ingress() {
  const paths = Array.from(
    { length: WORKLOADS },
    (_, i) => `          - path: /app-${i}
            pathType: Prefix
            backend:
              service:
                name: app-${i}
                port:
                  number: 80
`,
  );
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: apps
spec:
  rules:
    - http:
        paths:
${paths.join('')}`;
}
