import { run } from '../../functions/guardrails/run';

/** One list with ten defects, each with a cause of its own. */
const LIST = `apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  metadata:
    name: agent
    namespace: shop
  spec:
    selector: {matchLabels: {app: agent}}
    template:
      metadata: {labels: {app: agent}}
      spec:
        hostNetwork: true
        serviceAccountName: agent
        securityContext:
          sysctls: [{name: kernel.msgmax, value: "65536"}]
        containers:
        - name: agent
          image: registry.example.com/agent:v1
          ports: [{name: http, containerPort: 8080, hostPort: 8080}]
          envFrom: [{configMapRef: {name: agent-settings}}]
          volumeMounts: [{name: docker, mountPath: /var/run/docker.sock}]
        volumes:
        - {name: docker, hostPath: {path: /var/run/docker.sock}}
- apiVersion: v1
  kind: Service
  metadata: {name: agent, namespace: shop}
  spec:
    selector: {app: agnet}
    ports: [{port: 80, targetPort: http}]
- apiVersion: rbac.authorization.k8s.io/v1
  kind: ClusterRoleBinding
  metadata: {name: everyone}
  roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
  subjects:
  - {apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:unauthenticated"}
- apiVersion: policy/v1beta1
  kind: PodDisruptionBudget
  metadata: {name: agent, namespace: shop}
  spec: {minAvailable: 1, selector: {matchLabels: {app: agent}}}
`;

test('a list with ten defects has a finding for each, six errors among them', async () => {
  const { stdout, stderr, exitCode } = await run(Buffer.from(LIST), () =>
    Promise.reject(new Error('a stream needs no kustomize')),
  );
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 1 });
  const findings = stderr.trimEnd().split('\n');
  const of = (severity: string) => findings.filter((one) => one.startsWith(`[${severity}] `));
  const errors = [
    /PodDisruptionBudget\/agent has the apiVersion policy\/v1beta1/,
    /Deployment\/agent .* pod uses the host network namespace/,
    /Deployment\/agent .* container "agent" uses host port 8080/,
    /Deployment\/agent .* volume "docker" has a source of type hostPath/,
    /Deployment\/agent .* pod sets the sysctl kernel\.msgmax/,
    /ClusterRoleBinding\/everyone binds ClusterRole\/cluster-admin to system:unauthenticated/,
  ];
  const warnings = [
    /Deployment\/agent the pod refers to ServiceAccount\/agent, which is not in the build/,
    /Deployment\/agent envFrom .* refers to ConfigMap\/agent-settings, which is not in the build/,
    /Service\/agent selects no pods: .* did you mean app: agent\?/,
    /PodDisruptionBudget\/agent never allows an eviction/,
  ];
  expect(of('error')).toEqual(errors.map((one): unknown => expect.stringMatching(one)));
  expect(of('warning')).toEqual(warnings.map((one): unknown => expect.stringMatching(one)));
});
