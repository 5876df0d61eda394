import { resourceRef } from '../krm/resource';
import { podSpecOf } from '../kubernetes/workload';
import { message, words } from '../message';
import { isAbsent } from '../yaml/yaml';
import type { Rule } from './rule';

const DEDICATED = words(
  'set serviceAccountName to a dedicated ServiceAccount, or set automountServiceAccountToken: false if the pod does not call the Kubernetes API',
);

/** A pod without a ServiceAccount of its own has no credentials for the API server. */
export const serviceAccountToken: Rule = {
  id: 'service-account-token',
  summary:
    '`automountServiceAccountToken: false` where the pod uses the default ServiceAccount; an info where a binding or the ServiceAccount shows that the token is used',
  adds: 'pod `automountServiceAccountToken: false`',
  isSafe: true,
  documentation:
    'https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting',
  check: (resource, { namespaceObjects }) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const { automountServiceAccountToken: mounts, serviceAccount, serviceAccountName } = pod.value;
    // serviceAccount is the deprecated name of the field.
    const isNamed = [serviceAccountName, serviceAccount].some(
      (name) => !isAbsent(name) && name !== '' && name !== 'default',
    );
    if (isNamed || mounts === false) return [];
    const field = [...pod.path, 'automountServiceAccountToken'];
    const problem = words('pod mounts the token of the default ServiceAccount');
    const remedy = words(
      'set automountServiceAccountToken: false, or set serviceAccountName to a dedicated ServiceAccount',
    );
    if (!isAbsent(mounts)) return [{ problem, remedy, field, currentValue: mounts }];
    const need = namespaceObjects.tokenNeedOf(resourceRef(resource).namespace);
    if (need !== undefined)
      return [{ problem: message`${problem}, and ${need}`, remedy: DEDICATED, field, severity: 'info' }];
    return [{ problem, remedy, field, fixes: [{ path: field, value: false }] }];
  },
};
