import { isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * What counts as one peer: an IPv4 address; for IPv6 the /64, because one customer usually has all of it. Anything
 * else, such as a socket's path, is a peer as it is.
 */
export function toPeerNetwork(address: string): string {
  if (!isIPv6(address)) return address;
  // Also turns an IPv6 address that stands for one of IPv4 into that.
  const parsed = ipaddr.process(address);
  if (!(parsed instanceof ipaddr.IPv6)) return parsed.toString();
  const groups = parsed.parts.slice(0, 4).map((group) => group.toString(16));
  return `${groups.join(':')}::/64`;
}
