import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import {
  parseImageReference,
  whyNotPinned,
  type ImageReference,
} from '../../functions/guardrails/kubernetes/image-reference';
import { useOracle } from '../support/oracle';
import { describeWithTool } from '../support/tools';

const HEX = '0123456789abcdef'.repeat(4); // 64 digits
const SHA256 = `sha256:${HEX}`;
const SHA384 = `sha384:${HEX}${HEX.slice(32)}`;
const SHA512 = `sha512:${HEX}${HEX}`;

const VALID: readonly [text: string, expected: ImageReference][] = [
  // Docker Hub, normalised
  ['nginx', { domain: 'docker.io', path: 'library/nginx' }],
  ['nginx:1.27', { domain: 'docker.io', path: 'library/nginx', tag: '1.27' }],
  ['bitnami/nginx', { domain: 'docker.io', path: 'bitnami/nginx' }],
  ['docker.io/nginx', { domain: 'docker.io', path: 'library/nginx' }],
  ['docker.io/library/nginx', { domain: 'docker.io', path: 'library/nginx' }],
  ['index.docker.io/nginx', { domain: 'docker.io', path: 'library/nginx' }],
  ['docker.io', { domain: 'docker.io', path: 'library/docker.io' }],
  ['localhost', { domain: 'docker.io', path: 'library/localhost' }],
  ['localhost:5000', { domain: 'docker.io', path: 'library/localhost', tag: '5000' }],
  [`docker.io/${HEX}`, { domain: 'docker.io', path: `library/${HEX}` }],
  [`${HEX}:1`, { domain: 'docker.io', path: `library/${HEX}`, tag: '1' }],
  [SHA256, { domain: 'docker.io', path: 'library/sha256', tag: HEX }],
  // Registries
  ['ghcr.io/a/b/c:1', { domain: 'ghcr.io', path: 'a/b/c', tag: '1' }],
  ['localhost/app', { domain: 'localhost', path: 'app' }],
  ['localhost:5000/app', { domain: 'localhost:5000', path: 'app' }],
  ['registry:5000/app', { domain: 'registry:5000', path: 'app' }],
  ['registry:5000/app:1', { domain: 'registry:5000', path: 'app', tag: '1' }],
  ['app:1/2', { domain: 'app:1', path: '2' }],
  ['registry/app', { domain: 'docker.io', path: 'registry/app' }],
  ['Registry/app', { domain: 'Registry', path: 'app' }],
  ['GHCR.io/app', { domain: 'GHCR.io', path: 'app' }],
  ['Localhost/app', { domain: 'Localhost', path: 'app' }],
  ['10.0.0.1:80/app', { domain: '10.0.0.1:80', path: 'app' }],
  ['[::1]:5000/app:1', { domain: '[::1]:5000', path: 'app', tag: '1' }],
  ['[2001:db8::1]/app', { domain: '[2001:db8::1]', path: 'app' }],
  ['a--b.example/app', { domain: 'a--b.example', path: 'app' }],
  ['a.b:99999999/app', { domain: 'a.b:99999999', path: 'app' }],
  ['my_host.example/app', { domain: '', path: 'my_host.example/app' }],
  // Paths, tags, digests
  ['a__b/c---d/e.f_g', { domain: 'docker.io', path: 'a__b/c---d/e.f_g' }],
  ['app:_', { domain: 'docker.io', path: 'library/app', tag: '_' }],
  ['app:V1.0-RC_1', { domain: 'docker.io', path: 'library/app', tag: 'V1.0-RC_1' }],
  [`app@${SHA256}`, { domain: 'docker.io', path: 'library/app', digest: SHA256 }],
  [`app@${SHA384}`, { domain: 'docker.io', path: 'library/app', digest: SHA384 }],
  [`app@${SHA512}`, { domain: 'docker.io', path: 'library/app', digest: SHA512 }],
  [`app:1@${SHA256}`, { domain: 'docker.io', path: 'library/app', tag: '1', digest: SHA256 }],
  [`r:5/app:1@${SHA256}`, { domain: 'r:5', path: 'app', tag: '1', digest: SHA256 }],
  // The limits themselves
  [`a:${'t'.repeat(128)}`, { domain: 'docker.io', path: 'library/a', tag: 't'.repeat(128) }],
  [`r.io/${'p'.repeat(255)}`, { domain: 'r.io', path: 'p'.repeat(255) }],
  ['p'.repeat(247), { domain: 'docker.io', path: `library/${'p'.repeat(247)}` }],
];

