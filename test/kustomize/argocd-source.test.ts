import {
  applyArgoCdSource,
  argoCdSourceFiles,
  mergeArgoCdSources,
} from '../../functions/guardrails/kustomize/argocd-source';
import { Message } from '../../functions/guardrails/message';
import { type YamlObject, isSame, parseYaml, valueOf } from '../../functions/guardrails/yaml/yaml';

const FILE = 'overlays/prod/.argocd-source.yaml';
const BUILT = 'check the build that Argo CD makes with --built';

function read(text: string): YamlObject {
  return valueOf(parseYaml(text, '')[0] ?? null) as YamlObject;
}

function apply(kustomization: string, override: string): YamlObject | string {
  const result = applyArgoCdSource(read(kustomization), read(override), FILE);
  return result instanceof Message ? result.raw : result;
}

// The expected values are those that kustomize 5.8.1 writes for `kustomize edit set`.
const IMAGES = `
resources: [../../base]
images:
  - {name: web, newName: ghcr.io/acme/web, newTag: v1, tagSuffix: -x}
  - {name: db, newTag: "16"}
`;
const DB = { name: 'db', newTag: '16' };
const WEB = { name: 'web', newName: 'ghcr.io/acme/web', newTag: 'v1', tagSuffix: '-x' };

describe('images', () => {
  test.each<[what: string, images: string[], expected: YamlObject[]]>([
    ['a tag replaces the entry', ['web:v2'], [DB, { name: 'web', newTag: 'v2' }]],
    ['a digest', ['web@sha256:0a'], [DB, { name: 'web', digest: 'sha256:0a' }]],
    ['a tag and a digest', ['web:v2@sha256:0a'], [DB, { name: 'web', newTag: 'v2', digest: 'sha256:0a' }]],
    ['a new name', ['web=ghcr.io/b/web'], [DB, { name: 'web', newName: 'ghcr.io/b/web' }]],
    [
      'a new name and a digest',
      ['web=ghcr.io/b/web@sha256:0a'],
      [DB, { name: 'web', newName: 'ghcr.io/b/web', digest: 'sha256:0a' }],
    ],
    [
      'all of it',
      ['web=ghcr.io/b/web:v2@sha256:0a'],
      [DB, { name: 'web', newName: 'ghcr.io/b/web', newTag: 'v2', digest: 'sha256:0a' }],
    ],
    ['the port of a registry', ['web=r:5000/web'], [DB, { name: 'web', newName: 'r:5000/web' }]],
    ['a port and a tag', ['web=r:5000/web:v2'], [DB, { name: 'web', newName: 'r:5000/web', newTag: 'v2' }]],
    [
      'the name with its registry is another image',
      ['r:5000/web:v2'],
      [DB, { name: 'r:5000/web', newTag: 'v2' }, WEB],
    ],
    ['the last of two wins', ['web:v2', 'web:v3'], [DB, { name: 'web', newTag: 'v3' }]],
    [
      'sorted by name, uppercase first',
      ['zoo:1', 'Api:1'],
      [{ name: 'Api', newTag: '1' }, DB, WEB, { name: 'zoo', newTag: '1' }],
    ],
    ['the name is kept', ['web=*:v2'], [DB, { name: 'web', newName: 'ghcr.io/acme/web', newTag: 'v2' }]],
    ['the tag is kept', ['web=*:*'], [DB, { name: 'web', newName: 'ghcr.io/acme/web', newTag: 'v1' }]],
    ['nothing to keep', ['zoo=*:*@*'], [DB, WEB, { name: 'zoo' }]],
    ['an empty new name removes the rest', ['web='], [DB, { name: 'web' }]],
    ['the second = belongs to the new name', ['a=b=c'], [{ name: 'a', newName: 'b=c' }, DB, WEB]],
    ['a second @ belongs to the digest', ['a=b@c@d'], [{ name: 'a', newName: 'b', digest: 'c@d' }, DB, WEB]],
    ['without a name before =', ['=web'], [DB, { name: 'web' }]],
  ])('%s', (_, images, expected) => {
    const edited = apply(IMAGES, JSON.stringify({ kustomize: { images } }));
    expect(edited).toEqual({ resources: ['../../base'], images: expected });
  });

  test('a kustomization without images', () => {
    expect(apply('resources: [a.yaml]', 'kustomize: {images: ["web:v2"]}')).toEqual({
      resources: ['a.yaml'],
      images: [{ name: 'web', newTag: 'v2' }],
    });
  });

  test('of two entries with one name, kustomize keeps the first', () => {
    const twice = 'images: [{name: db, newTag: a}, {name: db, newTag: b}]';
    expect(apply(twice, 'kustomize: {images: ["web:v2"]}')).toEqual({
      images: [
        { name: 'db', newTag: 'a' },
        { name: 'web', newTag: 'v2' },
      ],
    });
    expect(apply(twice, 'kustomize: {images: ["db=*:*"]}')).toEqual({
      images: [{ name: 'db', newTag: 'a' }],
    });
  });

  test('the deprecated imageTags become images', () => {
    expect(
      apply('imageTags: [{name: web, newTag: a}, {name: db, newTag: b}]', 'kustomize: {images: ["web:v2"]}'),
    ).toEqual({
      images: [
        { name: 'db', newTag: 'b' },
        { name: 'web', newTag: 'v2' },
      ],
    });
  });

  test.each([
    ['web', `"web", which kustomize refuses; use name:tag, name@digest or name=newName:tag`],
    ['localhost:5000/web', `"localhost:5000/web", which kustomize refuses`],
    ['', `"", which kustomize refuses`],
    ['--help', `"--help", which kustomize refuses`],
    ['-x=web:v2', `"-x=web:v2", which kustomize refuses`],
    [
      'web:$ARGOCD_APP_REVISION',
      `web:$ARGOCD_APP_REVISION, in which Argo CD replaces variables; write the value`,
    ],
  ])('refuses %j', (image, problem) => {
    const result = apply(IMAGES, JSON.stringify({ kustomize: { images: ['web:v2', image] } }));
    expect(result).toContain(`${FILE}: kustomize.images[1] is ${problem}`);
  });
});

