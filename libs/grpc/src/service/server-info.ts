import type { MethodPolicy } from '#libs/contract';
import { readBuildInfo, type ServiceConfig } from '#libs/runtime';
import { ServerInfoServiceService, type GetServerInfoResponse, type MethodLimit } from '#contract/server/v1/server';
import type { Duration } from '#google/protobuf/duration';
import { bind, type ServiceBinding } from '../server/binding.ts';
import { maxMessageBytes } from '../server/server.ts';

/** The rate limit of a method as this server is configured; undefined when it has none. */
export type LimitOf = (method: MethodPolicy) => { requests: number; perSeconds: number } | undefined;

export interface ServerInfoOptions {
  config: Pick<ServiceConfig, 'service' | 'env' | 'tracing'>;
  schemaVersion: string;
  bindings: readonly ServiceBinding[];
  limitOf: LimitOf;
  /** What only this service can switch on. */
  ownFeatures: readonly string[];
}

const toDuration = (ms: number): Duration => ({ seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 });

function toMethodLimit(policy: MethodPolicy, limitOf: LimitOf): MethodLimit {
  const limit = limitOf(policy);
  return {
    method: policy.path.slice(1),
    deadline: toDuration(policy.deadlineMs),
    rateLimitRequests: BigInt(limit?.requests ?? 0),
    rateLimitPeriod: limit && toDuration(limit.perSeconds * 1000),
  };
}

/** What every server says about itself. */
export function bindServerInfo({ config, schemaVersion, bindings, limitOf, ownFeatures }: ServerInfoOptions): ServiceBinding {
  const { version, commit } = readBuildInfo();
  const startTime = new Date();
  const methodLimits = bindings.flatMap(({ methods }) => methods).map(({ policy }) => toMethodLimit(policy, limitOf));
  const features = [...(config.env === 'production' ? [] : ['api-docs']), 'reflection', ...(config.tracing === undefined ? [] : ['traces']), ...ownFeatures].sort();
  const answer = (): GetServerInfoResponse => ({
    service: config.service,
    version,
    commit,
    schemaVersion,
    startTime,
    serverTime: new Date(),
    features,
    maxMessageBytes: BigInt(maxMessageBytes),
    methodLimits,
  });
  return bind(ServerInfoServiceService, { getServerInfo: async () => answer() });
}
