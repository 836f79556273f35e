import type { DescService } from '@bufbuild/protobuf';
import type { Transport } from '@connectrpc/connect';
import { nobody, type Credentials } from './credentials.ts';
import { withPolicy } from './policy-transport.ts';
import { newRetryBudget, type RetryBudget } from './retries.ts';
import { createServiceClient, type ServiceClient } from './service-client.ts';

/** The programs that TaskFlow consists of. */
export const serviceNames = ['auth', 'users', 'tasks', 'scheduler'] as const;

export type ServiceName = (typeof serviceNames)[number];

/** One address for all, or one for each of the services. URLs with http: or https:. */
export type Addresses = { address: string } | { addresses: Partial<Record<ServiceName, string>> };

export interface ConnectionOptions {
  /** How often a call is sent at most, the first time included. Default: 4. */
  maxAttempts?: number;
  /** Names the program in the list of sessions, such as "backup/1.2". Browsers have names of their own. */
  userAgent?: string;
}

export interface ServiceOptions {
  /** Which program is asked, for what each of them has, such as its audit log. Has no meaning for others. */
  at?: ServiceName;
}

/** A way to the services. It opens when it is used. */
export interface Connection {
  /** The same connection for somebody else. */
  as(credentials: Credentials): Connection;
  /** All methods of a service of the contract. */
  service<S extends DescService>(service: S, options?: ServiceOptions): ServiceClient<S>;
  /** For clients of Connect's own, which then act by the contract as well. */
  transport(service: DescService, options?: ServiceOptions): Transport;
  /** Ends what is open. */
  close(): void;
}

function toUrl(address: string): string {
  // URL.parse is younger than Node 22.0 and some browsers in use.
  if (!URL.canParse(address) || !/^https?:$/.test(new URL(address).protocol))
    throw new TypeError(`address "${address}": say a URL with http: or https:`);
  return address.replace(/\/+$/, '');
}

const isServiceName = (name: string | undefined): name is ServiceName => serviceNames.some((one) => one === name);

/** Throws TypeError for a service that is nowhere. */
function findUrl(service: DescService, { at }: ServiceOptions, addresses: Addresses): string {
  const owner = service.typeName.split('.')[1];
  const isOwned = isServiceName(owner);
  const name = isOwned ? owner : at;
  if (name === undefined) throw new TypeError(`${service.typeName}: say by \`at\` which service is asked`);
  // The gateway has what every service offers after the service's name.
  if ('address' in addresses) return [toUrl(addresses.address), ...(isOwned ? [] : [name])].join('/');
  const address = addresses.addresses[name];
  if (address === undefined) throw new TypeError(`${service.typeName}: there is no address of ${name}`);
  return toUrl(address);
}

/** How a platform reaches a URL. */
export interface Platform {
  open(url: string): Transport;
  close(): void;
}

interface Route {
  transport: Transport;
  budget: RetryBudget;
}

export function createConnection(
  platform: Platform,
  addresses: Addresses,
  { maxAttempts = 4, userAgent }: ConnectionOptions,
): Connection {
  const routes = new Map<string, Route>();
  const routeTo = (url: string): Route => {
    const route = routes.get(url) ?? { transport: platform.open(url), budget: newRetryBudget() };
    routes.set(url, route);
    return route;
  };
  const connectionOf = (credentials: Credentials): Connection => {
    const transportTo: Connection['transport'] = (service, options = {}) => {
      const { transport, budget } = routeTo(findUrl(service, options, addresses));
      return withPolicy(transport, { credentials, budget, maxAttempts, userAgent });
    };
    const clients = new Map<string, unknown>();
    const clientOf: Connection['service'] = (service, options = {}) => {
      const key = `${service.typeName} ${options.at ?? ''}`;
      const client = clients.get(key) ?? createServiceClient(service, transportTo(service, options));
      clients.set(key, client);
      return client as ServiceClient<typeof service>;
    };
    return {
      as: connectionOf,
      service: clientOf,
      transport: transportTo,
      close: () => platform.close(),
    };
  };
  return connectionOf(nobody);
}
