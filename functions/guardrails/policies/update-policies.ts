import path from 'node:path/posix';
import { type Config, allowedRules } from '../config/config';
import { InputError } from '../errors';
import { message } from '../message';
import { formatPath } from '../yaml/field-path';
import { type Edit, type Item, newItem, withItemEdit } from '../krm/item';
import { printYaml } from '../yaml/print';
import type { Result } from '../krm/result';
import { newlineOf } from '../yaml/text';
import { type YamlObject, isObject, isSame, parseYaml, valueOf, objectsIn } from '../yaml/yaml';
import type { OverlayBuild } from '../kustomize/build-overlays';
import { type Kustomization, policiesFile } from '../kustomize/graph';
import type { Package } from '../kustomize/package';
import { expandLists, resourceRef } from '../krm/resource';
import { GENERATED_BY, GENERATED_LABEL, isGenerated, wantedPolicies } from '../network/generate';
import { type SourcePolicy, placePolicies } from './placement';
import { isNetworkPolicy } from '../network/policy';
import { readTopology } from '../network/topology';
import type { Revision } from '../findings/revision';
import { NETWORK_POLICY } from '../rules/network-policy';

/**
 * Brings the generated network policies of a package up to date with what its overlays build: those that are missing
 * are written, those that are no longer needed go, and everything else stays. An overlay that the configuration lets
 * break the rule gets none.
 *
 * @param builds every overlay, with or without the policies that the package has
 * @throws InputError a policies file that holds what is not ours and that its kustomization does not name
 */
export function connect(
  revision: Revision,
  pkg: Package,
  builds: readonly OverlayBuild[],
  config: Config,
): Revision {
  const isExempt = ({ overlay }: OverlayBuild) => allowedRules(config, overlay).has(NETWORK_POLICY);
  const isStamped = [...pkg.graph.values()].some(({ value }) => stampsSelectors(value));
  const needs = builds
    .filter((build) => !isExempt(build))
    .map(({ overlay, resources }) => {
      const topology = readTopology(resources.flatMap((one) => expandLists(one)));
      return { overlay, policies: wantedPolicies(topology, config.network, isStamped) };
    });
  const exempt = builds.filter(isExempt).map(({ overlay }) => overlay);
  const others = otherPolicies(pkg);
  const taken = new Set(others.map(({ resource }) => resourceRef(resource).name));
  const { places, problem } = placePolicies(pkg.graph, needs, exempt, taken);
  if (problem !== undefined) {
    const isNeeded = needs.some(({ policies }) => policies.length > 0);
    const warning = { message: problem, severity: 'warning' } as const;
    return isNeeded ? { ...revision, findings: [...revision.findings, warning] } : revision;
  }
  const files = new PolicyFiles(revision, pkg);
  for (const [place, policies] of places) files.update(place, policies);
  // What was written beside a kustomization that is no longer shared.
  for (const place of pkg.graph.keys())
    if (!places.has(place) && pkg.files.has(policiesFile(place))) files.update(place, []);
  const connected = files.revision();
  const copies = others.filter(({ resource }) => isGenerated(resource)).map(copyOfGenerated);
  return copies.length === 0 ? connected : { ...connected, findings: [...connected.findings, ...copies] };
}

/** Whether a kustomization adds labels to selectors. */
function stampsSelectors({ commonLabels, labels }: YamlObject): boolean {
  return (
    isObject(commonLabels) || objectsIn(labels).some(({ includeSelectors }) => includeSelectors === true)
  );
}

/** A policy that is built and that stands in no file of ours. */
interface OtherPolicy {
  readonly file: string;
  readonly resource: YamlObject;
}

function otherPolicies(pkg: Package): OtherPolicy[] {
  const generated = generatedItems(pkg);
  const files = new Set([...pkg.graph.values()].flatMap(({ resources }) => resources));
  return [...files].flatMap((file) =>
    (pkg.files.get(file) ?? [])
      .filter((item) => !generated.has(item))
      .flatMap(({ value }) => expandLists(value))
      .filter(({ resource }) => isNetworkPolicy(resource))
      .map(({ resource }) => ({ file, resource })),
  );
}

/** It passes for ours, and nothing keeps it up to date. */
function copyOfGenerated({ file, resource }: OtherPolicy): Result {
  const ref = resourceRef(resource);
  return {
    message: `${file}: NetworkPolicy/${ref.name} carries the label ${GENERATED_LABEL}, and stands in no file that the function writes; take the label off`,
    severity: 'error',
    resourceRef: ref,
    field: { path: formatPath(['metadata', 'labels', GENERATED_LABEL]), currentValue: GENERATED_BY },
    file: { path: file },
    tags: { rule: NETWORK_POLICY },
  };
}

/** The documents of a package that the function wrote: in a file of its own name, beside a kustomization. */
export function generatedItems({ files, graph }: Package): Set<Item> {
  const own = [...graph.keys()].flatMap((dir) => files.get(policiesFile(dir)) ?? []);
  return new Set(own.filter(({ value }) => isGenerated(value)));
}

/** The policies files of a package, and the kustomizations that name them. */
class PolicyFiles {
  private readonly edits = new Map<Item, Edit>();
  private readonly edited = new Map<Item, Item>();
  private readonly removed = new Set<Item>();
  private readonly added: Item[] = [];
  private readonly told: Result[] = [];

