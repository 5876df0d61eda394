// Times whole processes, in turn with what they are compared to, and prints medians and ratios. `npm run bench`, or
// `npm run bench -- growth` for growth.mjs alone.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { benchGrowth } from './growth.mjs';

const WORKLOADS = 1000;
const ROOT = path.resolve(import.meta.dirname, '../..');
const FUNCTION = path.join(ROOT, 'dist/guardrails.js');
const NODE = process.execPath;

const scratch = mkdtempSync(path.join(tmpdir(), 'bench-'));
try {
  spawnSync(NODE, [path.join(ROOT, 'functions/build.mjs')], { stdio: 'inherit' });
  const empty = path.join(scratch, 'empty.js');
  const identity = path.join(scratch, 'identity.js');
  writeFileSync(empty, '');
  writeFileSync(
    identity,
    `require(${JSON.stringify(path.join(ROOT, 'node_modules/kpt-functions'))}).run(async () => {});`,
  );
  if (process.argv[2] !== 'growth') {
    benchStart(empty, identity);
    benchNetwork(empty, identity);
  }
  // Some of the objects are refused: exit 1.
  benchGrowth((input) => timed(() => spawnSync(NODE, [FUNCTION], { input, maxBuffer: 1 << 30 })));
} finally {
  rmSync(scratch, { recursive: true });
}

/** Ten Deployments, as they are written and as they are hardened, beside the function of kpt-functions that does nothing. */
function benchStart(empty, identity) {
  const bare = Array.from({ length: 10 }, (_, i) => bareDeployment(i));
  const hardened = Array.from({ length: 10 }, (_, i) => deployment(i));
  const inputs = {
    '10 bare Deployments': bare.join('---\n'),
    '10 hardened Deployments': hardened.join('---\n'),
    '10 bare Deployments in a ResourceList': resourceList({ 'app.yaml': bare.join('---\n') }),
    '10 hardened Deployments in a ResourceList': resourceList({ 'app.yaml': hardened.join('---\n') }),
  };
  const list = inputs['10 hardened Deployments in a ResourceList'];
  const times = inTurn(15, {
    'an empty node process': () => start(empty, ''),
    ...Object.fromEntries(
      Object.entries(inputs).map(([what, input]) => [what, () => start(FUNCTION, input)]),
    ),
    'the same, through a function of kpt-functions that does nothing': () => start(identity, list),
  });
  print(times, 'an empty node process');
}

/**
 * A package of 1,000 Deployments and Services, each behind the Ingress, calling the next and the internet: the function
 * makes a policy for each. Then they are read, compared with what is needed, and verified, with a kustomize that
 * prints the files as they are.
 */
function benchNetwork(empty, identity) {
  const resources = Array.from({ length: WORKLOADS }, (_, i) => [deployment(i), service(i)]).flat();
  const files = {
    'base/kustomization.yaml': 'resources:\n  - app.yaml\n  - network-policies.yaml\n',
    'base/app.yaml': [...resources, ingress()].join('---\n'),
  };
  const bin = path.join(scratch, 'bin');
  mkdirSync(bin);
  const printFiles = `#!/bin/sh\ncd "$2" && /bin/cat app.yaml && echo --- && /bin/cat network-policies.yaml\n`;
  writeFileSync(path.join(bin, 'kustomize'), printFiles, { mode: 0o755 });
  const run = (input) => start(FUNCTION, input, { PATH: bin });

  const policies = itemsOf(run(resourceList(files)), 'base/network-policies.yaml');
  const all = { ...files, 'base/network-policies.yaml': policies.join('---\n') };
  const input = resourceList(all);
  const base = path.join(scratch, 'base');
  mkdirSync(base);
  for (const [file, text] of Object.entries(all)) writeFileSync(path.join(scratch, file), text);
  const hasKustomize = spawnSync('kustomize', ['version']).status === 0;
  const times = inTurn(5, {
    'an empty node process': () => start(empty, ''),
    [`${WORKLOADS} workloads, ${WORKLOADS} Services, ${policies.length} policies`]: () => run(input),
    'the same, through a function of kpt-functions that does nothing': () => start(identity, input),
    ...(hasKustomize
      ? { "kustomize's own time for it": () => succeed('kustomize', ['build', base], '') }
      : {}),
  });
  print(times, 'an empty node process');
  if (!hasKustomize) process.stdout.write("kustomize's own time for it: no kustomize on PATH\n");
}

function start(program, input, env = process.env) {
  return succeed(NODE, [program], input, env);
}

function succeed(command, args, input, env = process.env) {
  const { status, stdout, stderr } = spawnSync(command, args, {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env,
  });
  if (status !== 0) throw new Error(`${command}: exit ${status}: ${stderr.slice(0, 2000)}`);
  return stdout;
}

/** Medians in seconds of whole processes, each run once a round, after a round that does not count. */
function inTurn(rounds, commands) {
  const times = Object.fromEntries(Object.keys(commands).map((what) => [what, []]));
  for (let round = 0; round <= rounds; round++)
    for (const [what, command] of Object.entries(commands)) {
      const time = timed(command);
      if (round > 0) times[what].push(time);
    }
  return Object.fromEntries(
    Object.entries(times).map(([what, all]) => [what, all.sort((a, b) => a - b)[rounds >> 1]]),
  );
}

function timed(command) {
  const from = process.hrtime.bigint();
  command();
  return Number(process.hrtime.bigint() - from) / 1e9;
}

function print(times, yardstick) {
  for (const [what, time] of Object.entries(times))
    process.stdout.write(
      `${time.toFixed(3)} s  ${(time / times[yardstick]).toFixed(2).padStart(6)} x  ${what}\n`,
    );
  process.stdout.write('\n');
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

function bareDeployment(i) {
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
      containers:
        - name: app
          image: registry.example.com/app-${i}:v1
          ports:
            - containerPort: 8080
          env:
            - name: NEXT_URL
              value: http://app-${(i + 1) % WORKLOADS}
`;
}

function deployment(i) {
  const pod = `      securityContext:
        runAsNonRoot: true
        seccompProfile:
          type: RuntimeDefault
      automountServiceAccountToken: false
`;
  const container = `          securityContext:
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
  return bareDeployment(i).replace('      containers:\n', `${pod}      containers:\n`) + container;
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
