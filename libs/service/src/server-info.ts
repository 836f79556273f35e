import type { MethodPolicy } from '#libs/contract';
import { bind, maxMessageBytes, type ServiceBinding } from '#libs/grpc';
import { readBuildInfo, toDuration, type Clock, type ServiceConfig } from '#libs/runtime';
import {
  ServerFeature,
  serverFeatureToNumber,
  ServerInfoServiceService,
  type GetServerInfoResponse,
  type MethodLimit,
} from '#contract/server/v1/server';

/** The rate limit of a method as this server is configured; undefined when it has none. */
export type LimitOf = (method: MethodPolicy) => { requests: number; perSeconds: number } | undefined;

interface ServerInfoOptions {
  config: Pick<ServiceConfig, 'service' | 'env' | 'tracing'>;
  clock: Clock;
  schemaVersion: string;
  bindings: readonly ServiceBinding[];
  limitOf: LimitOf;
  /** The features that are specific to this service. */
  ownFeatures: readonly ServerFeature[];
}

function toMethodLimit(policy: MethodPolicy, limitOf: LimitOf): MethodLimit {
  const limit = limitOf(policy);
  return {
    method: policy.path.slice(1),
    deadline: toDuration(policy.deadlineMs),
    rateLimitRequestCount: BigInt(limit?.requests ?? 0),
    rateLimitPeriod: limit && toDuration(limit.perSeconds * 1000),
  };
}

/** Binds the service by which every server describes itself. */
export function bindServerInfo({
  config,
  clock,
  schemaVersion,
  bindings,
  limitOf,
  ownFeatures,
}: ServerInfoOptions): ServiceBinding {
  const { version, commit } = readBuildInfo();
  const startTime = clock.now();
  const methodLimits = bindings.flatMap(({ methods }) => methods).map(({ policy }) => toMethodLimit(policy, limitOf));
  const features = [
    ...(config.env === 'production' ? [] : [ServerFeature.API_DOCS]),
    ServerFeature.REFLECTION,
    ...(config.tracing === undefined ? [] : [ServerFeature.TRACES]),
    ...ownFeatures,
  ].sort((a, b) => serverFeatureToNumber(a) - serverFeatureToNumber(b));
  const answer = (): GetServerInfoResponse => ({
    service: config.service,
    version,
    commit,
    schemaVersion,
    startTime,
    serverTime: clock.now(),
    features,
    maxMessageBytes: BigInt(maxMessageBytes),
    methodLimits,
  });
  return bind(ServerInfoServiceService, { getServerInfo: async () => answer() });
}