  constructor(
    private readonly before: Revision,
    private readonly pkg: Package,
  ) {}

  update(place: string, wanted: readonly SourcePolicy[]): void {
    const kustomization = this.pkg.graph.get(place);
    if (kustomization === undefined) return;
    const file = policiesFile(place);
    const documents = this.pkg.files.get(file) ?? [];
    const generated = documents.filter(({ value }) => isGenerated(value));
    const others = documents.filter((item) => !generated.includes(item));
    const isNamed = kustomization.resources.includes(file);
    if (others.length > 0 && wanted.length > 0 && !isNamed)
      throw new InputError(
        message`${file}: network policies are written into this file, which ${kustomization.file} does not name under resources; name it there, or give what is in it another file`,
      );
    if (!isInOrder(generated, wanted)) this.rewrite(file, others, generated, wanted);
    if (wanted.length > 0 && !isNamed) this.name(kustomization, file);
    if (others.length + wanted.length === 0 && isNamed) this.unname(kustomization, file);
  }

  revision(): Revision {
    const { items, changes, told, findings } = this.before;
    if (this.edits.size + this.removed.size + this.added.length === 0) return this.before;
    return {
      items: [
        ...items.filter((item) => !this.removed.has(item)).map((item) => this.edited.get(item) ?? item),
        ...this.added,
      ],
      changes: {
        edits: new Map([...changes.edits, ...this.edits]),
        removed: this.removed,
        added: this.added,
      },
      told: [...told, ...this.told],
      findings,
    };
  }

  /** Documents that are not ours come first then, and what stands as it is wanted keeps its text. */
  private rewrite(
    file: string,
    others: readonly Item[],
    generated: readonly Item[],
    wanted: readonly SourcePolicy[],
  ): void {
    const told = this.told.length;
    const firstIndex = (others.at(-1)?.index ?? -1) + 1;
    const newline = newlineOf([...others, ...generated].map(({ text }) => text).join(''));
    for (const item of generated) this.removed.add(item);
    wanted.forEach((policy, i) => {
      const kept = generated.find((item) => isAsWanted(item, policy));
      const text = kept?.text ?? printYaml(policyOf(policy)).replaceAll('\n', newline);
      const value = kept?.value ?? valueOf(parseYaml(text, file)[0] ?? null);
      if (isObject(value)) this.added.push(newItem(text, value, file, firstIndex + i));
      if (kept === undefined) {
        const isNew = !generated.some(({ value: old }) => resourceRef(old).name === policy.name);
        this.tell(file, policy.name, isNew ? 'is added' : 'is brought up to date');
      }
    });
    for (const { value } of generated) {
      const { name } = resourceRef(value);
      if (!wanted.some((policy) => policy.name === name)) this.tell(file, name, 'is removed');
    }
    if (this.told.length === told)
      this.tell(file, wanted[0]?.name ?? '', 'and those behind it are put in their order, once each');
  }

  private tell(file: string, name: string, what: string): void {
    this.told.push({
      message: `${file}: NetworkPolicy/${name} ${what}`,
      severity: 'info',
      resourceRef: { apiVersion: API_VERSION, kind: 'NetworkPolicy', name },
      file: { path: file },
      tags: { rule: NETWORK_POLICY },
    });
  }

  private name(kustomization: Kustomization, file: string): void {
    const name = path.basename(file);
    this.edit(kustomization, [{ path: ['resources', '-'], value: name }], `resources gets ${name}`);
  }

  private unname(kustomization: Kustomization, file: string): void {
    const { resources } = kustomization.value;
    const index = (Array.isArray(resources) ? resources : []).findIndex(
      (one) => typeof one === 'string' && path.join(kustomization.dir, one) === file,
    );
    this.edit(kustomization, { list: 'resources', index }, `resources loses ${path.basename(file)}`);
  }

  private edit({ file, value }: Kustomization, edit: Edit, what: string): void {
    const [item] = this.pkg.files.get(file) ?? [];
    if (item === undefined) return;
    this.edits.set(item, edit);
    this.edited.set(item, withItemEdit(item, edit));
    this.told.push({
      message: `${file}: ${what}`,
      severity: 'info',
      resourceRef: resourceRef(value),
      file: { path: file },
      tags: { rule: NETWORK_POLICY },
    });
  }
}

const API_VERSION = 'networking.k8s.io/v1';

function policyOf({ name, namespace, spec }: SourcePolicy): YamlObject {
  return {
    apiVersion: API_VERSION,
    kind: 'NetworkPolicy',
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      labels: { [GENERATED_LABEL]: GENERATED_BY },
    },
    spec,
  };
}

function isInOrder(generated: readonly Item[], wanted: readonly SourcePolicy[]): boolean {
  return (
    generated.length === wanted.length &&
    wanted.every((policy, i) => {
      const item = generated[i];
      return item !== undefined && isAsWanted(item, policy);
    })
  );
}

/** Other labels and annotations may be of another function in the pipeline. */
function isAsWanted({ value }: Item, { name, namespace, spec }: SourcePolicy): boolean {
  const ref = resourceRef(value);
  return (
    ref.apiVersion === API_VERSION &&
    ref.name === name &&
    ref.namespace === namespace &&
    isSame(value.spec, spec)
  );
}