const INVALID: readonly [text: string, reason: string][] = [
  ['', 'empty'],
  [' ', 'whitespace'],
  [' app:1', 'whitespace'],
  ['app:1 ', 'whitespace'],
  ['app :1', 'whitespace'],
  ['app:1\n', 'whitespace'],
  ['app:1\r', 'whitespace'],
  ['\tapp:1', 'whitespace'],
  ['app:1\u00a0', 'whitespace'],
  ['\ufeffapp:1', 'whitespace'],
  ['app\u0000:1', 'repository name'],
  [HEX, 'image ID'],
  // Registry
  ['a:b/c', 'registry host'],
  ['app:latest/1', 'registry host'],
  ['https://ghcr.io/app:1', 'registry host'],
  ['ghcr.io:/app', 'registry host'],
  ['ghcr..io/app', 'registry host'],
  ['.ghcr.io/app', 'registry host'],
  ['ghcr.io./app', 'registry host'],
  ['-ghcr.io/app', 'registry host'],
  ['ghcr-.io/app', 'registry host'],
  ['my_host.example:5000/app', 'registry host'],
  ['::1/app', 'registry host'],
  ['[::1/app', 'registry host'],
  ['[fe80::1%eth0]/app', 'registry host'],
  ['[]:5000/app', 'registry host'],
  // Path
  ['Nginx', 'uppercase'],
  ['nginX:1', 'uppercase'],
  ['ghcr.io/Owner/app', 'uppercase'],
  ['owner/App', 'uppercase'],
  ['/app', 'repository name'],
  ['app/', 'repository name'],
  ['ghcr.io/', 'repository name'],
  ['ghcr.io//app', 'repository name'],
  ['owner//app', 'repository name'],
  ['a___b', 'repository name'],
  ['a..b', 'repository name'],
  ['a._b', 'repository name'],
  ['-app', 'repository name'],
  ['app-', 'repository name'],
  ['_/app', 'repository name'],
  ['./app', 'registry host'],
  ['$(IMAGE)', 'repository name'],
  ['nginx;1', 'repository name'],
  ['café:1', 'repository name'],
  ['日本/アプリ', 'repository name'],
  ['аpp:1', 'repository name'], // a Cyrillic а
  [':1', 'repository name'],
  ['@', 'repository name'],
  [`@${SHA256}`, 'repository name'],
  [`r.io/${'p'.repeat(256)}`, 'has more than 255'],
  ['p'.repeat(248), 'has more than 255'],
  // Tag
  ['app:', 'tag'],
  ['app:1:2', 'tag'],
  ['app:latest:1', 'tag'],
  ['app::1', 'tag'],
  ['app:-1', 'tag'],
  ['app:.1', 'tag'],
  ['app:1+2', 'tag'],
  ['app:é', 'tag'],
  ['app:${TAG}', 'tag'],
  [`app:@${SHA256}`, 'tag'],
  [`a:${'t'.repeat(129)}`, 'tag'],
  // Digest
  ['app@', 'digest'],
  ['app@sha256', 'digest'],
  ['app@sha256:', 'digest'],
  [`app@${SHA256}0`, 'digest'],
  [`app@${SHA256.slice(0, -1)}`, 'digest'],
  [`app@sha256:${HEX.toUpperCase()}`, 'digest'],
  [`app@SHA256:${HEX}`, 'digest'],
  [`app@sha512:${HEX}`, 'digest'],
  [`app@md5:${HEX.slice(32)}`, 'digest'],
  [`app@blake3:${HEX}`, 'digest'],
  [`app@${SHA256}:1`, 'digest'],
  [`app@${SHA256}@${SHA256}`, 'digest'],
  [`app@${SHA256}/x`, 'digest'],
];

describe('parseImageReference', () => {
  it.each(VALID)('reads %j', (text, expected) => {
    expect(parseImageReference(text)).toStrictEqual(expected);
  });

  it.each(INVALID)('refuses %j: %s', (text, reason) => {
    expect(parseImageReference(text)).toEqual({ invalid: expect.stringContaining(reason) as string });
  });
});

