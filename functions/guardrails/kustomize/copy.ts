import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { GuardrailsError } from '../errors';
import { type YamlObject, isObject, parseYaml, valueOf } from '../krm/yaml';
import { annotationsOf } from '../krm/item';
import type { Kustomize } from './find';

export interface Build {
  readonly stdout: string;
  readonly stderr: string;
}

const PACKAGE = 'package';

/** A package in a temporary folder, for kustomize to build. `remove` takes it away again. */
export class PackageCopy {
  private readonly root: string;
  private wrappers = 0;

  /** @param files path in the package, checked to lie in it, to text */
  constructor(files: ReadonlyMap<string, string | Uint8Array>) {
    this.root = realpathSync(mkdtempSync(path.join(tmpdir(), 'guardrails-')));
    removeAtExit.add(this.root);
    for (const [file, content] of files) {
      const target = path.join(this.root, PACKAGE, file);
      mkdirSync(path.dirname(target), { recursive: true });
      writeFileSync(target, content);
    }
  }

  /**
   * Builds one folder.
   *
   * @throws GuardrailsError kustomize cannot run or fails: with its message
   */
  build(dir: string, kustomize: Kustomize): Promise<Build> {
    return this.run(path.join(PACKAGE, dir), dir, kustomize);
  }

  /**
   * Builds a folder once more, from outside, with the file of each resource noted by kustomize (originAnnotations).
   *
   * @returns apiVersion, kind, namespace and name, as `keyOf` writes them, to the file in the package
   */
  async origins(dir: string, kustomize: Kustomize): Promise<Map<string, string>> {
    const wrapper = `origins-${this.wrappers++}`;
    const folder = path.join(this.root, wrapper);
    mkdirSync(folder);
    const target = path.posix.join('..', PACKAGE, dir);
    writeFileSync(
      path.join(folder, 'kustomization.yaml'),
      `resources:\n- ${JSON.stringify(target)}\nbuildMetadata: [originAnnotations]\n`,
    );
    const { stdout } = await this.run(wrapper, dir, kustomize);
    const origins = new Map<string, string>();
    for (const value of parseYaml(stdout, dir).map(valueOf).filter(isObject)) {
      const noted = annotationsOf(value)['config.kubernetes.io/origin'];
      const origin = typeof noted === 'string' ? valueOf(parseYaml(noted, dir)[0] ?? null) : null;
      if (!isObject(origin)) continue;
      const file = origin.path ?? origin.configuredIn;
      if (typeof file === 'string')
        origins.set(
          keyOf(value),
          path.posix.relative(path.posix.join('..', PACKAGE), path.posix.normalize(file)),
        );
    }
    return origins;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
    removeAtExit.delete(this.root);
  }

  private run(folder: string, dir: string, kustomize: Kustomize): Promise<Build> {
    return new Promise((resolve, reject) => {
      // No PATH: no git, no helm. No proxy answers: nothing is fetched.
      const blocked = 'http://127.0.0.1:9';
      const child = spawn(kustomize.command, [...kustomize.args, path.join(this.root, folder)], {
        cwd: this.root,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { PATH: '', HOME: this.root, HTTP_PROXY: blocked, HTTPS_PROXY: blocked, TMPDIR: tmpdir() },
      });
      running.add(child);
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      child.on('error', (error) => {
        running.delete(child);
        reject(new GuardrailsError(`${dir}: cannot run ${kustomize.description}: ${error.message}`));
      });
      child.on('close', (code, signal) => {
        running.delete(child);
        const stderr = Buffer.concat(err)
          .toString('utf8')
          .replaceAll(`${this.root}/${PACKAGE}/`, '')
          .replaceAll(this.root, '');
        if (code === 0) resolve({ stdout: Buffer.concat(out).toString('utf8'), stderr });
        else
          reject(
            new GuardrailsError(
              `${dir}: kustomize failed (${signal ?? `exit ${code}`}): ${stderr.trim()}; \`kustomize build ${dir}\` shows it`,
            ),
          );
      });
    });
  }
}

/** What identifies a resource within one build. */
export function keyOf(value: YamlObject): string {
  const metadata = isObject(value.metadata) ? value.metadata : {};
  return JSON.stringify([value.apiVersion, value.kind, metadata.namespace ?? '', metadata.name]);
}

const removeAtExit = new Set<string>();
const running = new Set<ReturnType<typeof spawn>>();

/** Ends at once on a signal, with no child and no temporary folder left: 128 + n, as shells count. */
export function endOnSignals(): void {
  for (const [signal, n] of [
    ['SIGHUP', 1],
    ['SIGINT', 2],
    ['SIGTERM', 15],
  ] as const)
    process.on(signal, () => {
      for (const child of running) child.kill('SIGKILL');
      for (const folder of removeAtExit) rmSync(folder, { recursive: true, force: true });
      process.exit(128 + n);
    });
}
