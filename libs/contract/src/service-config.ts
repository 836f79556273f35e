import { policies, type MethodPolicy } from './policy.ts';

/** gRPC service config (grpc/proposal A6), the part of it that we use. */
export interface ServiceConfig {
  loadBalancingConfig: { round_robin: Record<string, never> }[];
  methodConfig: object[];
  /** While half of the tokens are used up nothing is retried; so a callee that fails always sees few repetitions. */
  retryThrottling: { maxTokens: number; tokenRatio: number };
}

/** Bounds of retries. */
export const retryLimits = { maxAttempts: 3, maxTokens: 10, tokenRatio: 0.1 } as const;

const retryPolicy = {
  maxAttempts: retryLimits.maxAttempts,
  initialBackoff: '0.05s',
  maxBackoff: '0.5s',
  backoffMultiplier: 2,
  retryableStatusCodes: ['UNAVAILABLE'],
};

function toMethodConfig(policy: MethodPolicy): object {
  return { name: [{ service: policy.service, method: policy.method }], retryPolicy };
}

/**
 * The service config for a client of one service ("taskflow.users.v1.InternalUsersService"): retries where the contract
 * calls them safe.
 */
export function serviceConfigFor(service: string): ServiceConfig {
  const safe = [...policies.values()].filter((policy) => policy.service === service && policy.retry === 'always');
  return {
    loadBalancingConfig: [{ round_robin: {} }],
    methodConfig: safe.map(toMethodConfig),
    retryThrottling: { maxTokens: retryLimits.maxTokens, tokenRatio: retryLimits.tokenRatio },
  };
}
