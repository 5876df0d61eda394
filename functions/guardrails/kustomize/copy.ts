import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathsToDelete, processesToKill } from '../interruption';
import { GuardrailsError } from '../errors';
import { annotationsOf } from '../krm/resource';
import { message } from '../message';
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
    // An empty PATH has no git and no helm; a proxy that does not answer blocks all requests.
    const blocked = 'http://127.0.0.1:9';
    // Imported here, because it loads slowly and a stream does not use it.
    const { spawn } = await import('node:child_process');
    const child = spawn(kustomize.command, [...kustomize.args, path.join(this.root, folder)], {
      cwd: this.root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: '', HOME: this.root, HTTP_PROXY: blocked, HTTPS_PROXY: blocked, TMPDIR: tmpdir() },
    });
    processesToKill.add(child);
    try {
      const out: Buffer[] = [];
      const err: Buffer[] = [];
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
      const [code, signal] = (await once(child, 'close').catch((error: unknown) => {
        throw new GuardrailsError(
          message`${dir}: cannot run ${kustomize.description}: ${(error as NodeJS.ErrnoException).code ?? ''}`,
        );
      })) as [number | null, NodeJS.Signals | null];
      const stderr = Buffer.concat(err)
        .toString('utf8')
        .replaceAll(`${this.root}/${PACKAGE}/`, '')
        .replaceAll(this.root, '');
      if (code === 0) return { stdout: Buffer.concat(out).toString('utf8'), stderr };
      throw new GuardrailsError(
        message`${dir}: kustomize failed (${signal ?? `exit ${code}`}): ${stderr.trim()}; run \`kustomize build ${dir}\` to reproduce`,
      );
    } finally {
      processesToKill.delete(child);
    }
  }
}

/** What identifies a resource within one build. */
export function keyOf(value: YamlObject): string {
  const metadata = isObject(value.metadata) ? value.metadata : {};
  return JSON.stringify([value.apiVersion, value.kind, metadata.namespace ?? '', metadata.name]);
}
