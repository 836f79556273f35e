import { Client, credentials } from '@grpc/grpc-js';
import { policies, serviceConfigFor, type ServiceName } from '#libs/contract';
import { retryBudgetOf, type RetryBudget } from './retry-budget.ts';

/** One service config for all services of a callee, since they share a channel. */
function serviceConfigOf(callee: ServiceName): object {
  const services = new Set([...policies.values()].map((policy) => policy.service));
  const configs = [...services].filter((service) => service.startsWith(`taskflow.${callee}.`)).map(serviceConfigFor);
  return { ...configs[0], methodConfig: configs.flatMap((config) => config.methodConfig) };
}

function createTransport(callee: ServiceName, address: string): Client {
  return new Client(address, credentials.createInsecure(), {
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

const shared = new Map<string, { client: Client; users: number }>();

/** The one channel to a target; every user of it must release it. */
export function acquireTransport(callee: ServiceName, address: string): Transport {
  const key = `${callee} ${address}`;
  const entry = shared.get(key) ?? { client: createTransport(callee, address), users: 0 };
  shared.set(key, entry);
  entry.users += 1;
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    entry.users -= 1;
    if (entry.users > 0) return;
    shared.delete(key);
    entry.client.close();
  };
  return { client: entry.client, retryBudget: retryBudgetOf(address), release };
}
