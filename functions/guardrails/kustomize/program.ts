/** How to run a kustomize: program and leading arguments; `${command} ${args} <dir>` prints the build. */
export interface Kustomize {
  /** Absolute path of the program. */
  readonly command: string;
  readonly args: readonly string[];
  /** Name and path of the program, for messages. */
  readonly description: string;
}

/** How to install a kustomize, for error messages. */
export const INSTALL_HINT =
  'install one with `go install sigs.k8s.io/kustomize/kustomize/v5@v5.8.1`, or kubectl 1.32 or later, and put it on PATH';
