import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathsToDelete, processesToKill } from '../interruption';
import { GuardrailsError } from '../errors';
import { annotationsOf } from '../krm/resource';
import { message, outputOf } from '../message';
import { type YamlObject, isObject, parseYaml, valueOf } from '../yaml/yaml';
import type { Kustomize } from './program';

export interface Build {
  readonly stdout: string;
  readonly stderr: string;
}

const PACKAGE = 'package';

/** A package in a temporary folder, for kustomize to build. Delete it with `remove`. */
export class PackageCopy {
  private root: string;
  private wrappers = 0;

  /** @param files path, which must be inside the package, to content */
  constructor(files: ReadonlyMap<string, string | Uint8Array>) {
    this.root = mkdtempSync(path.join(tmpdir(), 'guardrails-'));
    pathsToDelete.add(this.root);
    try {
      // The messages of kustomize contain resolved paths.
      this.root = realpathSync(this.root);
      pathsToDelete.add(this.root);
      for (const [file, content] of files) this.write(file, content);
    } catch (error) {
      this.remove();
      throw error;
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

  /**
   * Builds one folder.
   *
   * @throws GuardrailsError kustomize cannot run, or fails: with its message
   */
  build(dir: string, kustomize: Kustomize): Promise<Build> {
    return this.run(path.join(PACKAGE, dir), dir, kustomize);
  }

  /**
   * Builds a folder through a wrapper that makes kustomize annotate each resource with its file (originAnnotations).
   *
   * @returns `keyOf` of each resource to the path of its file in the package
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
      const annotation = annotationsOf(value)['config.kubernetes.io/origin'];
      const origin = typeof annotation === 'string' ? valueOf(parseYaml(annotation, dir)[0] ?? null) : null;
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
    pathsToDelete.delete(this.root);
  }

  private async run(folder: string, dir: string, kustomize: Kustomize): Promise<Build> {
    // Imported here, because it loads slowly and a stream does not use it.
    const { execFile } = await import('node:child_process');
    const { command, args, description } = kustomize;
    // An empty PATH has no git and no helm; a proxy that does not answer blocks all requests.
    const blocked = 'http://127.0.0.1:9';
    const env = { PATH: '', HOME: this.root, HTTP_PROXY: blocked, HTTPS_PROXY: blocked, TMPDIR: tmpdir() };
    const options = { cwd: this.root, env, maxBuffer: Infinity };
    return new Promise((resolve, reject) => {
      const child = execFile(
        command,
        [...args, path.join(this.root, folder)],
        options,
        (error, stdout, err) => {
          processesToKill.delete(child);
          const stderr = err.replaceAll(`${this.root}/${PACKAGE}/`, '').replaceAll(this.root, '');
          if (error === null) resolve({ stdout, stderr });
          else if (typeof error.code === 'string')
            reject(new GuardrailsError(message`${dir}: cannot run ${description}: ${error.code}`));
          else {
            const status = error.signal ?? `exit ${error.code ?? '?'}`;
            const text = message`${dir}: kustomize failed (${status}): ${outputOf(stderr)}; run \`kustomize build ${dir}\` to reproduce`;
            reject(new GuardrailsError(text));
          }
        },
      );
      child.stdin?.end();
      processesToKill.add(child);
    });
  }
}

/** What identifies a resource within one build. */
export function keyOf(value: YamlObject): string {
  const metadata = isObject(value.metadata) ? value.metadata : {};
  return JSON.stringify([value.apiVersion, value.kind, metadata.namespace ?? '', metadata.name]);
}
