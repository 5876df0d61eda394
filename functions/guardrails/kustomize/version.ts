import type { Kustomize } from './program';
import { runWithoutNetwork } from './program';

const versions = new Map<string, Promise<string>>();

/** The version of a kustomize as it prints it, `v5.8.1` or `(devel)`; `of unknown version` where it prints none. */
export function kustomizeVersion(kustomize: Kustomize): Promise<string> {
  const { command } = kustomize;
  const version = versions.get(command) ?? readVersion(kustomize);
  versions.set(command, version);
  return version;
}

async function readVersion({ command, args }: Kustomize): Promise<string> {
  const isKubectl = args[0] === 'kustomize';
  const ask = isKubectl ? ['version', '--client'] : ['version'];
  const { stdout } = await runWithoutNetwork(command, ask, { cwd: '/', env: { PATH: '' }, seconds: 10 });
  const [version] = (isKubectl ? /(?<=Kustomize Version: )\S+/ : /v\d[\w.+-]*|\(devel\)/).exec(stdout) ?? [];
  return version ?? 'of unknown version';
}
