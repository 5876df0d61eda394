import { readConfigAbove, readFloor } from '../../functions/guardrails/config/floor';
import { messageOf, printMessage } from '../../functions/guardrails/findings/print';
import type { FieldPath } from '../../functions/guardrails/yaml/field-path';
import { placeOf } from '../../functions/guardrails/yaml/place';
import { type YamlObject, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';

const HEAD = 'apiVersion: todo.example.com/v1alpha1\nkind: Guardrails\nmetadata:\n  name: guardrails\n';

/** `own` and `floor` start at line 5 of their files. */
function loosenings(own: string, floor: string): string[] {
  const config = readConfigAbove(
    readFloor(documentIn(floor), locateIn('floor.yaml', floor)),
    documentIn(own),
    locateIn('base/guardrails.yaml', own),
  );
  return config.loosenings.map((one) => printMessage(messageOf(one), (text) => text));
}

const locateIn = (file: string, text: string) => (field: FieldPath) => ({
  file,
  line: placeOf(HEAD + text, field)?.line,
});

function documentIn(text: string): YamlObject {
  const [root = null] = parseYaml(HEAD + text, 'test');
  return root === null ? {} : (valueOf(root) as YamlObject);
}

describe.each<[string, string, string, string[]]>([
  [
    'a rule that is off',
    'spec:\n  rules:\n    capabilities: off\n',
    'spec:\n  rules:\n    capabilities: error\n',
    [
      'spec.rules.capabilities is off, but floor.yaml:7 requires error (base/guardrails.yaml:7); set it to error, or remove it',
    ],
  ],
  [
    'a rule that warns in an environment',
    'spec:\n  environments:\n    overlays/dev:\n      rules:\n        pinned-image: warning\n',
    'spec:\n  rules: {pinned-image: error}\n',
    [
      'spec.environments.overlays/dev.rules.pinned-image is warning, but floor.yaml:6 requires error (base/guardrails.yaml:9); set it to error, or remove it',
    ],
  ],
  [
    'the deprecated list allow',
    'spec:\n  environments:\n    overlays/dev:\n      allow: [volumes, pinned-image]\n',
    'spec:\n  rules:\n    pinned-image: warning\n',
    [
      'spec.environments.overlays/dev.allow[1] is off, but floor.yaml:7 requires warning (base/guardrails.yaml:8); set it to warning, or remove it',
    ],
  ],
  [
    'a rule of the top, where the floor of an environment is stricter',
    'spec:\n  rules:\n    resources: warning\n',
    'spec:\n  rules:\n    resources: warning\n  environments:\n    overlays/prod:\n      rules:\n        resources: error\n',
    [
      'spec.rules.resources is warning, but floor.yaml:11 requires error (base/guardrails.yaml:7); set it to error, or remove it',
    ],
  ],
  [
    'the level of Pod Security',
    'spec:\n  podSecurity:\n    level: baseline\n',
    'spec:\n  podSecurity:\n    level: restricted\n',
    [
      'spec.podSecurity.level is baseline, but floor.yaml:7 requires restricted (base/guardrails.yaml:7); set it to restricted, or remove it',
    ],
  ],
  [
    'the version of Pod Security',
    'spec:\n  podSecurity:\n    version: v1.25\n',
    'spec:\n  podSecurity:\n    version: latest\n',
    [
      'spec.podSecurity.version is v1.25, but floor.yaml:7 requires latest (base/guardrails.yaml:7); set it to latest, or remove it',
    ],
  ],
  [
    'a limit that is larger, and one that is null',
    'spec:\n  resources:\n    limits:\n      cpu: null\n      memory: 2Gi\n',
    'spec:\n  resources:\n    limits:\n      cpu: 500m\n      memory: 1024Mi\n',
    [
      'spec.resources.limits.cpu is null, but floor.yaml:8 requires 500m (base/guardrails.yaml:8); set it to 500m, or remove it',
      'spec.resources.limits.memory is 2Gi, but floor.yaml:9 requires 1024Mi (base/guardrails.yaml:9); set it to 1024Mi, or remove it',
    ],
  ],
  [
    'a maximum that is larger, and one that is null',
    'spec:\n  resources:\n    max:\n      cpu: null\n      memory: 8Gi\n',
    'spec:\n  resources:\n    max:\n      cpu: "2"\n      memory: 4Gi\n',
    [
      'spec.resources.max.cpu is null, but floor.yaml:8 requires 2 (base/guardrails.yaml:8); set it to 2, or remove it',
      'spec.resources.max.memory is 8Gi, but floor.yaml:9 requires 4Gi (base/guardrails.yaml:9); set it to 4Gi, or remove it',
    ],
  ],
  [
    'a registry that the floor does not list',
    'spec:\n  images:\n    registries: [ghcr.io/acme/web, ghcr.io]\n',
    'spec:\n  images:\n    registries: [ghcr.io/acme, docker.io/library]\n',
    [
      'spec.images.registries is ["ghcr.io/acme/web","ghcr.io"], but floor.yaml:7 requires ["ghcr.io/acme","docker.io/library"] (base/guardrails.yaml:7); set it to ["ghcr.io/acme","docker.io/library"], or remove it',
    ],
  ],
  [
    'a registry in an environment',
    'spec:\n  environments:\n    overlays/dev:\n      images:\n        registries: [quay.io]\n',
    'spec:\n  images:\n    registries: [ghcr.io]\n',
    [
      'spec.environments.overlays/dev.images.registries is ["quay.io"], but floor.yaml:7 requires ["ghcr.io"] (base/guardrails.yaml:9); set it to ["ghcr.io"], or remove it',
    ],
  ],
  [
    'the digests of images',
    'spec:\n  images:\n    digest: optional\n',
    'spec:\n  images:\n    digest: required\n',
    [
      'spec.images.digest is optional, but floor.yaml:7 requires required (base/guardrails.yaml:7); set it to required, or remove it',
    ],
  ],
  [
    'the readiness probes',
    'spec:\n  environments:\n    overlays/dev:\n      probes:\n        add: false\n',
    'spec:\n  probes:\n    add: true\n',
    [
      'spec.environments.overlays/dev.probes.add is false, but floor.yaml:7 requires true (base/guardrails.yaml:9); set it to true, or remove it',
    ],
  ],
  [
    'what containers must have',
    'spec:\n  environments:\n    overlays/prod:\n      resources:\n        add: none\n',
    'spec:\n  resources:\n    add: requests\n',
    [
      'spec.environments.overlays/prod.resources.add is none, but floor.yaml:7 requires requests (base/guardrails.yaml:9); set it to requests, or remove it',
    ],
  ],
  [
    'what is hardened',
    'spec:\n  harden: safe\n',
    'spec:\n  harden: all\n',
    [
      'spec.harden is safe, but floor.yaml:6 requires all (base/guardrails.yaml:6); set it to all, or remove it',
    ],
  ],
  [
    'the peers of the policies',
    'spec:\n  network:\n    dns:\n      podLabels: {app: anything}\n',
    'spec:\n  network:\n    dns:\n      podLabels: {k8s-app: kube-dns}\n',
    [
      'spec.network.dns.podLabels is {"app":"anything"}, but floor.yaml:8 requires {"k8s-app":"kube-dns"} (base/guardrails.yaml:8); set it to {"k8s-app":"kube-dns"}, or remove it',
    ],
  ],
  [
    'the days of an exemption',
    'spec:\n  exemptions:\n    maxDays: 100\n',
    'spec:\n  exemptions:\n    maxDays: 90\n',
    [
      'spec.exemptions.maxDays is 100, but floor.yaml:7 requires 90 (base/guardrails.yaml:7); set it to 90, or remove it',
    ],
  ],
  [
    'the version of kustomize',
    'spec:\n  kustomizeVersion: v5.0.0\n',
    'spec:\n  kustomizeVersion: v5.8.1\n',
    [
      'spec.kustomizeVersion is v5.0.0, but floor.yaml:6 requires v5.8.1 (base/guardrails.yaml:6); set it to v5.8.1, or remove it',
    ],
  ],
  [
    'the form of a stream',
    'spec:\n  complete: false\n',
    'spec:\n  complete: true\n',
    [
      'spec.complete is false, but floor.yaml:6 requires true (base/guardrails.yaml:6); set it to true, or remove it',
    ],
  ],
])('loosened: %s', (_, own, floor, expected) => {
  test('is an error that names both lines', () => {
    expect(loosenings(own, floor)).toEqual(expected);
  });

  test('the same configuration as the floor is no loosening', () => {
    expect(loosenings(floor, floor)).toEqual([]);
  });
});

test.each<[string, string, string]>([
  [
    'a stricter level',
    'spec:\n  rules: {capabilities: error}\n',
    'spec:\n  rules: {capabilities: warning}\n',
  ],
  ['fewer days', 'spec:\n  exemptions: {maxDays: 30}\n', 'spec:\n  exemptions: {maxDays: 90}\n'],
  [
    'a smaller limit, written otherwise',
    'spec:\n  resources: {limits: {cpu: 400m, memory: 512Mi}}\n',
    'spec:\n  resources: {limits: {cpu: "0.5", memory: 0.5Gi}}\n',
  ],
  [
    'registries and repositories within those of the floor',
    'spec:\n  images: {registries: [ghcr.io/acme/web, eu.pkg.dev/shop, docker.io/redis]}\n',
    'spec:\n  images: {registries: [ghcr.io/acme, "*.pkg.dev", docker.io]}\n',
  ],
  ['a smaller maximum', 'spec:\n  resources: {max: {cpu: "1"}}\n', 'spec:\n  resources: {max: {cpu: "2"}}\n'],
  [
    'a level that the floor of that environment allows',
    'spec:\n  environments: {overlays/dev: {rules: {pinned-image: off}}}\n',
    'spec:\n  rules: {pinned-image: error}\n  environments: {overlays/dev: {rules: {pinned-image: off}}}\n',
  ],
  [
    'a setting that the floor does not have',
    'spec:\n  rules: {volumes: off}\n  knownImages: apply\n',
    'spec:\n  rules: {capabilities: error}\n',
  ],
  [
    'the environment of a floor that this package does not have',
    'spec:\n  rules: {volumes: error}\n',
    'spec:\n  environments: {overlays/staging: {rules: {capabilities: error}}}\n',
  ],
])('tighter, or not bound: %s', (_, own, floor) => {
  expect(loosenings(own, floor)).toEqual([]);
});

test('where a repository says nothing, the settings of the floor hold', () => {
  const floor =
    'spec:\n  resources: {max: {cpu: "2"}}\n  images: {registries: [ghcr.io], digest: required}\n  probes: {add: true}\n';
  const {
    resourceDefaults,
    images,
    probes,
    loosenings: found,
  } = readConfigAbove(
    readFloor(documentIn(floor), locateIn('floor.yaml', floor)),
    documentIn('spec: {}\n'),
    locateIn('base/guardrails.yaml', 'spec: {}\n'),
  );
  expect(resourceDefaults.max).toEqual({ cpu: '2', memory: null });
  expect(images.registries?.map(({ text }) => text)).toEqual(['ghcr.io']);
  expect([images.digest, probes.add, found]).toEqual(['required', true, []]);
});
