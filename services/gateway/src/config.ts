import { z } from 'zod';
import { serviceNames, type ServiceName } from '#libs/contract';
import {
  addressType,
  ConfigError,
  envTypes,
  findOptionalTlsFaults,
  loadConfig,
  processEntries,
  settingOf,
  toProcessConfig,
  type ProcessConfig,
} from '#libs/runtime';

export interface GatewayConfig extends ProcessConfig {
  /** Where Connect, gRPC-Web and JSON are spoken. */
  rpcPort: number;
  /** Where the services are. */
  addresses: Readonly<Record<ServiceName, string>>;
  /** The origins whose pages may call from a browser; "*" is every one. */
  corsOrigins: readonly string[];
}

const origin = z
  .string()
  .refine(
    (text) => text === '*' || (URL.parse(text)?.origin === text && !text.includes('*')),
    'must list origins such as https://app.example.com, or *',
  );

const entries = {
  ...processEntries('gateway', 9469),
  TASKFLOW_GATEWAY_RPC_PORT: envTypes.port(8080),
  TASKFLOW_GATEWAY_CORS_ORIGINS: envTypes.list().pipe(z.array(origin)),
  ...Object.fromEntries(serviceNames.map((service) => [settingOf(service, 'ADDRESS'), addressType(service)])),
};

/** Throws ConfigError with every fault at once. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const values = loadConfig(entries, env) as Record<string, unknown>;
  const read = <T>(name: string): T => values[name] as T;
  const common = toProcessConfig('gateway', read);
  const faults = common.tls === undefined ? [] : findOptionalTlsFaults(common.tls, { issuedElsewhere: true });
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    ...common,
    rpcPort: read('TASKFLOW_GATEWAY_RPC_PORT'),
    corsOrigins: read('TASKFLOW_GATEWAY_CORS_ORIGINS'),
    addresses: Object.fromEntries(
      serviceNames.map((service) => [service, read(settingOf(service, 'ADDRESS'))]),
    ) as GatewayConfig['addresses'],
  };
}
