// 300 entries of real kustomizations by a seed, added or misspelt, that have no effect: kustomize builds the same without them. Each
// is reported with its file and line. Entries that have an effect are not reported.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { LineCounter, isNode, parseAllDocuments, parseDocument } from 'yaml';
import { formatPath } from '../../functions/guardrails/yaml/field-path';
import { check, inFolder } from '../support/check-package';
import { type PackageFiles, repositoryFiles } from '../support/package-files';
import { numbersFrom } from '../support/seeded';
import { findKustomizeForTests } from '../support/tools';

const SEED = Number(process.env.GUARDRAILS_SEED ?? 20_261_128);
const MUTATIONS = 300;
const PACKAGES = path.join(__dirname, '../packages');
/** One with a configuration that is an error, and one with kustomizations that no overlay includes. */
const UNSUITED = ['bad-configuration', 'form-dead-kustomizations'];
const FIELDS = ['images', 'images', 'patches', 'replacements'];

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
}

interface Subject {
  readonly name: string;
  readonly files: PackageFiles;
  readonly overlays: readonly string[];
  readonly kustomizations: readonly string[];
  readonly resources: readonly Resource[];
  /** Without tag and digest. */
  readonly images: readonly string[];
}

type Pick = <T>(list: readonly T[]) => T;

/** A kustomization with an entry that may have no effect, and without it. */
interface Mutation {
  readonly file: string;
  readonly text: string;
  readonly without: string;
  /** Of the entry. */
  readonly line: number;
  readonly path: readonly (string | number)[];
}

const SLIPS: readonly ((text: string, pick: Pick) => string)[] = [
  (text) => `${text}s`,
  (text) => text.slice(0, -1),
  (text, pick) => {
    const at = pick([...text.slice(1).split('').keys()]);
    return text.slice(0, at) + text.charAt(at + 1) + text.charAt(at) + text.slice(at + 2);
  },
  (text, pick) => {
    const at = pick([...text.split('').keys()]);
    return `${text.slice(0, at)}x${text.slice(at + 1)}`;
  },
  (text, pick) => `${pick(['docker.io', 'ghcr.io/acme', 'other'])}/${text}`,
  (_, pick) => pick(['redis', 'nginx-exporter', 'some/sidecar']),
];

function newEntry(field: string, { images, resources }: Subject, pick: Pick): object {
  const slip = (text: string) => pick(SLIPS)(text, pick);
  const name = slip(pick(images));
  if (field === 'images') return { name, ...pick([{ newTag: 'v9' }, { newName: 'example.com/x' }]) };
  const { kind, metadata } = pick(resources);
  const target = pick([{ kind, name: slip(metadata.name) }, { name: slip(metadata.name) }]);
  if (field === 'patches')
    return { target, patch: '- {op: add, path: /metadata/annotations, value: {x: y}}\n' };
  const options = { create: true };
  return {
    source: { kind, name: metadata.name, fieldPath: 'metadata.name' },
    targets: [{ select: target, fieldPaths: ['metadata.annotations.x'], options }],
  };
}

/** The field of an entry that decides what it applies to. */
const nameIn = (field: string) =>
  ({ images: ['name'], patches: ['target', 'name'] })[field] ?? ['targets', 0, 'select', 'name'];

function mutate(subject: Subject, pick: Pick): Mutation {
  const file = pick(subject.kustomizations);
  const field = pick(FIELDS);
  const edited = parseDocument(subject.files[file] ?? '');
  const without = parseDocument(subject.files[file] ?? '');
  const count = (edited.toJS() as Record<string, unknown[] | undefined>)[field]?.length ?? 0;
  const at = pick([0, count]);
  const name = [field, at, ...nameIn(field)];
  const former = at < count ? edited.getIn(name) : undefined;
  if (typeof former === 'string') {
    edited.setIn(name, pick(SLIPS)(former, pick));
    without.deleteIn([field, at]);
  } else if (count === 0) edited.set(field, [newEntry(field, subject, pick)]);
  else edited.addIn([field], edited.createNode(newEntry(field, subject, pick)));
  const text = edited.toString({ lineWidth: 0 });
  const counter = new LineCounter();
  const index = typeof former === 'string' ? at : count;
  const entry = field === 'replacements' ? [field, index, 'targets', 0] : [field, index];
  const node = parseDocument(text, { lineCounter: counter }).getIn(entry, true);
  const [start = 0] = isNode(node) ? (node.range ?? []) : [];
  return {
    file,
    text,
    without: without.toString({ lineWidth: 0 }),
    line: counter.linePos(start).line,
    path: entry,
  };
}

