import {
  findKustomize,
  INSTALL_HINT,
  programOnPath,
  type Kustomize,
} from '../../functions/guardrails/kustomize/find';

export type Tool = 'kustomize' | 'kubectl' | 'kpt' | 'docker' | 'go' | 'cyclonus' | 'git' | 'patch';

/** The absolute path of a real tool on PATH. */
export function toolPath(name: Tool): string | undefined {
  return programOnPath(name);
}

/** A describe block that gets the tool's path. Where the tool is missing, one skipped test says so by its name. */
export function describeWithTool(name: Tool, title: string, body: (path: string) => void): void {
  const path = toolPath(name);
  describe(title, () => {
    if (path === undefined) test.skip(`needs ${name}: not on PATH`, () => undefined);
    else body(path);
  });
}

/** Any kustomize; jest's global setup has seen to it that there is one. */
export function findKustomizeForTests(): Kustomize {
  const kustomize = findKustomize();
  if (kustomize === undefined) throw new Error(`the tests need a kustomize: ${INSTALL_HINT}`);
  return kustomize;
}
