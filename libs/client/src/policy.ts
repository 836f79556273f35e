import { getOption, type DescMethod } from '@bufbuild/protobuf';
import { durationMs } from '@bufbuild/protobuf/wkt';
import { Access, method as methodPolicy, RetrySafety, type Scope } from './gen/taskflow/policy/v1/policy_pb.js';

/** What the contract says of a method, as far as a client acts by it. */
export interface MethodPolicy {
  /** Anybody may call it, so that it takes no token. */
  readonly isPublic: boolean;
  /** The longest that is granted to any call. */
  readonly deadlineMs: number;
  readonly retry: 'always' | 'with request_id' | 'never';
  /** What a personal token must hold. */
  readonly scope: Scope;
}

const retries: Partial<Record<RetrySafety, MethodPolicy['retry']>> = {
  [RetrySafety.ALWAYS]: 'always',
  [RetrySafety.WITH_REQUEST_ID]: 'with request_id',
};

function readPolicy(method: DescMethod): MethodPolicy {
  const { access, deadline, retry, scope } = getOption(method, methodPolicy);
  return {
    isPublic: access === Access.PUBLIC,
    deadlineMs: deadline === undefined ? 0 : durationMs(deadline),
    retry: retries[retry] ?? 'never',
    scope,
  };
}

const known = new WeakMap<DescMethod, MethodPolicy>();

export function policyOf(method: DescMethod): MethodPolicy {
  const policy = known.get(method) ?? readPolicy(method);
  known.set(method, policy);
  return policy;
}
