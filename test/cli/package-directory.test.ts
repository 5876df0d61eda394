import { execFileSync } from 'node:child_process';
import fs, {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { parse } from 'yaml';
import { InputError } from '../../functions/guardrails/errors';
import { readPackageDirectory } from '../../functions/guardrails/cli/package-directory';
import { describeWithTool } from '../support/tools';

const RESOURCE = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n';
const KPTFILE = 'apiVersion: kpt.dev/v1\nkind: Kptfile\nmetadata:\n  name: x\n';

let root: string;
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'package-')));
});
afterEach(() => {
  jest.restoreAllMocks();
  rmSync(root, { recursive: true });
});

/** Writes files into the package; without a text, a resource (a Kptfile where that is the name). */
function write(...files: (string | readonly [path: string, text: string])[]): void {
  for (const file of files) {
    const [path, text] =
      typeof file === 'string' ? [file, basename(file) === 'Kptfile' ? KPTFILE : RESOURCE] : file;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
}

function link(path: string, target: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  symlinkSync(target, join(root, path));
}

async function paths(): Promise<string[]> {
  return (await readPackageDirectory(root)).files.map(({ path }) => path);
}

/** The message of the refusal. It never shows where the package lies, nor what is in a file. */
async function refusal(): Promise<string> {
  const error: unknown = await readPackageDirectory(root).catch((caught: unknown) => caught);
  if (!(error instanceof InputError)) throw new Error(`not an InputError but ${String(error)}`);
  expect(error.message).not.toContain(root);
  expect(error.message).not.toContain('ConfigMap');
  return error.message;
}

/** The packages that kpt and readPackageDirectory must see alike. */
const PACKAGES: readonly {
  readonly title: string;
  readonly write: () => void;
  readonly expected: readonly string[];
  /** What `kpt fn source` or `kpt fn render` says where readPackageDirectory differs on purpose. */
  readonly source?: readonly string[];
  readonly render?: readonly string[];
}[] = [
  {
    title: 'every name that kpt reads, in its order',
    write() {
      write('Kptfile', 'a/z.yaml', 'a-b.yaml', 'a.yaml', 'B.yml', 'c.json', '.yaml', 'x y.yaml', 'é.yaml');
      write('\u{1F600}.yaml', '\uE000.yaml', 'README.md', 'a.YAML', 'b.yaml.bak', 'kptfile', 'yaml');
    },
    // U+E000 comes before U+1F600 in bytes, and after it in UTF-16.
    expected: '.yaml B.yml Kptfile a/z.yaml a-b.yaml a.yaml c.json x_y.yaml é.yaml \uE000.yaml \u{1F600}.yaml'
      .split(' ')
      .map((path) => path.replace('_', ' ')),
  },
  {
    title: 'hidden folders, node_modules and what git ignores',
    write() {
      write('Kptfile', '.hidden/a.yaml', 'node_modules/p/package.json', ['.gitignore', 'b.yaml\n'], 'b.yaml');
    },
    expected: ['.hidden/a.yaml', 'Kptfile', 'b.yaml', 'node_modules/p/package.json'],
  },
  {
    title: 'folders that are named like files, and an empty one',
    write() {
      write('Kptfile', 'a.yaml/b.yaml', 'Kustomization/c.yaml');
      mkdirSync(join(root, 'empty'));
    },
    expected: ['Kptfile', 'Kustomization/c.yaml', 'a.yaml/b.yaml'],
  },
  {
    title: 'a .krmignore counts at the root, and not in a plain folder',
    write() {
      write('Kptfile', ['.krmignore', 'x.yaml\n'], ['d/.krmignore', 'y.yaml\n'], 'd/x.yaml', 'd/y.yaml');
    },
    expected: ['Kptfile', 'd/y.yaml'],
  },
  {
    title: 'a subpackage has a .krmignore of its own, and none of the one above',
    write() {
      write('Kptfile', ['.krmignore', 'x.yaml\n'], 'a/Kptfile', ['a/.krmignore', 'y.yaml\n']);
      write('a/x.yaml', 'a/d/x.yaml', 'a/d/y.yaml', 'b/Kptfile', 'b/x.yaml', 'c/x.yaml', 'x.yaml');
    },
    expected: ['Kptfile', 'a/Kptfile', 'a/d/x.yaml', 'a/x.yaml', 'b/Kptfile', 'b/x.yaml'],
  },
  {
    title: 'a .krmignore may name the Kptfile',
    write() {
      write('Kptfile', 'a.yaml', ['.krmignore', 'Kptfile\n']);
    },
    expected: ['a.yaml'],
  },
  {
    title: 'a subpackage in an ignored folder stays ignored',
    write() {
      write('Kptfile', ['.krmignore', 'a/\n'], 'a/Kptfile', 'a/x.yaml', 'b.yaml');
    },
    expected: ['Kptfile', 'b.yaml'],
    render: ['a/Kptfile', 'a/x.yaml', 'Kptfile', 'b.yaml'],
  },
  {
    title: 'the .krmignore of a subpackage does not reach a neighbour whose name starts alike',
    write() {
      write('Kptfile', ['.krmignore', 'x.yaml\n'], 'a/Kptfile', ['a/.krmignore', 'y.yaml\n']);
      write('ab/x.yaml', 'ab/y.yaml');
    },
    expected: ['Kptfile', 'a/Kptfile', 'ab/y.yaml'],
    source: ['Kptfile', 'a/Kptfile', 'ab/x.yaml'],
  },
  {
    title: 'links that kpt does not read are passed over',
    write() {
      write('Kptfile', 'a.yaml', ['.krmignore', 'link.yaml\nnode_modules/\nlinked\n']);
      link('note.txt', 'a.yaml');
      link('dangling', 'nowhere');
      link('link.yaml', 'a.yaml');
      link('linked', '.');
      link('node_modules/.bin/tool.json', '../../a.yaml');
    },
    expected: ['Kptfile', 'a.yaml'],
  },
  {
    title: 'a linked node_modules is covered by node_modules/',
    write() {
      write('Kptfile', ['.krmignore', 'node_modules/\n']);
      link('node_modules', '.');
    },
    expected: ['Kptfile'],
  },
  {
    title: 'the dist/ of the package and any .git are never read',
    write() {
      write('Kptfile', 'dist/x.yaml', 'a/dist/x.yaml', '.git/refs/fix.yaml', 'a/.git/x.yaml');
    },
    expected: ['Kptfile', 'a/dist/x.yaml'],
    source: ['.git/refs/fix.yaml', 'Kptfile', 'a/.git/x.yaml', 'a/dist/x.yaml', 'dist/x.yaml'],
    render: ['.git/refs/fix.yaml', 'Kptfile', 'a/.git/x.yaml', 'a/dist/x.yaml', 'dist/x.yaml'],
  },
];

describe('readPackageDirectory reads', () => {
  test.each(PACKAGES)('$title', async ({ write: writePackage, expected }) => {
    writePackage();
    expect(await paths()).toEqual(expected);
  });

  test('bytes as they are', async () => {
    write(['a.yaml', '\uFEFFa: 1\r\n'], ['empty.yaml', '']);
    writeFileSync(join(root, 'b.yaml'), Buffer.of(0xff, 0x00));
    expect((await readPackageDirectory(root)).files).toEqual([
      { path: 'a.yaml', bytes: Buffer.from('\uFEFFa: 1\r\n') },
      { path: 'b.yaml', bytes: Buffer.of(0xff, 0x00) },
      { path: 'empty.yaml', bytes: Buffer.alloc(0) },
    ]);
  });

  test('and leaves no file open', async () => {
    write('a.yaml', 'b/c.yaml', ['.krmignore', '']);
    const opened = jest.spyOn(fs, 'openSync');
    const closed = jest.spyOn(fs, 'closeSync');
    await paths();
    expect(opened).toHaveBeenCalledTimes(3);
    expect(closed.mock.calls).toEqual(opened.mock.results.map(({ value }) => [value as number]));
  });

  test('nothing of an empty folder', async () => {
    expect(await paths()).toEqual([]);
  });

  test('a package through a link to its folder', async () => {
    write('package/a.yaml');
    link('linked', 'package');
    const { files } = await readPackageDirectory(join(root, 'linked'));
    expect(files.map(({ path }) => path)).toEqual(['a.yaml']);
  });

  test('nothing special that kpt would not read either', async () => {
    execFileSync('mkfifo', [join(root, 'fifo')]);
    expect(await paths()).toEqual([]);
  });
});

describe('readPackageDirectory refuses', () => {
  beforeEach(() => {
    write('Kptfile');
  });

  test.each([
    [
      'a link that kpt would read',
      'd/a.yaml',
      'd/a.yaml is a symbolic link; replace it with a copy of the file, ',
    ],
    [
      'a link that only kustomize would read',
      'Kustomization',
      'Kustomization is a symbolic link; replace it with a copy',
    ],
    ['a dangling link', 'a.json', 'a.json is a symbolic link; '],
  ])('%s', async (_, path, message) => {
    link(path, path === 'a.json' ? 'nowhere' : '/etc/hostname');
    expect(await refusal()).toContain(message);
    expect(await refusal()).toContain('list the link in .krmignore');
  });

  test.each(['base', 'd.yaml'])('a link to a folder: %s', async (path) => {
    write('other/a.yaml');
    link(path, 'other');
    expect(await refusal()).toBe(
      `${path} is a symbolic link to a folder, which kustomize follows and kpt does not; ` +
        'replace it with the folder, or list the link in .krmignore',
    );
  });

  test('a link that only a pattern for folders names, and kpt reads', async () => {
    write('other.yaml', ['.krmignore', 'a.yaml/\n']);
    link('a.yaml', 'other.yaml');
    expect(await refusal()).toContain('a.yaml is a symbolic link;');
  });

  test('a link in a subpackage, naming the .krmignore that counts there', async () => {
    write('sub/Kptfile', ['.krmignore', 'a.yaml\n']);
    link('sub/d/a.yaml', '../Kptfile');
    expect(await refusal()).toContain('list the link in sub/.krmignore');
  });

  test('a FIFO, without waiting for a writer', async () => {
    execFileSync('mkfifo', [join(root, 'a.yaml')]);
    expect(await refusal()).toBe('a.yaml is not a regular file; remove it, or list it in .krmignore');
  });

  test('a .krmignore that is a link or a folder', async () => {
    write('patterns');
    link('.krmignore', 'patterns');
    expect(await refusal()).toBe(
      '.krmignore cannot be read (ELOOP); it is a symbolic link; replace it with a copy of the file',
    );
    unlinkSync(join(root, '.krmignore'));
    mkdirSync(join(root, '.krmignore'));
    expect(await refusal()).toContain('.krmignore is not a regular file');
  });

  test('a .krmignore on which kpt crashes', async () => {
    write('sub/Kptfile', ['sub/.krmignore', 'dist/\n/\n']);
    expect(await refusal()).toBe(
      'sub/.krmignore:2: the pattern "/" names no file, and kpt crashes on it; delete the line',
    );
  });

  test('a name that is not UTF-8', async () => {
    writeFileSync(Buffer.concat([Buffer.from(`${root}/a`), Buffer.of(0xff), Buffer.from('.yaml')]), RESOURCE);
    expect(await refusal()).toBe('a\uFFFD.yaml cannot be read (ENOENT); its name is not UTF-8; rename it');
  });

  test.each([
    ['missing', 'ENOENT'],
    ['file.yaml/below', 'ENOTDIR'],
  ])('a root that is not there: %s', async (path, code) => {
    write('file.yaml');
    await expect(readPackageDirectory(join(root, path))).rejects.toMatchObject({
      name: 'InputError',
      message: `${join(root, path)} cannot be opened (${code}); specify the folder that contains the package`,
    });
  });

  test('a root that is a file', async () => {
    write('file.yaml');
    await expect(readPackageDirectory(join(root, 'file.yaml'))).rejects.toMatchObject({
      name: 'InputError',
      message: `${join(root, 'file.yaml')} is not a folder; specify the folder that contains the package`,
    });
  });

  describe('what changes while it reads:', () => {
    /** Does something to the package after its folders were listed and before the file is opened. */
    function beforeOpening(path: string, change: () => void): void {
      const openSync = fs.openSync;
      jest.spyOn(fs, 'openSync').mockImplementation((file, ...rest) => {
        if (file === join(root, path)) change();
        return openSync(file, ...rest);
      });
    }

    test('a file that vanishes', async () => {
      write('a.yaml');
      beforeOpening('a.yaml', () => {
        unlinkSync(join(root, 'a.yaml'));
      });
      expect(await refusal()).toBe(
        'a.yaml cannot be read (ENOENT); it was deleted while the package was read; run again',
      );
    });

    test('a file that becomes a link', async () => {
      write('a.yaml');
      beforeOpening('a.yaml', () => {
        renameSync(join(root, 'a.yaml'), join(root, 'b.yaml'));
        link('a.yaml', 'b.yaml');
      });
      expect(await refusal()).toContain('a.yaml cannot be read (ELOOP); it is a symbolic link');
    });

    test('a file that becomes a FIFO', async () => {
      write('a.yaml');
      beforeOpening('a.yaml', () => {
        unlinkSync(join(root, 'a.yaml'));
        execFileSync('mkfifo', [join(root, 'a.yaml')]);
      });
      expect(await refusal()).toContain('a.yaml is not a regular file');
    });

    test('a file that may not be read', async () => {
      write('d/a.yaml');
      beforeOpening('d/a.yaml', () => {
        throw Object.assign(new Error(`EACCES: permission denied, open '${root}/d/a.yaml'`), {
          code: 'EACCES',
        });
      });
      expect(await refusal()).toBe('d/a.yaml cannot be read (EACCES); make it readable');
    });

    test('a folder that may not be listed', async () => {
      write('d/a.yaml');
      const readdirSync = fs.readdirSync.bind(fs) as (...args: unknown[]) => never;
      jest.spyOn(fs, 'readdirSync').mockImplementation((...args: unknown[]) => {
        if (args[0] === join(root, 'd')) throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
        return readdirSync(...args);
      });
      expect(await refusal()).toBe('d cannot be read (EACCES); make it readable');
    });
  });
});

describeWithTool('kpt', 'readPackageDirectory agrees with kpt', (kpt) => {
  function kptPaths(...args: string[]): string[] {
    const output = execFileSync(kpt, ['fn', ...args, root], { encoding: 'utf8', stdio: 'pipe' });
    const list = parse(output) as { items: { metadata: { annotations: Record<string, string> } }[] };
    return list.items.map(({ metadata }) => metadata.annotations['internal.config.kubernetes.io/path'] ?? '');
  }

  test.each(PACKAGES)('fn source: $title', ({ write: writePackage, expected, source }) => {
    writePackage();
    expect(kptPaths('source')).toEqual(source ?? expected);
  });

  // render puts the items of subpackages before the others.
  test.each(PACKAGES)('fn render: $title', ({ write: writePackage, expected, render }) => {
    writePackage();
    expect(kptPaths('render', '-o', 'stdout').sort()).toEqual([...(render ?? expected)].sort());
  });

  test('which reads a link as a file, and refuses one to a folder that is named like a file', () => {
    write('Kptfile', 'd/a.yaml');
    link('b.yaml', 'd/a.yaml');
    link('e', 'd');
    expect(kptPaths('source')).toEqual(['Kptfile', 'b.yaml', 'd/a.yaml']);
    link('f.yaml', 'd');
    expect(() => kptPaths('source')).toThrow(/is a directory/);
  });
});
