import { annotationsOf, groupOf, resourceRef } from '../../krm/resource';
import { readSecretKeys } from '../../network/secret-keys';
import { type YamlObject, type YamlValue, isObject, objectAt, objectsIn, textOf } from '../../yaml/yaml';

/** An object that a controller makes for a resource of the build. */
export interface MadeObject {
  readonly kind: string;
  readonly name: string;
  /** undefined: that of the resource; `''`: any. */
  readonly namespace?: string | undefined;
  /** undefined: not known. */
  readonly keys?: readonly string[] | undefined;
}

type Make = (resource: YamlObject, spec: YamlObject) => readonly MadeObject[];

const CERTIFICATE_KEYS = ['tls.crt', 'tls.key', 'ca.crt'];

/** By group and kind. The names and keys are those of the projects' documentation. */
const MAKERS = new Map<string, Make>([
  ['external-secrets.io/ExternalSecret', ofExternalSecret],
  [
    'external-secrets.io/ClusterExternalSecret',
    (resource, spec) => {
      const { target } = objectAt(spec, 'externalSecretSpec');
      const name = isObject(target) ? target.name : undefined;
      return secrets([name ?? spec.externalSecretName ?? nameOf(resource)], '');
    },
  ],
  ['kubernetes-client.io/ExternalSecret', (resource) => secrets([nameOf(resource)])],
  ['bitnami.com/SealedSecret', ofSealedSecret],
  ['cert-manager.io/Certificate', ofCertificate],
  ['cert-manager.io/Issuer', ofIssuer],
  ['cert-manager.io/ClusterIssuer', ofIssuer],
  ['gateway.networking.k8s.io/Gateway', ofGateway],
  ['networking.k8s.io/Ingress', ofIngress],
  ['secrets.hashicorp.com/VaultStaticSecret', ofDestination],
  ['secrets.hashicorp.com/VaultDynamicSecret', ofDestination],
  ['secrets.hashicorp.com/VaultPKISecret', ofDestination],
  ['secrets.hashicorp.com/HCPVaultSecretsApp', ofDestination],
  ['onepassword.com/OnePasswordItem', (resource) => secrets([nameOf(resource)])],
  [
    'secrets.infisical.com/InfisicalSecret',
    (_, spec) =>
      secrets(
        [spec.managedSecretReference, ...objectsIn(spec.managedKubeSecretReferences)].map((one) =>
          isObject(one) ? one.secretName : undefined,
        ),
      ),
  ],
  [
    'secrets-store.csi.x-k8s.io/SecretProviderClass',
    (_, spec) =>
      objectsIn(spec.secretObjects).flatMap(({ secretName, data }) =>
        secrets(
          [secretName],
          undefined,
          objectsIn(data).map(({ key }) => textOf(key)),
        ),
      ),
  ],
  [
    'isindir.github.com/SopsSecret',
    (_, spec) =>
      [...objectsIn(spec.secretTemplates), ...objectsIn(spec.secret_templates)].flatMap(
        ({ name, data, stringData }) => secrets([name], undefined, [...keysIn(data), ...keysIn(stringData)]),
      ),
  ],
  ['secrets.doppler.com/DopplerSecret', (_, spec) => secrets([objectAt(spec, 'managedSecret').name], '')],
  ['k8s.bitwarden.com/BitwardenSecret', (_, spec) => secrets([spec.secretName])],
  ['spv.no/AzureKeyVaultSecret', (_, spec) => secrets([objectAt(objectAt(spec, 'output'), 'secret').name])],
  [
    'trust.cert-manager.io/Bundle',
    (resource) => [
      { kind: 'ConfigMap', name: nameOf(resource), namespace: '' },
      { kind: 'Secret', name: nameOf(resource), namespace: '' },
    ],
  ],
  ['monitoring.coreos.com/Prometheus', (resource) => operated(resource, 'prometheus')],
  ['monitoring.coreos.com/Alertmanager', (resource) => operated(resource, 'alertmanager')],
  ['monitoring.coreos.com/ThanosRuler', (resource) => operated(resource, 'thanos-ruler')],
  [
    'mongodbcommunity.mongodb.com/MongoDBCommunity',
    (_, spec) => secrets(objectsIn(spec.users).map((one) => one.connectionStringSecretName)),
  ],
]);