describe('names and namespace', () => {
  test('replace those of the kustomization', () => {
    const override = 'kustomize: {namePrefix: eu-, nameSuffix: -2, namespace: eu}';
    expect(apply('namePrefix: a-\nnamespace: a\nresources: [a.yaml]', override)).toEqual(
      `${FILE}: kustomize.nameSuffix must be a string, found -2; quote it`,
    );
    expect(
      apply('namePrefix: a-\nnamespace: a\nresources: [a.yaml]', override.replace('-2', '"-2"')),
    ).toEqual({ namePrefix: 'eu-', nameSuffix: '-2', namespace: 'eu', resources: ['a.yaml'] });
  });

  test('nothing is set without a value', () => {
    const override = 'kustomize: {namePrefix: "", namespace: null, images: [], replicas: []}';
    expect(apply('namePrefix: a-\nnamespace: a', override)).toEqual({ namePrefix: 'a-', namespace: 'a' });
  });
});

describe('replicas', () => {
  test('replace entries by name and are sorted', () => {
    expect(
      apply(
        'replicas: [{name: web, count: 1}, {name: Z, count: 2}, {name: a, count: 0}, {name: a, count: 7}]',
        'kustomize: {replicas: [{name: web, count: 3}, {name: b, count: 1}, {name: b, count: "4"}]}',
      ),
    ).toEqual({
      replicas: [
        { name: 'Z', count: 2 },
        { name: 'a', count: 0 },
        { name: 'b', count: 4 },
        { name: 'web', count: 3 },
      ],
    });
  });

  test.each([
    ['{name: web, count: many}', '.count must be an integer, found many; fix the value'],
    ['{name: web, count: 1.5}', '.count must be an integer, found 1.5; fix the value'],
    ['{name: web, count: 2147483648}', '.count must be an integer, found 2147483648; fix the value'],
    ['{name: web}', '.count must be an integer, found null; fix the value'],
    ['{count: 3}', '.name must be the name of a resource, found null; fix the value'],
    ['{name: a=b, count: 3}', '.name must be the name of a resource, found a=b; fix the value'],
    ['{name: -f, count: 3}', '.name must be the name of a resource, found -f; fix the value'],
    ['web=3', ' must be a mapping with name and count, found web=3; fix the value'],
  ])('refuses %s', (entry, problem) => {
    expect(apply('{}', `kustomize: {replicas: [${entry}]}`)).toBe(`${FILE}: kustomize.replicas[0]${problem}`);
  });
});

