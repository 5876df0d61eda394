import { type Config, allowedRules } from './config/config';
import { GuardrailsError } from './errors';
import { connect, generatedItems } from './policies/update-policies';
import { harden } from './rules/harden';
import type { Item } from './krm/item';
import {
  type BuildOptions,
  type BuiltPackage,
  type FindKustomize,
  buildOverlays,
} from './kustomize/build-overlays';
import { type Package, packageOf } from './kustomize/package';
import { redactor } from './findings/redact';
import { toResult } from './findings/report';
import type { Revision } from './findings/revision';
import { inspect } from './rules/inspect';
import { type Verdict, verifyOverlays } from './verify-overlays';

/** What the passes make of a package, or of a stream. */
export interface Judged {
  readonly revision: Revision;
  readonly verdicts: readonly Verdict[];
}

/**
 * The passes of the function: hardens what is whole, brings the network policies up to date, and holds every rule
 * against what every overlay then builds or, without a kustomization in the input, against the resources as they stand.
 *
 * @throws InputError, ConfigError, GuardrailsError
 */
export async function judge(
  items: readonly Item[],
  config: Config,
  findKustomize: FindKustomize,
): Promise<Judged> {
  const before = packageOf(items);
  const hardened = harden(items, before?.graph, config);
  const pkg = hardened.changes.edits.size === 0 ? before : packageOf(hardened.items);
  const redact = redactor(items);
  if (pkg === undefined)
    return { revision: hardened, verdicts: [verifyStream(hardened.items, config, redact)] };
  const options = { config, findKustomize, extraFiles: new Map(), redact };
  const draft = await buildDraft(pkg, options);
  let revision: Revision;
  try {
    revision = connect(hardened, pkg, draft.builds, config);
    if (draft.pkg === pkg && revision.items === hardened.items)
      return { revision, verdicts: await verifyOverlays(draft, config, redact) };
  } finally {
    draft.remove();
  }
  return { revision, verdicts: await verifyPackage(revision.items, options) };
}

/**
 * Builds a package as it stands and holds every rule against it.
 *
 * @param extraFiles files of the package that no item carries, with their content
 */
export async function verify(
  items: readonly Item[],
  config: Config,
  findKustomize: FindKustomize,
  extraFiles: ReadonlyMap<string, Uint8Array>,
): Promise<Verdict[]> {
  return verifyPackage(items, {
    config,
    findKustomize,
    extraFiles,
    redact: redactor(items, extraFiles.values()),
  });
}

async function verifyPackage(items: readonly Item[], options: BuildOptions): Promise<Verdict[]> {
  const pkg = packageOf(items);
  if (pkg === undefined) return [];
  const built = await buildOverlays(pkg, options);
  try {
    return await verifyOverlays(built, options.config, options.redact);
  } finally {
    built.remove();
  }
}

/**
 * The builds that tell what policies are needed: the package as it is or, where kustomize will not have that, without
 * the policies that the function wrote. One of them may stand in the way of what was written since.
 */
async function buildDraft(pkg: Package, options: BuildOptions): Promise<BuiltPackage> {
  try {
    return await buildOverlays(pkg, options, true);
  } catch (error) {
    const generated = generatedItems(pkg);
    if (!(error instanceof GuardrailsError) || generated.size === 0) throw error;
    const others = [...pkg.files.values()].flat().filter((item) => !generated.has(item));
    const bare = packageOf(others);
    if (bare === undefined) throw error;
    try {
      return await buildOverlays(bare, options, true);
    } catch {
      throw error;
    }
  }
}

function verifyStream(items: readonly Item[], config: Config, redact: (text: string) => string): Verdict {
  const allowed = allowedRules(config, undefined);
  const found = inspect(
    items.map(({ value }) => value),
    { ...config, scope: 'stream', kustomization: undefined },
  );
  const results = found.map((one) => {
    const file = items.find(({ value }) => value === one.whole)?.path;
    const source = file === undefined ? undefined : { file, label: file };
    return toResult(one, undefined, source, allowed, redact);
  });
  return { overlay: undefined, manifests: '', resources: items.length, results, standIns: [] };
}
