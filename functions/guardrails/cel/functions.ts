import { listFunctions } from './extensions/lists';
import { mathFunctions } from './extensions/math';
import { networkFunctions } from './extensions/network';
import { quantityFunctions } from './extensions/quantity';
import { formatFunctions } from './extensions/formats';
import { optionalFunctions } from './extensions/optionals';
import { regexFunctions } from './extensions/regex';
import { semverFunctions } from './extensions/semver';
import { setFunctions } from './extensions/sets';
import { standardFunctions } from './extensions/standard';
import { stringFunctions } from './extensions/strings';
import { timeFunctions } from './extensions/time';
import { urlFunctions } from './extensions/url';
import type { Library, Overload } from './library';

export type Functions = ReadonlyMap<string, readonly Overload[]>;

/**
 * What the API server offers to admission policies, but for `authorizer`.
 *
 * @see https://kubernetes.io/docs/reference/using-api/cel/
 */
const LIBRARIES: readonly Library[] = [
  standardFunctions,
  timeFunctions,
  stringFunctions,
  regexFunctions,
  listFunctions,
  setFunctions,
  mathFunctions,
  optionalFunctions,
  quantityFunctions,
  semverFunctions,
  urlFunctions,
  networkFunctions,
  formatFunctions,
];

/** All functions by name; a method has its target as the first argument. */
export const FUNCTIONS: { readonly global: Functions; readonly methods: Functions } = {
  global: joined(({ global = {} }) => global),
  methods: joined(({ methods = {} }) => methods),
};

function joined(of: (library: Library) => Readonly<Record<string, Overload>>): Functions {
  const functions = new Map<string, Overload[]>();
  for (const library of LIBRARIES)
    for (const [name, overload] of Object.entries(of(library)))
      functions.set(name, [...(functions.get(name) ?? []), overload]);
  return functions;
}
