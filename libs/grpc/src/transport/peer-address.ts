import { BlockList, isIP, isIPv6 } from 'node:net';
import { LRUCache } from 'lru-cache';

const unwrap = (address: string): string => address.replace(/^\[|\]$/g, '').replace(/^::ffff:(?=\d+\.)/i, '');

/** Whether an address lies in one of the ranges. Throws when a range is not CIDR notation. */
export function createRangeCheck(ranges: readonly string[]): (address: string) => boolean {
  const list = toBlockList(ranges);
  return (given) => {
    const address = unwrap(given);
    return isIP(address) !== 0 && list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
  };
}

/** grpc-js writes "address:port", for IPv6 without brackets. */
function addressOfPeer(peer: string): string {
  return unwrap(peer.replace(/:\d+$/, ''));
}

/** A proxy may write the address with or without a port. With a port, IPv6 has brackets. */
function addressOfHop(hop: string): string {
  return unwrap(isIP(hop) === 0 ? hop.replace(/:\d+$/, '') : hop);
}

function toBlockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIPv6(address) ? 'ipv6' : 'ipv4';
    list.addSubnet(address, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family);
  }
  return list;
}

/**
 * Finds the client's address: the peer itself or, behind trusted proxies, the nearest address in x-forwarded-for that
 * is not a trusted proxy. Other peers' headers are ignored. Throws when a range is not CIDR notation.
 */
export function createPeerResolver(
  trustedProxies: readonly string[],
): (peer: string, forwardedFor: string | undefined) => string {
  const isTrusted = createRangeCheck(trustedProxies);
  // All calls of a connection have the same peer.
  const addresses = new LRUCache<string, string>({ max: 1000, memoMethod: addressOfPeer });
  return (peer, forwardedFor) => {
    let address = addresses.memo(peer);
    if (forwardedFor === undefined || trustedProxies.length === 0) return address;
    const hops = forwardedFor.split(',').map((hop) => addressOfHop(hop.trim()));
    while (isTrusted(address)) {
      const hop = hops.pop();
      if (hop === undefined || isIP(hop) === 0) break;
      address = hop;
    }
    return address;
  };
}
