import type { PolicyCheck } from './checked-build';

/** Policies that the API server refuses, and rules without effect. */
export const invalidPolicies: PolicyCheck = ({ invalid }) => invalid;