function filesBelow(folder: string): PackageFiles {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  return Object.fromEntries(
    files
      .map((one) => path.relative(folder, path.join(one.parentPath, one.name)))
      .sort()
      .map((file) => [file, readFileSync(path.join(folder, file), 'utf8')]),
  );
}

/** What kustomize builds of each overlay; undefined where it refuses one. */
function buildsOf(files: PackageFiles, overlays: readonly string[]): Promise<string | undefined> {
  const { command, args } = findKustomizeForTests();
  return inFolder(files, (root) => {
    const builds = overlays.map((overlay) =>
      spawnSync(command, [...args, path.join(root, overlay)], { encoding: 'utf8' }),
    );
    return builds.some(({ status }) => status !== 0)
      ? undefined
      : builds.map(({ stdout }) => stdout).join('---\n');
  });
}

/** A package with overlays that kustomize builds without a plugin, or else nothing. */
async function subjectsIn(name: string, files: PackageFiles): Promise<Subject[]> {
  const kustomizations = Object.keys(files).filter((file) => /(^|\/)kustomization\.ya?ml$/.test(file));
  const overlays = kustomizations
    .map((file) => path.dirname(file))
    .filter((dir) => /overlays\/[^/]+$/.test(dir));
  const built = await buildsOf(files, overlays);
  if (built === undefined || overlays.length === 0) return [];
  const resources = parseAllDocuments(built).flatMap((one) => (one.toJS() as Resource | null) ?? []);
  const images = [...built.matchAll(/ image: ([\w./:-]+)/g)].map(([, image = '']) =>
    image.replace(/(:[^/:]*)?(@.*)?$/, ''),
  );
  return images.length === 0 ? [] : [{ name, files, overlays, kustomizations, resources, images }];
}

const subjects: Subject[] = [];

beforeAll(async () => {
  const packages = readdirSync(PACKAGES).filter((name) => !UNSUITED.includes(name));
  subjects.push(...(await subjectsIn('the Todo App', repositoryFiles())));
  for (const name of packages)
    subjects.push(...(await subjectsIn(name, filesBelow(path.join(PACKAGES, name)))));
});

const reportedBy = async (files: PackageFiles) =>
  (await check(files)).filter((one) => one.includes('has no effect'));

test('the packages as they are have no entry without effect', async () => {
  for (const { name, files } of subjects) expect([name, await reportedBy(files)]).toEqual([name, []]);
});

test(`${MUTATIONS} entries without effect are reported with file and line, by seed ${SEED}`, async () => {
  const next = numbersFrom(SEED);
  const pick: Pick = (list) => {
    const picked = list[Math.floor(next() * list.length)];
    if (picked === undefined) throw new Error('an empty list');
    return picked;
  };
  const missed: string[] = [];
  const disputed: string[] = [];
  let dead = 0;
  while (dead < MUTATIONS) {
    const subject = pick(subjects);
    const mutation = mutate(subject, pick);
    const { file, text, line } = mutation;
    const files = { ...subject.files, [file]: text };
    const built = await buildsOf(files, subject.overlays);
    const without = await buildsOf({ ...subject.files, [file]: mutation.without }, subject.overlays);
    if (built === undefined || without === undefined) continue;
    const place = `(${file}:${line}, ${formatPath(mutation.path)})`;
    const isReported = (await reportedBy(files)).some((one) => one.includes(place));
    const shown = `${subject.name} ${place}\n${text}`;
    if (built === without) {
      dead += 1;
      if (!isReported) missed.push(shown);
    } else if (isReported) disputed.push(shown);
  }
  expect({ missed, disputed }).toEqual({ missed: [], disputed: [] });
}, 600_000);
