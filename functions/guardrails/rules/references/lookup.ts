import type { Placed } from '../../krm/resource';
import { withoutHash } from '../../krm/unknown-content';
import { isMisspelt } from '../../kubernetes/near-name';
import { parseGlob } from '../../kustomize/glob';
import { type Message, message, words } from '../../message';
import type { Selector } from '../../network/selector';
import type { Elsewhere, RuleContext } from '../rule';
import { BuiltObjects } from './built-objects';

/** The object that a reference most likely means. */
export interface NearMiss {
  /** The end of a sentence: `refers to ConfigMap/web, <...>`. */
  readonly clause: Message;
  readonly remedy: Message;
}

/** Answers what a name means in a build: an object, one that exists elsewhere, or a name that is nearly one. */
export class Lookup {
  private readonly external: readonly {
    readonly kind: string;
    readonly matches: (name: string) => boolean;
  }[];

  constructor(
    readonly objects: BuiltObjects,
    private readonly context: Pick<RuleContext, 'external' | 'formerNames' | 'besides'>,
  ) {
    this.external = context.external.map((glob) => {
      const [kind = '', name = ''] = glob.split('/');
      return { kind, matches: parseGlob(name) };
    });
  }

  /** Whether an object exists outside of the build, as far as the configuration and the build say. */
  isElsewhere(kind: string, name: string, namespace: string): boolean {
    const isListed = this.external.some((one) => one.kind === kind && one.matches(name));
    return isListed || this.objects.mayBeMade(kind, name, namespace);
  }

  /** Where the package has an object that the build does not have. */
  elsewhere(kind: string, name: string, namespace: string): Elsewhere {
    return this.context.besides?.find({ kind, name, namespace }) ?? { overlays: [], unlisted: undefined };
  }

  /** Whether an overlay of another application has pods that a selector selects. */
  hasPodsElsewhere(selector: Selector, namespace: string): boolean {
    return this.context.besides?.hasPods(selector, namespace) === true;
  }

  /** What a name that the build does not have nearly is; undefined: nothing. */
  nearMiss(kind: string, name: string, namespace: string): NearMiss | undefined {
    return (
      this.hashed(kind, name, namespace) ??
      this.renamed(kind, name, namespace) ??
      this.misspelt(kind, name, namespace)
    );
  }

  /** The names that the build gives to an object which the package names so. */
  renamedTo(kind: string, name: string, namespace: string): string[] {
    const names = this.context.formerNames?.(kind, name) ?? [];
    return names.filter((one) => this.objects.find(kind, one, namespace).length > 0);
  }

  /** The Service that a host which is not in the build most likely means: under its name in a file, or misspelt. */
  serviceMeant(name: string, namespace: string): string | undefined {
    const [renamed] = this.renamedTo('Service', name, namespace);
    return renamed ?? this.objects.namesIn('Service', namespace).find((one) => isMisspelt(name, one));
  }

  private hashed(kind: string, name: string, namespace: string): NearMiss | undefined {
    const [generated] = this.objects.withHash(kind, name);
    if (generated === undefined) return undefined;
    // The hash itself depends on the content.
    const clause = words('which the build has only with a hash at the end of its name');
    const isApart = namespace !== generated.namespace;
    const remedy = isApart
      ? message`generate it in the namespace ${namespace === '' ? words('of the resource') : namespace}: kustomize corrects only references within a namespace`
      : words(
          'move the generator to a kustomization that includes the resource, or set disableNameSuffixHash: true',
        );
    return { clause, remedy };
  }

  private renamed(kind: string, name: string, namespace: string): NearMiss | undefined {
    const [current] = this.renamedTo(kind, name, namespace);
    if (current !== undefined)
      return {
        clause: message`which the build has as ${kind}/${current}`,
        remedy: message`write ${current}, or let kustomize correct the name: nameReference under configurations, or a replacement`,
      };
    // With a prefix, and the hash of a generator.
    const [former] = this.context.formerNames?.(kind, name) ?? [];
    const generated = former === undefined ? [] : this.objects.withHash(kind, former);
    if (former === undefined || generated.length === 0) return undefined;
    return {
      clause: message`which the build has as ${kind}/${former} with a hash at the end`,
      remedy: words(
        'put the generator and the resource into one namespace, so that kustomize corrects the name',
      ),
    };
  }

  private misspelt(kind: string, name: string, namespace: string): NearMiss | undefined {
    const known = this.objects.namesIn(kind, namespace).map(withoutHash);
    const right = known.find((one) => isMisspelt(name, one));
    return right === undefined
      ? undefined
      : { clause: words('which is not in the build'), remedy: message`did you mean ${right}?` };
  }
}

const KNOWN = new WeakMap<readonly Placed[], Lookup>();

/** The lookup of a build, which several rules share. */
export function lookupIn(
  resources: readonly Placed[],
  context: Pick<RuleContext, 'external' | 'formerNames' | 'besides'>,
): Lookup {
  const lookup = KNOWN.get(resources) ?? new Lookup(new BuiltObjects(resources), context);
  KNOWN.set(resources, lookup);
  return lookup;
}