describe('whyNotPinned', () => {
  it.each([
    ['app:1', undefined],
    ['registry:5000/app:1', undefined],
    ['app:latest-1', undefined],
    ['app:notlatest', undefined],
    ['latest/latest:1', undefined],
    // Floating words, but valid tags: only a digest cannot move.
    ['app:main', undefined],
    ['app:stable', undefined],
    ['app:edge', undefined],
    [`app@${SHA256}`, undefined],
    [`app:1@${SHA512}`, undefined],
    [`app:latest@${SHA256}`, undefined],
    ['app', 'has no tag'],
    ['latest', 'has no tag'],
    ['registry:5000/app', 'has no tag'],
    ['localhost/latest', 'has no tag'],
    ['[::1]:5000/app', 'has no tag'],
    ['app:latest', 'has the tag latest'],
    ['app:LATEST', 'has the tag latest'],
    ['app:Latest', 'has the tag latest'],
    ['registry:5000/owner/app:latest', 'has the tag latest'],
    ['', 'is not a valid image reference: it is empty'],
    ['app:latest ', 'is not a valid image reference: it contains whitespace'],
    ['App:1', 'is not a valid image reference: the repository name has uppercase letters'],
    [`app:latest@${SHA256}0`, expect.stringMatching(/^is not a valid image reference: the digest/)],
    ['app:1:latest', expect.stringMatching(/^is not a valid image reference: the tag/)],
  ])('of %j is %j', (text, expected) => {
    expect(whyNotPinned(text)).toEqual(expected);
  });
});

describe('hostile input', () => {
  // An expression that backtracks over two readings would not come back from any of these.
  it.each([
    'a',
    'a.',
    'a-',
    '-',
    'a_',
    'a__',
    '_',
    'a/',
    '/',
    'a:',
    ':',
    '1:',
    '@',
    '[',
    '[:',
    'a.a-',
    'A.',
    ' ',
    'é',
  ])('of %j, repeated, is answered', (unit) => {
    for (const length of [255, 4096 - 10, 1_000_000]) {
      const run = unit.repeat(Math.ceil(length / unit.length)).slice(0, length);
      for (const text of [
        run,
        `${run}!`,
        `${run}/!`,
        `a/${run}!`,
        `[${run}!/a`,
        `a:${run}!`,
        `a@sha256:${run}`,
      ]) {
        const valid = !('invalid' in parseImageReference(text));
        expect(valid && text.length > 4096).toBe(false);
      }
    }
  });

  it('is never valid beyond the length limit', () => {
    const host = (length: number): string => 'a.'.repeat(length / 2 - 1) + 'aa';
    expect(parseImageReference(`${host(4094)}/p`)).toEqual({ domain: host(4094), path: 'p' });
    expect(parseImageReference(`${host(4096)}/p`)).toEqual({ invalid: 'it has more than 4096 characters' });
  });
});

interface Verdict {
  readonly ok: boolean;
  readonly domain?: string;
  readonly path?: string;
  readonly tag?: string;
  readonly digest?: string;
}

const SEED = 20_250_607;
const RUNS = 10_000;

describeWithTool('go', `against distribution/reference v0.6.0 (seed ${SEED})`, (go) => {
  const judge = useOracle<Verdict>(go, 'image-reference');

  /** What parseImageReference says, as the oracle prints it: empty parts are left out. */
  function ownVerdict(text: string): Verdict {
    const reference = parseImageReference(text);
    if ('invalid' in reference) return { ok: false };
    const { domain, ...rest } = reference;
    return { ok: true, ...(domain !== '' && { domain }), ...rest };
  }

  function disagreements(texts: readonly string[], verdicts: readonly Verdict[]): unknown[] {
    return texts
      .map((text, index) => ({ text, theirs: verdicts[index], ours: ownVerdict(text) }))
      .filter(({ theirs, ours }) => !isDeepStrictEqual(theirs, ours))
      .slice(0, 20);
  }

  it('says the same of the tables above', () => {
    const texts = [...VALID, ...INVALID].map(([text]) => text);
    expect(disagreements(texts, judge(texts))).toEqual([]);
  });

  it(`says the same of ${RUNS} generated references`, () => {
    const texts = fc.sample(generatedReference(), { seed: SEED, numRuns: RUNS });
    const verdicts = judge(texts);
    expect(disagreements(texts, verdicts)).toEqual([]);

    // Both answers, each part and the odd corner were asked for often enough for the agreement to mean something.
    const count = (wanted: (verdict: Verdict) => boolean): number => verdicts.filter(wanted).length;
    expect(count(({ ok }) => ok)).toBeGreaterThan(RUNS / 5);
    expect(count(({ ok }) => !ok)).toBeGreaterThan(RUNS / 5);
    expect(count(({ tag }) => tag !== undefined)).toBeGreaterThan(RUNS / 20);
    expect(count(({ digest }) => digest !== undefined)).toBeGreaterThan(RUNS / 20);
    expect(count(({ ok, domain }) => ok && domain !== 'docker.io')).toBeGreaterThan(RUNS / 20);
    expect(count(({ ok, domain }) => ok && domain === undefined)).toBeGreaterThan(5);
  });
});

