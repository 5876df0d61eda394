// Writes verdicts.json: what a real API server says on each object under each policy. Usage: see README.md.
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAllDocuments } from 'yaml';

const HERE = import.meta.dirname;
const BINARIES = process.argv[2];
const POLICIES = 'admissionregistration.k8s.io/v1';
const RESOURCES = {
  Ingress: 'ingresses',
  NetworkPolicy: 'networkpolicies',
  PriorityClass: 'priorityclasses',
  IngressClass: 'ingressclasses',
  ValidatingAdmissionPolicy: 'validatingadmissionpolicies',
};
const CLUSTER_SCOPED = new Set(['Namespace', 'PriorityClass', 'IngressClass']);
const FAILURES = 'validation.policy.admission.k8s.io/validation_failure';
const AUDIT_POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    verbs: [create]
`;

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'admission-policies-'));
const processes = [];
let agent;
let port;
try {
  await start();
  await record();
} finally {
  await Promise.all(processes.map(end));
  fs.rmSync(folder, { recursive: true, force: true });
}

async function record() {
  for (const made of read('cluster.yaml')) await create(made);
  for (const namespace of (await send('GET', '/api/v1/namespaces')).body.items.map(
    (item) => item.metadata.name,
  )) {
    await create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } });
  }
  const objects = read('objects.yaml');
  const names = objects.map(nameOf);
  if (new Set(names).size !== names.length) throw new Error('two objects have the same name');
  const refused = (await verdicts(objects, undefined)).flatMap((verdict, i) =>
    verdict.allowed ? [] : [`${names[i]}: ${verdict.message}`],
  );
  if (refused.length > 0) throw new Error(`invalid without any policy:\n${refused.join('\n')}`);

  const files = fs.readdirSync(path.join(HERE, 'policies')).sort();
  const sets = files.map((file) => read(path.join('policies', file)));
  const isPolicy = (document) => document.kind.startsWith('ValidatingAdmissionPolicy');
  for (const parameter of sets.flat().filter((document) => !isPolicy(document))) await create(parameter);

  const found = [];
  for (const set of sets) {
    const documents = set.filter(isPolicy);
    const { name } = documents.find((document) => document.kind === 'ValidatingAdmissionPolicy').metadata;
    for (const document of documents) await create(document);
    const sentinel = await activation(found.length);
    found.push([name, await verdicts(objects, name)]);
    for (const document of [...documents, ...sentinel]) await remove(document);
  }
  const version = (await send('GET', '/version')).body.gitVersion;
  await Promise.all(processes.map(end));
  addAudits(found);
  write(version, names, found);
  summarize(objects, found);
}

/** The API server takes up policies and bindings in the order of their creation: a last one tells of those before it. */
async function activation(number) {
  const name = `sentinel-${number}`;
  const sentinel = [
    {
      apiVersion: POLICIES,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: {
          resourceRules: [
            {
              apiGroups: [''],
              apiVersions: ['v1'],
              operations: ['CREATE'],
              resources: ['configmaps'],
              resourceNames: [name],
            },
          ],
        },
        validations: [{ expression: 'false', message: name }],
      },
    },
    {
      apiVersion: POLICIES,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Deny'] },
    },
  ];
  for (const document of sentinel) await create(document);
  const probe = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'kube-public' } };
  for (let tries = 0; tries < 300; tries += 1) {
    const { body } = await post(probe, true);
    if (body.message?.includes(`'${name}' with binding '${name}'`)) return sentinel;
    await sleep(100);
  }
  throw new Error(`${name} does not become active`);
}

async function verdicts(objects, policy) {
  const found = new Array(objects.length);
  let next = 0;
  const worker = async () => {
    while (next < objects.length) {
      const index = next;
      next += 1;
      found[index] = await verdict(objects[index], policy);
    }
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return found;
}

async function verdict(object, policy) {
  const answer = await post(object, true);
  const warnings = answer.warnings.flatMap((text) => {
    const match = /^Validation failed for ValidatingAdmissionPolicy '(.*?)' with binding '.*?': (.*)$/s.exec(
      text,
    );
    return match?.[1] === policy ? [match[2]] : [];
  });
  if (answer.status === 201) return { audit: answer.audit, allowed: true, warnings };
  const { message, reason } = answer.body;
  const denial = /ValidatingAdmissionPolicy '(.*?)'(?: with binding '(.*?)')? denied request: (.*)$/s.exec(
    message,
  );
  if (policy === undefined || denial?.[1] !== policy) {
    if (policy === undefined) return { allowed: false, message };
    throw new Error(`${nameOf(object)}: ${message}`);
  }
  return { audit: answer.audit, allowed: false, binding: denial[2], reason, message: denial[3], warnings };
}

/** The identifiers of requests become what the audit log says on them. */
function addAudits(found) {
  const lines = fs.readFileSync(path.join(folder, 'audit.log'), 'utf8').trimEnd().split('\n');
  const failures = new Map(
    lines.map((line) => {
      const event = JSON.parse(line);
      return [event.auditID, JSON.parse(event.annotations?.[FAILURES] ?? '[]')];
    }),
  );
  for (const [, list] of found) {
    for (const one of list) {
      if (!failures.has(one.audit)) throw new Error('a request is not in the audit log');
      one.audit = failures.get(one.audit).map((failure) => failure.message);
    }
  }
}

function write(version, names, found) {
  const policies = found.map(([policy, list]) => {
    const lines = list.flatMap(({ allowed, binding, reason, message, warnings, audit }, index) => {
      if (allowed && warnings.length + audit.length === 0) return [];
      const said = { allowed, binding, reason, message };
      if (warnings.length > 0) said.warnings = warnings;
      if (audit.length > 0) said.audit = audit;
      return [`      ${JSON.stringify(names[index])}: ${JSON.stringify(said)}`];
    });
    return `    ${JSON.stringify(policy)}: {\n${lines.join(',\n')}\n    }`;
  });
  const evaluated = names.map((name) => `    ${JSON.stringify(name)}`).join(',\n');
  fs.writeFileSync(
    path.join(HERE, 'verdicts.json'),
    `{\n  "kubernetes": ${JSON.stringify(version)},\n  "objects": [\n${evaluated}\n  ],\n` +
      `  "verdicts": {\n${policies.join(',\n')}\n  }\n}\n`,
  );
}

/** Of the kinds that a policy speaks on: how many objects it refuses, warns of, audits, and lets pass. */
function summarize(objects, found) {
  for (const [policy, list] of found) {
    const silent = (one) => one.allowed && one.warnings.length + one.audit.length === 0;
    const kinds = new Set(objects.filter((_, i) => !silent(list[i])).map((object) => object.kind));
    const of = list.filter((_, i) => kinds.has(objects[i].kind));
    const texts = new Set(of.flatMap((one) => [one.message ?? [], one.warnings, one.audit].flat()));
    const refused = of.filter((one) => !one.allowed).length;
    const warned = of.filter((one) => one.warnings.length > 0).length;
    const audited = of.filter((one) => one.audit.length > 0).length;
    const passed = of.filter(silent).length;
    console.log(
      `${policy}: ${refused} refused, ${warned} warned, ${audited} audited, ${passed} passed; ${texts.size} texts`,
    );
  }
}

async function start() {
  const run = (...args) =>
    execFileSync('openssl', args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  const certificate = (name, subject, extension) => {
    run(
      'req',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      `${name}.key`,
      '-out',
      `${name}.csr`,
      '-subj',
      subject,
    );
    fs.writeFileSync(path.join(folder, `${name}.ext`), extension);
    const ca = [
      '-CA',
      'ca.crt',
      '-CAkey',
      'ca.key',
      '-CAcreateserial',
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
    ];
    run('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, ...ca);
  };
  run(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'ca.key',
    '-out',
    'ca.crt',
    '-subj',
    '/CN=ca',
  );
  certificate('server', '/CN=kube-apiserver', 'subjectAltName=IP:127.0.0.1,DNS:localhost\n');
  certificate('client', '/O=system:masters/CN=admin', 'extendedKeyUsage=clientAuth\n');
  run('genrsa', '-out', 'accounts.key', '2048');
  fs.writeFileSync(path.join(folder, 'audit.yaml'), AUDIT_POLICY);

  const [clients, peers, secure] = await freePorts(3);
  port = secure;
  const etcd = `http://127.0.0.1:${clients}`;
  const peer = `http://127.0.0.1:${peers}`;
  launch('etcd', [
    ...['--data-dir', 'etcd', '--listen-client-urls', etcd, '--advertise-client-urls', etcd],
    ...[
      '--listen-peer-urls',
      peer,
      '--initial-advertise-peer-urls',
      peer,
      '--initial-cluster',
      `default=${peer}`,
    ],
    '--unsafe-no-fsync',
  ]);
  launch('kube-apiserver', [
    `--etcd-servers=${etcd}`,
    `--secure-port=${port}`,
    ...['--bind-address=127.0.0.1', '--tls-cert-file=server.crt', '--tls-private-key-file=server.key'],
    ...['--client-ca-file=ca.crt', '--service-account-key-file=accounts.key'],
    ...['--service-account-signing-key-file=accounts.key', '--authorization-mode=Node,RBAC'],
    ...['--service-account-issuer=https://kubernetes.default.svc', '--service-cluster-ip-range=10.96.0.0/16'],
    ...['--audit-policy-file=audit.yaml', '--audit-log-path=audit.log', '--audit-log-maxsize=1000'],
    ...[
      '--max-requests-inflight=0',
      '--max-mutating-requests-inflight=0',
      '--enable-priority-and-fairness=false',
    ],
  ]);
  const [ca, cert, key] = ['ca.crt', 'client.crt', 'client.key'].map((f) =>
    fs.readFileSync(path.join(folder, f)),
  );
  agent = new https.Agent({ ca, cert, key, keepAlive: true, maxSockets: 8 });
  for (let tries = 0; tries < 600; tries += 1) {
    const ended = processes.find((one) => one.exitCode !== null);
    if (ended) throw new Error(`${ended.spawnfile} ended:\n${ended.log.slice(-2000)}`);
    const answer = await send('GET', '/readyz').catch(() => undefined);
    if (answer?.status === 200) return;
    await sleep(200);
  }
  throw new Error('the API server does not become ready');
}