describe('an override', () => {
  test.each([
    [
      'kustomize: {commonLabels: {a: b}}',
      `kustomize.commonLabels is not supported; set it in the kustomization, or ${BUILT}`,
    ],
    [
      'kustomize: {commonAnnotations: {a: b}}',
      `kustomize.commonAnnotations is not supported; set it in the kustomization, or ${BUILT}`,
    ],
    [
      'kustomize: {patches: [{path: a.yaml}]}',
      `kustomize.patches is not supported; set it in the kustomization, or ${BUILT}`,
    ],
    [
      'kustomize: {components: [../c]}',
      `kustomize.components is not supported; set it in the kustomization, or ${BUILT}`,
    ],
    ['kustomize: {version: v4.5.7}', `kustomize.version is not supported; ${BUILT}`],
    ['kustomize: {forceCommonLabels: true}', `kustomize.forceCommonLabels is not supported; ${BUILT}`],
    ['kustomize: {Images: ["web:v2"]}', `kustomize.Images is not supported; ${BUILT}`],
    ['helm: {releaseName: a}', `helm is not supported; ${BUILT}`],
    ['directory: {recurse: true}', `directory is not supported; ${BUILT}`],
    ['plugin: {name: a}', `plugin is not supported; ${BUILT}`],
    ['images: ["web:v2"]', `images is not supported; ${BUILT}`],
    ['chart: web', 'Argo CD ignores chart in this file; remove it'],
    ['path: base', 'Argo CD ignores path in this file; remove it'],
    ['repoURL: https://example.com', 'Argo CD ignores repoURL in this file; remove it'],
    ['targetRevision: main', 'Argo CD ignores targetRevision in this file; remove it'],
    ['kustomize: [a]', 'kustomize must be a mapping, found ["a"]; fix the value'],
    ['kustomize: {images: "web:v2"}', 'kustomize.images must be a list, found web:v2; fix the value'],
    ['kustomize: {images: [5]}', 'kustomize.images[0] must be a string, found 5; quote it'],
    ['kustomize: {images: [null]}', 'kustomize.images[0] must be a string, found null; fix the value'],
    ['kustomize: {replicas: {web: 3}}', 'kustomize.replicas must be a list, found {"web":3}; fix the value'],
    ['kustomize: {namespace: true}', 'kustomize.namespace must be a string, found true; quote it'],
  ])('is refused: %s', (override, problem) => {
    expect(apply('{}', override)).toBe(`${FILE}: ${problem}`);
  });

  test.each([
    'kustomize: null',
    '{}',
    'kustomize: {}',
    'kustomize: {version: "", commonLabels: {}, patches: [], forceCommonLabels: false, components: null}\nhelm: null\npath: ""',
  ])('changes nothing: %s', (override) => {
    expect(apply(IMAGES, override)).toEqual(read(IMAGES));
  });

  test('does not change the kustomization that is passed', () => {
    const kustomization = read(IMAGES);
    applyArgoCdSource(kustomization, read('kustomize: {images: ["web:v2"], namespace: a}'), FILE);
    expect(isSame(kustomization, read(IMAGES))).toBe(true);
  });
});

test.each([
  ['IMAGES: []', 'images: ["a:b"]', 'kustomize reads the field IMAGES as images; rename it to images'],
  [
    'imagetags: []',
    'images: ["a:b"]',
    'kustomize reads the field imagetags as imageTags; rename it to imageTags',
  ],
  [
    'nameſpace: a',
    'namespace: b',
    'kustomize reads the field nameſpace as namespace; rename it to namespace',
  ],
  [
    'images: [{Name: a}]',
    'images: ["a:b"]',
    'images of the kustomization has the unknown field Name; use one of name, newName, tagSuffix, newTag, digest',
  ],
  ['images: {name: a}', 'images: ["a:b"]', 'images of the kustomization must be a list of mappings; fix it'],
  [
    'replicas: [a]',
    'replicas: [{name: a, count: 1}]',
    'replicas of the kustomization must be a list of mappings; fix it',
  ],
])('a kustomization that is not edited: %s', (kustomization, fields, problem) => {
  expect(apply(kustomization, `kustomize: {${fields}}`)).toBe(`${FILE}: ${problem}`);
  expect(apply(kustomization, 'kustomize: {nameSuffix: -a}')).toMatchObject({ nameSuffix: '-a' });
});

describe('the file of one Application', () => {
  test.each([
    [
      'lists are replaced',
      'kustomize: {images: ["a:1", "b:1"]}',
      'kustomize: {images: ["a:2"]}',
      'kustomize: {images: ["a:2"]}',
    ],
    [
      'mappings are merged',
      'kustomize: {namePrefix: a-}',
      'kustomize: {namespace: b}',
      'kustomize: {namePrefix: a-, namespace: b}',
    ],
    [
      'null changes nothing',
      'kustomize: {images: ["a:1"], namePrefix: a-}',
      'kustomize: {images: null}',
      'kustomize: {images: ["a:1"], namePrefix: a-}',
    ],
    ['null changes nothing', 'kustomize: {namePrefix: a-}', 'kustomize: null', 'kustomize: {namePrefix: a-}'],
    [
      'an empty list removes',
      'kustomize: {images: ["a:1"]}',
      'kustomize: {images: []}',
      'kustomize: {images: []}',
    ],
    ['without a general one', '{}', 'kustomize: {images: ["a:2"]}', 'kustomize: {images: ["a:2"]}'],
  ])('%s', (_, general, own, merged) => {
    const before = read(general);
    expect(mergeArgoCdSources(before, read(own))).toEqual(read(merged));
    expect(before).toEqual(read(general));
  });
});

test('the files of a folder', () => {
  expect(
    argoCdSourceFiles([
      'kustomization.yaml',
      '.argocd-source-web.yaml',
      '.argocd-source-.yaml',
      '.argocd-source-a.b.yaml',
      '.argocd-source.yml',
      '.argocd-source-web.yml',
      'argocd-source.yaml',
      '.argocd-source.yaml',
      '.argocd-sourceweb.yaml',
      '.argocd-source-web.yaml.bak',
    ]),
  ).toEqual(['.argocd-source.yaml', '.argocd-source-a.b.yaml', '.argocd-source-web.yaml']);
});
