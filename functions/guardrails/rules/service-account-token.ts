import { formatPath } from '../yaml/field-path';
import { isAbsent, podSpecOf } from '../kubernetes/workload';
import type { Rule } from './rule';

/** A pod without a ServiceAccount of its own carries no key to the API server. */
export const serviceAccountToken: Rule = {
  id: 'service-account-token',
  summary: '`automountServiceAccountToken: false` where the pod uses the default ServiceAccount',
  why: 'https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#opt-out-of-api-credential-automounting',
  fixes: true,
  check: (resource) => {
    const pod = podSpecOf(resource);
    if (pod === undefined) return [];
    const { automountServiceAccountToken, serviceAccount, serviceAccountName } = pod.value;
    // serviceAccount is the field's deprecated name.
    const isNamed = [serviceAccountName, serviceAccount].some(
      (name) => !isAbsent(name) && name !== '' && name !== 'default',
    );
    if (isNamed || !isAbsent(automountServiceAccountToken)) return [];
    const path = [...pod.path, 'automountServiceAccountToken'];
    return [
      {
        what: "the pod carries the default ServiceAccount's token",
        mend: 'set automountServiceAccountToken: false, or give it a ServiceAccount of its own',
        field: formatPath(path),
        fixes: [{ path, value: false }],
      },
    ];
  },
};