function launch(name, args) {
  const program = BINARIES === undefined ? name : path.resolve(BINARIES, name);
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  child.log = '';
  child.stderr.on('data', (data) => (child.log = (child.log + data).slice(-10000)));
  child.on('error', (error) => (child.log = String(error)));
  processes.push(child);
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill(child.spawnfile.endsWith('etcd') ? 'SIGKILL' : 'SIGTERM');
  await ended;
}

async function freePorts(count) {
  const servers = Array.from({ length: count }, () => net.createServer());
  const ports = await Promise.all(
    servers.map(
      (one) => new Promise((resolve) => one.listen(0, '127.0.0.1', () => resolve(one.address().port))),
    ),
  );
  await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))));
  return ports;
}

function read(file) {
  const text = fs.readFileSync(path.join(HERE, file), 'utf8');
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0];
    return document.toJS();
  });
}

function nameOf({ kind, metadata: { namespace, name } }) {
  return [kind, namespace, name].filter((part) => part !== undefined).join('/');
}

function urlOf({ apiVersion, kind, metadata: { namespace } }) {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inCluster = CLUSTER_SCOPED.has(kind) || apiVersion === POLICIES;
  const resource = RESOURCES[kind] ?? `${kind.toLowerCase()}s`;
  return inCluster ? `${root}/${resource}` : `${root}/namespaces/${namespace}/${resource}`;
}

