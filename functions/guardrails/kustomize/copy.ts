import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GuardrailsError, InputError } from '../errors';
import { pathsToDelete } from '../interruption';
import { ownFolderPrefix, removeLeftovers } from '../leftovers';
import { annotationsOf, resourceRef } from '../krm/resource';
import { type Message, message, outputOf, words } from '../message';
import { type YamlObject, isObject, parseYaml, textOf, valueOf } from '../yaml/yaml';
import { type Kustomize, runWithoutNetwork } from './program';

export interface Build {
  readonly stdout: string;
  readonly stderr: string;
  /** The resources in `stdout`. */
  readonly resources: readonly YamlObject[];
}

const PREFIX = 'guardrails';
const PACKAGE = 'package';
/** No git and no helm, and a proxy that does not answer: a second barrier where there is no network namespace. */
const CLOSED = {
  PATH: '',
  HTTP_PROXY: 'http://127.0.0.1:9',
  HTTPS_PROXY: 'http://127.0.0.1:9',
  GIT_ALLOW_PROTOCOL: 'none',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_TERMINAL_PROMPT: '0',
};
const TIMEOUT = 300; // seconds of one build
/** Time, process and place of a log line of kubectl (klog), which differ from run to run. */
const LOG_PREFIX = /^[EFIW]\d{4} [\d:.]+ +\d+ [\w.]+:\d+\] /gm;

/** kustomize does not build a folder. */
export class BuildError extends GuardrailsError {
  override readonly name = 'BuildError';
  constructor(
    text: Message,
    readonly remedy: Message,
  ) {
    super(text);
  }
}

/** A new folder in the temporary directory. @throws GuardrailsError there cannot be one */
function makeFolder(): string {
  try {
    removeLeftovers(tmpdir(), PREFIX);
    return mkdtempSync(path.join(tmpdir(), ownFolderPrefix(PREFIX)));
  } catch (error) {
    throw unusableTemporaryDirectory(error);
  }
}

function unusableTemporaryDirectory(error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code === undefined || code === 'EMFILE') return error;
  return new GuardrailsError(
    message`the temporary directory ${tmpdir()} cannot be used (${code}); set TMPDIR to a directory that is writable and has free space`,
  );
}

/** A package in a temporary folder, and the kustomize that builds it there. Delete the folder with `remove`. */
export class PackageCopy {
  private root: string;
  private wrappers = 0;

  /** @param files path, which must be inside the package, to content */
  constructor(
    files: ReadonlyMap<string, string | Uint8Array>,
    private readonly kustomize: Kustomize,
  ) {
    this.root = makeFolder();
    pathsToDelete.add(this.root);
    try {
      // The messages of kustomize contain resolved paths.
      this.root = realpathSync(this.root);
      pathsToDelete.add(this.root);
      for (const [file, content] of files) this.write(file, content);
    } catch (error) {
      this.remove();
      throw unusableTemporaryDirectory(error);
    }
  }

  /** @param file path, which must be inside the package */
  write(file: string, content: string | Uint8Array): void {
    const target = path.join(this.root, PACKAGE, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, content);
  }

  read(file: string): Uint8Array {
    return readFileSync(path.join(this.root, PACKAGE, file));
  }

  /** Builds one folder. @throws BuildError kustomize fails: with its message; GuardrailsError it cannot run */
  build(dir: string): Promise<Build> {
    return this.run(path.join(PACKAGE, dir), dir);
  }

  /**
   * Builds a folder through a wrapper that makes kustomize annotate each resource with its file (originAnnotations).
   *
   * @param isComponent kustomize builds a Component by itself, and refuses it under resources
   * @returns `keyOf` of each resource to the path of its file in the package
   */
  async origins(dir: string, isComponent: boolean): Promise<Map<string, string>> {
    const wrapper = `origins-${this.wrappers++}`;
    mkdirSync(path.join(this.root, wrapper));
    writeFileSync(
      path.join(this.root, wrapper, 'kustomization.yaml'),
      `${isComponent ? 'components' : 'resources'}:\n- ${JSON.stringify(`../${PACKAGE}/${dir}`)}\nbuildMetadata: [originAnnotations]\n`,
    );
    const { resources } = await this.run(wrapper, dir);
    const origins = new Map<string, string>();
    for (const resource of resources) {
      const annotation = textOf(annotationsOf(resource)['config.kubernetes.io/origin']);
      const [origin] = parseYaml(annotation, dir).map(valueOf);
      const file = isObject(origin) ? (origin.path ?? origin.configuredIn) : undefined;
      if (typeof file === 'string') origins.set(keyOf(resource), path.posix.relative(`../${PACKAGE}`, file));
    }
    return origins;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
    pathsToDelete.delete(this.root);
  }

  private async run(folder: string, dir: string): Promise<Build> {
    const { description, timeout = TIMEOUT } = this.kustomize;
    const build = [...this.kustomize.args, path.join(this.root, folder)];
    const env = { ...CLOSED, HOME: this.root, TMPDIR: tmpdir() };
    const options = { cwd: this.root, env, seconds: timeout };
    const result = await runWithoutNetwork(this.kustomize.command, build, options);
    const { problem, didRun, wasStopped = false, stdout } = result;
    const stderr = result.stderr
      .replaceAll(`${this.root}/${PACKAGE}/`, '')
      .replaceAll(this.root, '')
      .replaceAll(LOG_PREFIX, '');
    if (!didRun) throw new GuardrailsError(message`${dir}: cannot run ${description}: ${problem ?? ''}`);
    if (wasStopped)
      throw new BuildError(
        message`kustomize ${words(problem ?? '')} and was stopped`,
        words('look for a base that is included many times, or raise --timeout'),
      );
    if (problem !== undefined && isScript(this.kustomize.command) && /^exit 12[67]$/.test(problem))
      throw new BuildError(
        message`${this.kustomize.command} is a script, and a build runs without PATH`,
        words('put the program itself on PATH before it'),
      );
    if (problem !== undefined)
      throw new BuildError(
        message`kustomize failed (${problem}): ${outputOf(stderr)}`,
        message`run \`kustomize build ${dir}\` to reproduce`,
      );
    return { stdout, stderr, resources: resourcesIn(stdout, dir) };
  }
}

/** Whether a program starts with `#!`, as the shims of version managers do. */
function isScript(program: string): boolean {
  const start = Buffer.alloc(2);
  const file = openSync(program, 'r');
  try {
    readSync(file, start);
  } finally {
    closeSync(file);
  }
  return start.toString('latin1') === '#!';
}

/** @throws BuildError the output of kustomize is not YAML */
function resourcesIn(stdout: string, dir: string): YamlObject[] {
  try {
    return parseYaml(stdout, `build of ${dir}`).map(valueOf).filter(isObject);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new BuildError(error.text, message`run \`kustomize build ${dir}\` to reproduce`);
  }
}

/** What identifies a resource within one build. */
export function keyOf(resource: YamlObject): string {
  return JSON.stringify(resourceRef(resource));
}
