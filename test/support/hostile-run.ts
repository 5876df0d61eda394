import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Bundle, buildBundle } from './bundle';
import { findKustomizeForTests } from './tools';
import { type Tree, writeTree } from './tree';

export const KUSTOMIZATION = 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n';
export const CONFIG_MAP = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: plain\ndata: {}\n';
/** Milliseconds after which a run counts as hung. */
const HUNG = 60_000;

/** What a run printed, and how it ended; status null: it hung, and was killed. */
export interface Ended {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A package in a scratch folder, and the command lines of the function, which see no more of this machine than that. */
export class HostileRun {
  readonly scratch = realpathSync(mkdtempSync(path.join(tmpdir(), 'hostile-test-')));
  readonly dir = path.join(this.scratch, 'package');
  readonly tmp = path.join(this.scratch, 'tmp');

  constructor(readonly bundle: Bundle) {
    for (const folder of ['bin', 'tmp', 'package']) mkdirSync(path.join(this.scratch, folder));
  }

  remove(): void {
    rmSync(this.scratch, { recursive: true });
  }

  write(files: Tree): void {
    writeTree(this.dir, files);
  }

  /** A program on the PATH of the function. */
  program(name: string, script: string): void {
    const file = path.join(this.scratch, 'bin', name);
    // A link to the real program must not be written through.
    rmSync(file, { force: true });
    writeFileSync(file, script, { flag: 'wx' });
    chmodSync(file, 0o755);
  }

  /** The real kustomize, under a name that is looked for: the pinned copy of kubectl has another one. */
  realKustomize(): void {
    const { command, args } = findKustomizeForTests();
    const link = path.join(this.scratch, 'bin', args[0] === 'kustomize' ? 'kubectl' : 'kustomize');
    rmSync(link, { force: true });
    symlinkSync(command, link);
  }

  render(...args: string[]): Ended {
    return this.start([...this.bundle.render, this.dir, ...args], '');
  }

  graph(...args: string[]): Ended {
    return this.start([this.bundle.cli, 'graph', this.dir, ...args], '');
  }

  onStandardInput(input: string): Ended {
    return this.start([this.bundle.guardrails], input);
  }

  environment(): NodeJS.ProcessEnv {
    const { scratch, tmp } = this;
    return { PATH: path.join(scratch, 'bin'), TMPDIR: tmp, HOME: path.join(scratch, 'home') };
  }

  private start(args: readonly string[], input: string): Ended {
    const { status, stdout, stderr } = spawnSync(process.execPath, args, {
      cwd: this.scratch,
      input,
      encoding: 'utf8',
      timeout: HUNG,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 30,
      env: this.environment(),
    });
    return { status, stdout, stderr };
  }
}

/** For the tests of a file: a bundle for all, and a scratch folder for each. */
export function useHostileRun(): () => HostileRun {
  let bundle: Bundle;
  let run: HostileRun;
  beforeAll(() => {
    bundle = buildBundle();
  });
  afterAll(() => {
    bundle.remove();
  });
  beforeEach(() => {
    run = new HostileRun(bundle);
  });
  afterEach(() => {
    run.remove();
  });
  return () => run;
}
