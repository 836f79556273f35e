import { Client } from '@grpc/grpc-js';
import { policies, serviceConfigFor, type ServiceName } from '#libs/contract';
import type { Certificates } from '#libs/runtime';
import { channelCredentials } from './channel-credentials.ts';
import { retryBudgetOf, type RetryBudget } from './retry-budget.ts';

export interface Target {
  callee: ServiceName;
  /** A gRPC target: "127.0.0.1:50052", "dns:///users:50052". */
  address: string;
  /** Of the caller. Without: plaintext. */
  certificates?: Certificates | undefined;
}

/** One service config for all services of a callee, since they share a channel. */
function serviceConfigOf(callee: ServiceName): object {
  const services = new Set([...policies.values()].map((policy) => policy.service));
  const configs = [...services].filter((service) => service.startsWith(`taskflow.${callee}.`)).map(serviceConfigFor);
  return { ...configs[0], methodConfig: configs.flatMap((config) => config.methodConfig) };
}

/** Services know each other by their names, wherever they are: the callee's certificate must have its name. */
function createTransport({ callee, address, certificates }: Target): Client {
  const { credentials, options } = channelCredentials(certificates, address, callee);
  return new Client(address, credentials, {
    ...options,
    'grpc.service_config': JSON.stringify(serviceConfigOf(callee)),
    // channelz records every call, and nothing reads its records.
    'grpc.enable_channelz': 0,
    // DNS TXT records must not change the retries.
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_retries': 1,
    // Finds a returning callee within a second, jitter of 20 % included. The default is up to two minutes.
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 800,
    'grpc.dns_min_time_between_resolutions_ms': 1000,
    // Detects connections that died silently.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 5000,
    'grpc.max_receive_message_length': 16 * 1024 * 1024,
  });
}

export interface Transport {
  client: Client;
  /** The retry budget of this target. */
  retryBudget: RetryBudget;
  /** Closes the channel when this was its last user. */
  release(): void;
}

type Shared = Map<string, { client: Client; users: number }>;

// Tests run several services in one process, each with its own certificates.
const shared = new Map<Certificates | undefined, Shared>();

/** The one channel to a target; every user of it must release it. */
export function acquireTransport(target: Target): Transport {
  const { callee, address, certificates } = target;
  const key = `${callee} ${address}`;
  const channels: Shared = shared.get(certificates) ?? new Map();
  shared.set(certificates, channels);
  const entry = channels.get(key) ?? { client: createTransport(target), users: 0 };
  channels.set(key, entry);
  entry.users += 1;
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    entry.users -= 1;
    if (entry.users > 0) return;
    channels.delete(key);
    if (channels.size === 0) shared.delete(certificates);
    entry.client.close();
  };
  return { client: entry.client, retryBudget: retryBudgetOf(address), release };
}