/** What controllers make for a resource, as far as its kind and its annotations say so. */
export function madeBy(resource: YamlObject): readonly MadeObject[] {
  const { kind } = resourceRef(resource);
  const spec = objectAt(resource, 'spec');
  // Crossplane: a managed resource or a claim writes its connection details.
  const connection = objectAt(spec, 'writeConnectionSecretToRef');
  return [
    ...(MAKERS.get(`${groupOf(resource)}/${kind}`)?.(resource, spec) ?? []),
    ...(connection.name === undefined ? [] : secrets([connection.name], textOf(connection.namespace ?? ''))),
    ...ofServingCertificate(resource),
  ];
}

/** https://external-secrets.io/latest/api/externalsecret/ */
function ofExternalSecret(resource: YamlObject, spec: YamlObject): MadeObject[] {
  const target = objectAt(spec, 'target');
  const { kind } = objectAt(target, 'manifest');
  const keys = readSecretKeys(resource)?.keys;
  return [
    { kind: kind === 'ConfigMap' ? kind : 'Secret', name: textOf(target.name ?? nameOf(resource)), keys },
  ];
}

/** https://github.com/bitnami-labs/sealed-secrets#sealedsecrets-as-templates-for-secrets */
function ofSealedSecret(resource: YamlObject, spec: YamlObject): MadeObject[] {
  const template = objectAt(spec, 'template');
  const { name } = objectAt(template, 'metadata');
  const keys = [...keysIn(spec.encryptedData), ...keysIn(template.data)];
  return secrets([name ?? nameOf(resource)], undefined, keys.length === 0 ? undefined : keys);
}

/** https://cert-manager.io/docs/usage/certificate/ */
function ofCertificate(_: YamlObject, spec: YamlObject): MadeObject[] {
  const hasMore = spec.keystores !== undefined || spec.additionalOutputFormats !== undefined;
  return secrets([spec.secretName], undefined, hasMore ? undefined : CERTIFICATE_KEYS);
}

/** The key of an account at an ACME server. */
function ofIssuer(_: YamlObject, spec: YamlObject): MadeObject[] {
  return secrets([objectAt(objectAt(spec, 'acme'), 'privateKeySecretRef').name], '');
}

/** Whether cert-manager makes the certificates of an Ingress or a Gateway (cert-manager.io/docs/usage/ingress). */
function hasIssuer(resource: YamlObject): boolean {
  const annotations = annotationsOf(resource);
  return Object.keys(annotations).some(
    (key) =>
      /^(cert-manager\.io|certmanager\.k8s\.io)\/(cluster-)?issuer$/.test(key) ||
      (key === 'kubernetes.io/tls-acme' && textOf(annotations[key]) === 'true'),
  );
}

function ofIngress(resource: YamlObject, spec: YamlObject): MadeObject[] {
  return hasIssuer(resource) ? secrets(objectsIn(spec.tls).map((one) => one.secretName)) : [];
}

function ofGateway(resource: YamlObject, spec: YamlObject): MadeObject[] {
  if (!hasIssuer(resource)) return [];
  const references = objectsIn(spec.listeners).flatMap((one) =>
    objectsIn(objectAt(one, 'tls').certificateRefs),
  );
  return secrets(references.map(({ name }) => name));
}

/** The operator of HashiCorp Vault. */
function ofDestination(_: YamlObject, spec: YamlObject): MadeObject[] {
  return secrets([objectAt(spec, 'destination').name]);
}

/** OpenShift makes a certificate for a Service that asks for one. */
function ofServingCertificate(resource: YamlObject): MadeObject[] {
  const annotations = annotationsOf(resource);
  return secrets(
    ['beta', 'alpha'].map((one) => annotations[`service.${one}.openshift.io/serving-cert-secret-name`]),
    undefined,
    ['tls.crt', 'tls.key'],
  );
}

/** https://prometheus-operator.dev/docs/getting-started/design/ */
function operated(resource: YamlObject, what: string): MadeObject[] {
  const name = `${what}-${nameOf(resource)}`;
  return [
    { kind: 'Service', name: `${what}-operated` },
    { kind: 'StatefulSet', name },
    { kind: 'Secret', name: `${name}-generated` },
  ];
}

function secrets(
  names: readonly (YamlValue | undefined)[],
  namespace?: string,
  keys?: readonly string[],
): MadeObject[] {
  return names.flatMap((name) =>
    typeof name === 'string' && name !== '' ? [{ kind: 'Secret', name, namespace, keys }] : [],
  );
}

function keysIn(value: YamlValue | undefined): string[] {
  return isObject(value) ? Object.keys(value) : [];
}

function nameOf(resource: YamlObject): string {
  return resourceRef(resource).name;
}