/** Texts in the shape of a reference, of parts at and beyond their limits; half of them with a few characters changed. */
function generatedReference(): fc.Arbitrary<string> {
  const repeated = (unit: string, ...lengths: number[]): fc.Arbitrary<string> =>
    fc.constantFrom(...lengths).map((length) => unit.repeat(length));
  const optional = (part: fc.Arbitrary<string>): fc.Arbitrary<string> => fc.oneof(fc.constant(''), part);
  const concat = (...parts: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
    fc.tuple(...parts).map((texts) => texts.join(''));

  const atom = fc.stringMatching(/^[a-z0-9]{1,5}$/);
  const component = fc.oneof(
    { weight: 6, arbitrary: atom },
    {
      weight: 4,
      arbitrary: concat(atom, fc.constantFrom('.', '_', '__', '-', '---', '___', '..', '._'), atom),
    },
    { weight: 1, arbitrary: fc.constantFrom('library', 'localhost', 'docker.io', 'index.docker.io', 'App') },
    { weight: 1, arbitrary: repeated('p', 126, 127, 128, 246, 247, 248, 249, 254, 255, 256) },
    { weight: 1, arbitrary: repeated('f', 63, 64, 65) },
  );
  const path = fc.array(component, { minLength: 1, maxLength: 3 }).map((components) => components.join('/'));
  const label = fc.stringMatching(/^[a-zA-Z0-9_-]{1,4}$/);
  const host = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.array(atom, { minLength: 2, maxLength: 3 }).map((labels) => labels.join('.')),
    },
    {
      weight: 2,
      arbitrary: fc.array(label, { minLength: 1, maxLength: 3 }).map((labels) => labels.join('.')),
    },
    {
      weight: 3,
      arbitrary: fc.constantFrom(
        'localhost',
        'docker.io',
        'index.docker.io',
        'Index.docker.io',
        'Registry',
        'LOCALHOST',
      ),
    },
    { weight: 1, arbitrary: fc.constantFrom('my_host.example', 'a__b.c', '1_2.3', 'a_b', '10.0.0.1') },
    { weight: 1, arbitrary: fc.stringMatching(/^\[[a-fA-F0-9:]{1,8}\]$/) },
    { weight: 1, arbitrary: fc.constantFrom('[]', '[::1', '::1]', '[::ffff:1.2.3.4]', '[fe80::1%eth0]') },
  );
  const port = fc.oneof(fc.stringMatching(/^:[0-9]{1,6}$/), fc.constantFrom(':', ':a', ':80:80'));
  const tag = fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^:\w[\w.-]{0,8}$/) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(':', '::', ':.', ':-1', ':latest', ':LATEST', ':1:2', ':1+2', ':a/b'),
    },
    { weight: 1, arbitrary: repeated('t', 127, 128, 129).map((text) => `:${text}`) },
  );
  const digest = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(SHA256, SHA384, SHA512) },
    {
      weight: 2,
      arbitrary: concat(
        fc.constantFrom('sha256', 'sha384', 'sha512', 'SHA256', 'sha1', 'md5', 'sha256+b64', 'blake3', ''),
        fc.constantFrom(':', '', '::'),
        repeated('a', 0, 1, 31, 32, 40, 63, 64, 65, 95, 96, 97, 127, 128, 129),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(`sha256:${HEX.toUpperCase()}`, `${SHA256}g`, `${SHA256}@${SHA256}`),
    },
  );
  const shaped = concat(
    optional(concat(host, optional(port), fc.constant('/'))),
    path,
    optional(tag),
    optional(digest.map((text) => `@${text}`)),
  );

  const character = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('a', 'Z', '0', '9', '.', '_', '-', ':', '/', '@', '[', ']') },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ' ',
        '\n',
        '\t',
        '\0',
        '\u00a0',
        '\u2028',
        'é',
        'İ',
        '\u212a',
        '٣',
        '\ud800',
      ),
    },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
  );
  const edit = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    remove: fc.nat({ max: 2 }),
    insert: optional(character),
  });
  const mutated = fc.tuple(shaped, fc.array(edit, { minLength: 1, maxLength: 3 })).map(([text, edits]) =>
    edits.reduce((edited, { at, remove, insert }) => {
      const index = Math.round(at * edited.length);
      return edited.slice(0, index) + insert + edited.slice(index + remove);
    }, text),
  );
  const noise = fc.array(character, { maxLength: 12 }).map((characters) => characters.join(''));
  return fc.oneof(
    { weight: 9, arbitrary: shaped },
    { weight: 9, arbitrary: mutated },
    { weight: 2, arbitrary: noise },
  );
}
