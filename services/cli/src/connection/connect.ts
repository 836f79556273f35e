import { readFileSync } from 'node:fs';
import * as tls from 'node:tls';
import { serviceNames, type Addresses, type Connection, type ServiceName } from '#client/index';
import { connect as connectByGrpc } from '#client/node';
import { connect as connectByHttp } from '#client/web';
import { Failure, UsageError } from '../faults.ts';
import { oneLine } from '../output/text.ts';
import { readVersion } from '../version.ts';
import type { Profile } from './profiles.ts';

/** Those of `npm start`. */
const defaultPorts: Readonly<Record<ServiceName, number>> = {
  auth: 50051,
  users: 50052,
  tasks: 50053,
  scheduler: 50054,
};

/** How the services are called. */
export interface Target {
  protocol: 'grpc' | 'connect';
  addresses: Addresses;
  ca: string | undefined;
}

/** Throws UsageError for what is no address. */
export function toUrl(address: string, isSecure: boolean): string {
  const url = /^[a-z]+:\/\//.test(address) ? address : `${isSecure ? 'https' : 'http'}://${address}`;
  const parsed = URL.parse(url);
  // Such an address is not repeated: it may have a password.
  if (parsed !== null && `${parsed.username}${parsed.password}` !== '')
    throw new UsageError('an address has no user and no password: sign in with "taskflow login"');
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || oneLine(address) !== address)
    throw new UsageError(`address "${oneLine(address)}": say host:port or a URL with http: or https:`);
  return url;
}

const addressOf = (service: ServiceName): string | undefined =>
  process.env[`TASKFLOW_${service.toUpperCase()}_ADDRESS`] || undefined;

/**
 * A profile that says where its cluster is stands before the environment, so that its session is sent nowhere else; then
 * comes what `npm start` takes.
 */
export function findTarget(profile: Profile): Target {
  const ca = process.env['TASKFLOW_TLS_CA_FILE'] || profile.ca;
  const isSecure = ca !== undefined;
  const { address, gateway, addresses = {} } = profile;
  if (gateway !== undefined) return { protocol: 'connect', addresses: { address: toUrl(gateway, isSecure) }, ca };
  if (address !== undefined) return { protocol: 'grpc', addresses: { address: toUrl(address, isSecure) }, ca };
  const found = serviceNames.map((service) => {
    const own = profile.addresses === undefined ? addressOf(service) : addresses[service];
    const known = own ?? `127.0.0.1:${defaultPorts[service]}`;
    return [service, toUrl(known, isSecure)];
  });
  return { protocol: 'grpc', addresses: { addresses: Object.fromEntries(found) as Record<ServiceName, string> }, ca };
}

function readAuthority(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure(`the certificate authority cannot be read: ${(error as Error).message}`);
  }
}

/** Opens nothing before the first call. */
export function connectTo({ protocol, addresses, ca }: Target): Connection {
  const authority = ca === undefined ? undefined : readAuthority(ca);
  // fetch has no option for it.
  if (authority !== undefined) tls.setDefaultCACertificates([...tls.getCACertificates(), authority]);
  const options = { ...addresses, userAgent: `taskflow/${readVersion()}` };
  return protocol === 'grpc' ? connectByGrpc({ ...options, transport: 'grpc' }) : connectByHttp(options);
}

/** Where a service is, to be read by people. */
export function placeOf({ addresses }: Target, service: ServiceName): string {
  return ('address' in addresses ? addresses.address : addresses.addresses[service]) ?? '';
}