function post(object, dryRun) {
  return send('POST', `${urlOf(object)}?fieldValidation=Strict${dryRun ? '&dryRun=All' : ''}`, object);
}

async function create(object) {
  const { status, body } = await post(object, false);
  if (status !== 201 && body.reason !== 'AlreadyExists')
    throw new Error(`${nameOf(object)}: ${body.message}`);
}

async function remove(object) {
  const { status, body } = await send('DELETE', `${urlOf(object)}/${object.metadata.name}`);
  if (status !== 200) throw new Error(`${nameOf(object)}: ${body.message}`);
}

function send(method, url, content) {
  const audit = randomUUID();
  const headers = { 'Content-Type': 'application/json', 'Audit-ID': audit };
  return new Promise((resolve, reject) => {
    const request = https.request(
      { host: '127.0.0.1', port, path: url, method, agent, headers },
      (response) => {
        const chunks = [];
        response.on('data', (chunk) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          const body = (response.headers['content-type'] ?? '').startsWith('application/json')
            ? JSON.parse(text)
            : text;
          resolve({ status: response.statusCode, body, audit, warnings: warningsIn(response.rawHeaders) });
        });
      },
    );
    request.on('error', reject);
    request.end(content === undefined ? undefined : JSON.stringify(content));
  });
}

/** The texts of the headers `Warning: 299 - "text"`. */
function warningsIn(rawHeaders) {
  return rawHeaders.flatMap((name, index) => {
    if (index % 2 === 1 || name.toLowerCase() !== 'warning') return [];
    const value = Buffer.from(rawHeaders[index + 1], 'latin1').toString();
    const match = /^\d{3} \S+ "((?:[^"\\]|\\.)*)"/s.exec(value);
    if (!match) throw new Error(`Warning: ${value}`);
    return [match[1].replace(/\\(.)/gs, '$1')];
  });
}
